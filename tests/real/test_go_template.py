"""parsers.gotemplate against Go's own text/template: the same bytes, the same refusals, in the same words."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from parsers.go import runes, tables
from tests.parsers import common_templates
from tests.parsers.questions import OUR_LIMIT, Answer, Question, load, questions, readable
from tests.real.conftest import missing
from tests.real.oracle import LIMIT, VERSION, ask, build, go, version
from tests.real.oracle import tables as go_tables

PAIRS = 8000
SEED = 2026


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    command = go()
    if command is None:
        missing("Go")
    assert command is not None
    if version(command) < VERSION:
        missing(f"Go {VERSION[0]}.{VERSION[1]}; {version(command)} has another text/template")
    return build(command, tmp_path_factory.mktemp("oracle"))


def compared(oracle: Path, asked: list[Question]) -> Iterator[tuple[Question, Answer, Answer]]:
    """Go's answer and ours. What goes beyond a limit, which Go has not, is left out."""
    for question, theirs in zip(asked, ask(oracle, asked), strict=True):
        ours, theirs = question.answer(), readable(theirs)
        if OUR_LIMIT not in ours.text and LIMIT not in theirs.text:
            yield question, theirs, ours


def test_random_templates_give_the_same(oracle: Path) -> None:
    asked = questions(Random(SEED), PAIRS)
    found = list(compared(oracle, asked))
    assert len(found) > 0.995 * PAIRS, "too many go beyond a limit to say much"
    stages = [theirs.stage for _, theirs, _ in found]
    assert all(stages.count(stage) > PAIRS / 10 for stage in ("output", "parse", "execute"))
    assert [row for row in found if row[1] != row[2]] == []


def test_go_still_gives_what_the_common_templates_say(oracle: Path) -> None:
    rows = (*common_templates.GIVES, *common_templates.REFUSES)
    asked = [Question(text.encode(), common_templates.CONTAINER) for text, _ in rows]
    told = [readable(answer).text for answer in ask(oracle, asked)]
    assert told == [text.encode() if isinstance(text, str) else text for _, text in rows]


def test_go_still_gives_the_answers_in_the_file(oracle: Path) -> None:
    rows = load()
    told = ask(oracle, [question for question, _ in rows])
    assert told == [answer for _, answer in rows]


def test_unicode_is_gos(oracle: Path) -> None:
    told = go_tables(oracle)
    assert told["VERSION"] == "15.0.0"
    for name in ("LETTERS", "DIGITS", "PRINTABLE", "UPPER", "LOWER"):
        assert getattr(tables, name) == told[name], name
    beyond_ascii = {rune: to for rune, to in runes.TITLE.items() if rune >= 0x80 and rune != to}
    assert beyond_ascii == runes.mapping(told["TITLE"])


@pytest.mark.soak
def test_many_random_templates_give_the_same(oracle: Path) -> None:
    for seed in range(8):
        asked = questions(Random(1000 + seed), 25_000)
        assert [row for row in compared(oracle, asked) if row[1] != row[2]] == []
