import json
from typing import Any

import pytest

from api import cli_format
from api.cli_common import CliError
from api.cli_dots import CONTAINERS, EVENTS, Kind
from api.cli_fields import SAMPLE_CONTAINER, SAMPLE_EVENT, View
from api.cli_format import TABLES, Format, Formatted
from parsers.gotemplate import TemplateError

Capture = pytest.CaptureFixture[str]


def event(message: str, **changes: Any) -> dict[str, Any]:
    return {**SAMPLE_EVENT, "message": message, **changes}


def refused(text: str, kind: Kind = EVENTS) -> str:
    with pytest.raises(CliError) as caught:
        Format(text, kind)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("{{.Message}}", b"GET /cart 502"),
        ("  {{.Level}}  ", b"error"),
        (r"{{.Level}}\t{{.Stream}}\n{{.Message}}", b"error\tstdout\nGET /cart 502"),
        ("{{.Level}}\t|", b"error\t|"),
        ('{{printf "%q" .Level}}', b'"error"'),
        ("tableau {{.Level}}", b"au error"),  # as docker has it: what begins so is a table
        ("table{{.Level}}", b"error"),
    ],
)
def test_templates(text: str, row: bytes) -> None:
    assert Format(text, EVENTS).row(SAMPLE_EVENT, View()) == row


def test_json() -> None:
    for text in ("json", "{{json .}}"):
        form = Format(text, EVENTS)
        assert not form.is_table
        assert json.loads(form.row(SAMPLE_EVENT, View())) == SAMPLE_EVENT
    huge = event("x" * (5 << 20))
    assert json.loads(Format("json", EVENTS).row(huge, View())) == huge


@pytest.mark.parametrize(
    ("text", "kind", "header"),
    [
        ("table", CONTAINERS, b"CONTAINER ID\tNAMES\tSERVICE\tIMAGE\tHOST\tSTATUS\tLINES"),
        ("table", EVENTS, b"TIMESTAMP\tCONTAINER NAME\tSTREAM\tLEVEL\tMESSAGE"),
        (r"table {{.Names}}\t{{upper .Service}}", CONTAINERS, b"NAMES\tSERVICE"),
        (r'table {{.Label "com.example/my-team"}}\t{{.Lines}}', CONTAINERS, b"example/my team\tLINES"),
        (r"table {{.Name}}\t{{.labels.stage}}", CONTAINERS, b"NAME\tstage"),
        (r'table {{printf "%d" .Lines}}', CONTAINERS, b"%!d(string=LINES)"),  # docker's own makes the same
    ],
)
def test_headers(text: str, kind: Kind, header: bytes) -> None:
    form = Format(text, kind)
    assert (form.is_table, form.header()) == (True, header)


def test_a_template_that_bears_no_names_has_no_header(capfd: Capture) -> None:
    printer = Formatted(Format("table {{json .Container}}", EVENTS))
    printer.events([SAMPLE_EVENT])
    printer.close()
    assert json.loads(capfd.readouterr().out) == SAMPLE_EVENT["container"]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("{{.Msg}}", 3, 'template: :1:2: executing "" at <.Msg>: can\'t evaluate field Msg in type logdock.'),
        ("{{foo}}", 3, 'template: :1: function "foo" not defined'),
        ("{{.Level", 9, "template: :1: unclosed action"),
        (r"é\t{{.Msg}}", 6, "can't evaluate field Msg"),
        (r"table   {{.Level}}\t{{.Msg}}", 23, "can't evaluate field Msg"),
        ("{{.Label}}", 3, "wrong number of args for Label: want 1 got 0"),
        ("{{.Message.x}}", 11, "can't evaluate field x in type string"),
        ("{{range .Message}}{{end}}", 9, "range can't iterate over GET /cart 502"),
        ("{{if}}{{end}}", 5, "missing value for if"),
    ],
)  # fmt: skip
def test_a_wrong_template_says_where_and_what_go_says(text: str, place: int, words: str) -> None:
    told = refused(text)
    assert told.startswith(f"--format, at character {place}: ")
    assert words in told


def test_an_unknown_name_lists_those_that_exist() -> None:
    assert "did you mean .Message?; there is .ID .Timestamp " in refused("{{.Mesage}}")
    assert "did you mean .first_seen?" in refused("{{.firstseen}}", CONTAINERS)
    assert "there is .ID .Name .Image, and every key" in refused("{{.Container.Foo}}")
    assert "there is .Project .Replica .TaskID .Kind" in refused("{{.service_detail.x}}")


@pytest.mark.parametrize(
    ("name", "nearest"), [("CreatedAt", "FirstSeen"), ("State", "Status"), ("Ports", None)]
)
def test_names_that_only_docker_knows(name: str, nearest: str | None) -> None:
    told = refused(f"{{{{.{name}}}}}", CONTAINERS)
    assert f"log lines do not tell docker's .{name}" in told
    assert (f"did you mean .{nearest}?" in told) == (nearest is not None)


@pytest.mark.parametrize("text", ["raw", "yaml", "table x", "x"])
def test_a_format_that_shows_nothing(text: str) -> None:
    assert "shows nothing: it is a Go template" in refused(text)


@pytest.mark.parametrize(
    "text",
    ["{{slice .Tag 0 60}}", "{{.Fields.a.b | upper}}", "{{index .Flags 7}}", "{{len (index .Fields `x`)}}"],
)
def test_what_another_object_could_bear_is_not_refused(text: str) -> None:
    with pytest.raises(TemplateError):
        Format(text, EVENTS).row(SAMPLE_EVENT, View())


def test_a_name_that_is_wrong_in_a_branch_is_refused_when_it_is_reached() -> None:
    form = Format('{{if eq .Level "warn"}}{{.Foo}}{{end}}', EVENTS)
    assert form.row(SAMPLE_EVENT, View()) == b""
    with pytest.raises(CliError, match="can't evaluate field Foo") as caught:
        form.row(event("x", level="warn"), View())
    assert caught.value.exit_code == 2


def test_rows(capfd: Capture) -> None:
    printer = Formatted(Format("{{.Message}}", EVENTS))
    printer.events([event("a"), event("grüße\x1b", stream="stderr")])
    assert capfd.readouterr() == ("a\ngrüße\x1b\n", "")
    printer.close()
    printer.check()
    assert capfd.readouterr() == ("", "")


def test_a_table_is_aligned_when_it_is_whole(capfd: Capture) -> None:
    printer = Formatted(Format(r"table {{.Message}}\t{{.Level}}", EVENTS))
    printer.events([event("日本語のログ行")])
    printer.events([event("a\tb\nc", level=None)])
    assert capfd.readouterr().out == ""
    printer.close()
    assert capfd.readouterr().out == "MESSAGE          LEVEL\n日本語のログ行   error\na\\tb\\nc          \n"


def test_an_empty_table_has_its_header(capfd: Capture) -> None:
    Formatted(Format("table", CONTAINERS)).close()
    assert (
        capfd.readouterr().out == "CONTAINER ID   NAMES     SERVICE   IMAGE     HOST      STATUS    LINES\n"
    )


def test_a_long_table_goes_on_in_blocks(capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli_format, "MAX_ROWS", 3)
    printer = Formatted(Format(r"table {{.Message}}\t{{.Level}}", EVENTS))
    printer.events([event("a"), event("b" * 20), event("c")])
    assert len(capfd.readouterr().out.splitlines()) == 3  # the header is one of them
    printer.close()
    assert capfd.readouterr().out == "c         error\n"
    monkeypatch.setattr(cli_format, "MAX_BYTES", 20)
    printer.events([event("x" * 20)])
    assert capfd.readouterr().out == f"{'x' * 20}   error\n"


def test_what_a_template_fails_on_is_left_out_and_said(capfd: Capture) -> None:
    printer = Formatted(Format("{{slice .Message 0 3}}", EVENTS))
    printer.events([event("abcd"), event("x"), event("y"), event("efgh")])
    out, err = capfd.readouterr()
    assert out == "abc\nefg\n"
    assert err.count("\n") == 1 and "error calling slice: index out of range: 3" in err
    with pytest.raises(CliError, match="left out because the template fails on them: 2") as caught:
        printer.check()
    assert caught.value.exit_code == 1


def test_too_long_a_text_costs_only_its_line(capfd: Capture) -> None:
    printer = Formatted(Format("{{.Level}} {{.Message}}", EVENTS))
    printer.events([event("x" * (5 << 20)), event("b")])
    out, err = capfd.readouterr()
    assert out == "error b\n"
    assert "4194304 bytes" in err


def test_on_a_terminal_senders_texts_are_escaped(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    for text, shown in [
        ('{{"\x1b[1m"}}{{.Message}}', "\x1b[1ma\\x1b[2J\n\tb\n"),
        ("table {{.Message}}", "MESSAGE\na\\x1b[2J\\n\\tb\n"),
    ]:
        printer = Formatted(Format(text, EVENTS))
        printer.events([event("a\x1b[2J\n\tb")])
        printer.close()
        assert capsys.readouterr().out == shown


def test_notes_are_said_once(capfd: Capture) -> None:
    printer = Formatted(Format("json", EVENTS))
    printer.note("a\x1b")
    printer.note("a\x1b")
    assert capfd.readouterr() == ("", "logdock: a\\x1b\n")


def test_the_default_tables_work() -> None:
    for kind, item in ((CONTAINERS, SAMPLE_CONTAINER), (EVENTS, SAMPLE_EVENT)):
        form = Format("table", kind)
        assert form.row(item, View()).count(b"\t") == TABLES[kind].count(r"\t") == form.header().count(b"\t")
