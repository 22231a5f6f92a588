"""A bitmap never says no to a text that is there."""

import random

import orjson
import pyarrow as pa
import pytest

from parsers.event import Event
from storage.expression import And, Expression, Field, Not, Or, Regex, Text, evaluate
from storage.folding import fold
from storage.local.catalogue import Trigrams
from storage.local.trigrams import BYTES, bitmap, pack, probe, unpack
from tests.storage.factories import event

LETTERS = 'aAbB kK\u212asS\u017fé\u0130iI1.\\"/\t\x7f{:-_!'
KIND = pa.string()
SEEDS = 20
ROUNDS = 200


def column(*texts: str | None, kind: pa.DataType = KIND) -> pa.Array:
    return pa.array(texts, kind)


def bits(made: Event) -> bytes:
    """As files.py has them of one row."""
    fields = None if made.json_line or made.fields is None else orjson.dumps(made.fields).decode()
    return bitmap([column(made.message), column(fields)])


def may_match(expression: Expression, bits: bytes) -> bool:
    holds = probe(expression)
    return holds is None or holds(bits)


def random_event(dice: random.Random) -> Event:
    text = "".join(dice.choices(LETTERS, k=dice.randrange(12)))
    if dice.random() < 0.5:
        return event(message=text)
    fields = {"k" + text[:3]: text, "n": {"deep": [dice.randrange(1000), True]}}
    line = orjson.dumps(fields).decode()
    if dice.random() < 0.3:
        line = line.replace("a", "\\u0061").replace("k", "\\u212a" if dice.random() < 0.5 else "\\u006B")
        fields = orjson.loads(line)
    is_line = dice.random() < 0.5
    return event(message=line if is_line else "", fields=fields, json_line=is_line)


def random_expression(dice: random.Random, made: Event, depth: int = 2) -> Expression:
    """Often true of the event."""
    text = made.message if dice.random() < 0.7 else "".join(dice.choices(LETTERS, k=5))
    start = dice.randrange(len(text) + 1)
    part = fold(text[start : start + dice.randrange(1, 9)]) or "x"
    kind = dice.randrange(6 if depth else 3)
    if kind == 0:
        return Text(part)
    if kind == 1:
        return Regex("".join(f"\\x{{{ord(c):x}}}" if dice.random() < 0.2 else quoted(c) for c in part))
    if kind == 2:
        paths = [*(made.fields or {"none": 1}), "n.deep"]
        values = [fold(str(value)) for value in (made.fields or {"none": part}).values()]
        value = dice.choice(values)
        return Field(dice.choice(paths), *(("=", value) if dice.random() < 0.5 else ("prefix", value[:4])))
    if kind == 3:
        return Not(random_expression(dice, made, depth - 1))
    both = (random_expression(dice, made, depth - 1), random_expression(dice, made, depth - 1))
    return And(both) if kind == 4 else Or(both)


def quoted(letter: str) -> str:
    return "\\" + letter if letter.isascii() and not letter.isalnum() and letter.isprintable() else letter


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_matches_is_never_refused(seed: int) -> None:
    dice = random.Random(seed)
    true = refused = 0
    for _ in range(ROUNDS):
        made = random_event(dice)
        expression = random_expression(dice, made)
        holds, may = evaluate(expression, made), may_match(expression, bits(made))
        assert may or not holds, (expression, made)
        true += holds
        refused += not may
    assert true > ROUNDS / 5
    assert refused > ROUNDS / 50


@pytest.mark.parametrize(
    "expression",
    [
        Text("zebra"),
        Text("reset by beer"),
        Regex("zebra|gnu [0-9]+ ate"),
        Regex("peer.*zebra"),
        Field("trace_id", "=", "zebra"),
        Field("zebra", ">", "5"),
        And((Text("peer"), Text("zebra"))),
        Or((Text("zebra"), Text("giraffe"))),
    ],
)
def test_what_is_not_there_is_refused(expression: Expression) -> None:
    text = column("Connection reset by PEER", '{"trace_id":"abc"}')
    assert not may_match(expression, bitmap([text]))


@pytest.mark.parametrize(
    "expression",
    [
        Text("pe"),
        Text("\u65e5\u672c\u8a9e"),
        Regex("[0-9]+z"),
        Not(Text("peer")),
        Or((Text("zebra"), Text("q"))),
        Field("n", "=", "1"),
    ],
)
def test_some_questions_have_nothing_to_look_for(expression: Expression) -> None:
    assert probe(expression) is None


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
def test_every_letter_of_every_row_counts(kind: pa.DataType) -> None:
    """Rows that are no text, slices of a column, and texts longer than what is looked at together."""
    long = "x" * ((1 << 18) - 1) + "needle" + "y" * 1000
    column_of_many = column("first", None, long, "", "last", kind=kind)
    for texts in (column_of_many, column_of_many.slice(1, 3)):
        assert may_match(Text("needle"), bitmap([texts]))
    assert not may_match(Text("first"), bitmap([column_of_many.slice(1)]))
    assert not may_match(Text("last"), bitmap([column_of_many.slice(0, 4)]))
    assert bitmap([column()]) == bytes(BYTES)


def test_letters_that_fold_to_ascii_make_it_say_yes() -> None:
    assert may_match(Text("zebra"), bitmap([column("\u212aelvin")]))
    assert may_match(Text("zebra"), bitmap([column("long \u017f")]))


def test_packed_and_unpacked() -> None:
    maps = [bitmap([column(text)]) for text in ("one", "two words", "")]
    packed = pack(maps)
    assert unpack(Trigrams(10, 3, packed)) == maps
    assert len(packed) < 200
