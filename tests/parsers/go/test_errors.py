from parsers.go.errors import GoError, LimitError, TemplateError


def test_an_error_of_a_template() -> None:
    error = TemplateError("wrong", 3)
    assert (str(error), error.position, error.docker, error.depends_on_values) == ("wrong", 3, "wrong", False)
    error = TemplateError("wrong", 3, "template: t:1: wrong", depends_on_values=True)
    assert (error.docker, error.depends_on_values) == ("template: t:1: wrong", True)
    assert isinstance(error, ValueError)


def test_an_error_in_gos_words() -> None:
    assert GoError("é").text == "é".encode()
    assert (GoError(b"\xff").text, str(GoError(b"\xff"))) == (b"\xff", "\ufffd")
    assert isinstance(LimitError("x"), GoError)
