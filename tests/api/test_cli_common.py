from api.cli_common import query_params


def test_flags_become_parameters() -> None:
    assert query_params(
        service=["a", "b"], label=["k=v"], level=["error"], grep="x y", host=["h"], stream="stderr", tag="t*",
        since="2026-11-24T00:00Z", until="5m",
    ) == {
        "service": ["a", "b"], "label": ["k=v"], "level": ["error"], "q": "x y", "host": ["h"],
        "stream": "stderr", "tag": "t*", "since": "2026-11-24T00:00:00Z", "until": "5m",
    }  # fmt: skip


def test_what_is_not_given_is_left_out() -> None:
    assert query_params(service=[], grep=None, since="") == {}
