"""Which three letters in a row a row group of a sealed file has: what can be left unread for a question.

A bitmap of 2^18 bits a row group: all trigrams of its messages and parsed fields, in lower case. Bytes have
64 classes (letters, digits and most punctuation one each, all beyond ASCII one), so a trigram has a place of
its own and no hash. Trigrams across two messages are in too, which costs a look and no more.

A bitmap says no to a text when one of its ASCII trigrams is missing. Where folding makes ASCII letters of
others (the Kelvin sign, U+017F), and where JSON hides letters behind escapes, it says yes.

Measured on the lines of bench/corpus.py: 0.02 bytes and 0.6 us a line.
"""

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pyarrow as pa

from storage.expression import And, Expression, Field, Or, Regex, Text
from storage.literals import necessary
from storage.local.catalogue import Trigrams
from storage.local.text_sql import is_spelled

SEARCHED = ("message", "fields")  # the columns that `q` looks at

BYTES = 2**18 // 8
"""Of one bitmap: one for each line of a row group."""

Probe = Callable[[bytes], bool]
"""Whether a row group with this bitmap may have a match."""

_PIECE = 1 << 18  # bytes looked at together: what is made of them stays in the processor's cache
_CODEC = "zstd"
_WIDTHS = {pa.string(): "=i4", pa.large_string(): "=i8"}  # of offsets
_SHARED = b"!$&;?^`~"  # one class for all: there is no room for eight more
_FOLDED = tuple(letter.encode() for letter in ("\u212a", "\u017f"))
_EVERYTHING = b"\xff" * BYTES
_HIDING = ("\\u0", "\\u1", "\\u2")  # escapes of ASCII letters, and of those that are folded to them
_RUN = re.compile(r"[\x00-\x7f]{3,}")
_PLAIN_RUN = re.compile(r'[^\x00-\x1f"\\/\x7f-\U0010ffff]{3,}')  # what JSON writes as it is, escapes apart


def _classes() -> bytes:
    """The class of every byte: 0 beyond ASCII, 1 for control characters."""
    table = bytearray(256)
    table[:128] = b"\x01" * 128
    alone = bytes(byte for byte in range(32, 127) if not 65 <= byte <= 90 and byte not in _SHARED)
    for number, byte in enumerate(alone, 3):
        table[byte] = number
    for byte in _SHARED:
        table[byte] = 2
    for upper in range(65, 91):
        table[upper] = table[upper + 32]
    return bytes(table)


_CLASSES = _classes()


def bitmap(texts: Iterable[pa.Array]) -> bytes:
    """The trigrams of text columns: BYTES bytes."""
    seen = np.zeros(BYTES * 8, np.bool_)
    for column in texts:
        text = _bytes(column)
        if any(letter in text for letter in _FOLDED):
            return _EVERYTHING
        classes = np.frombuffer(text.translate(_CLASSES), np.uint8)
        for start in range(0, len(text), _PIECE):
            piece = classes[start : start + _PIECE + 2].astype(np.intp)
            seen[(piece[:-2] << 12) | (piece[1:-1] << 6) | piece[2:]] = True
    return np.packbits(seen, bitorder="little").tobytes()


def _bytes(column: pa.Array) -> bytes:
    """The text of all rows, one after the other."""
    if not len(column):
        return b""
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, _WIDTHS[column.type])[column.offset : column.offset + len(column) + 1]
    return data[int(ends[0]) : int(ends[-1])].to_pybytes() if data is not None else b""


def pack(bitmaps: Sequence[bytes]) -> bytes:
    """Bitmaps as they are kept: some hundred bytes each."""
    packed: bytes = pa.compress(b"".join(bitmaps), _CODEC, asbytes=True)
    return packed


def unpack(trigrams: Trigrams) -> list[bytes]:
    """The bitmaps again."""
    size = trigrams.groups * BYTES
    whole: bytes = pa.decompress(trigrams.packed, size, _CODEC, asbytes=True)
    return [whole[start : start + BYTES] for start in range(0, size, BYTES)]


def probe(expression: Expression | None) -> Probe | None:
    """Whether lines that match may be in a row group; None when its bitmap cannot tell."""
    match expression:
        case Text(value):
            return _has(_RUN.findall(value))
        case Regex(pattern):
            return probe(necessary(pattern))
        case Field():
            return _field(expression)
        case And(items):
            known = [found for item in items if (found := probe(item)) is not None]
            return (lambda bits: all(holds(bits) for holds in known)) if known else None
        case Or(items):
            wide = [found for item in items if (found := probe(item)) is not None]
            return (lambda bits: any(holds(bits) for holds in wide)) if len(wide) == len(items) else None
    return None  # a Not: what its item does not match is anywhere


def _field(field: Field) -> Probe | None:
    """Key and value stand in the JSON text, if not behind escapes or, numbers, in another spelling."""
    runs = _PLAIN_RUN.findall(field.path.rpartition(".")[2].lower())
    if is_spelled(field):
        runs += _PLAIN_RUN.findall(field.value)
    plain = _has(runs)
    if plain is None:
        return None
    hidden = [_has([escape]) for escape in _HIDING]
    return lambda bits: plain(bits) or any(holds is not None and holds(bits) for holds in hidden)


def _has(runs: Iterable[str]) -> Probe | None:
    """Whether all trigrams of these texts are there."""
    places = sorted({place for run in runs for place in _places(run)})
    if not places:
        return None
    tests = [(place >> 3, 1 << (place & 7)) for place in places]
    return lambda bits: all(bits[byte] & bit for byte, bit in tests)


def _places(run: str) -> Iterable[int]:
    classes = run.encode("ascii").translate(_CLASSES)
    return (a << 12 | b << 6 | c for a, b, c in zip(classes, classes[1:], classes[2:], strict=False))
