"""What the HTTP inputs make of a body: the records in it, each as msgpack, or a refusal that says why.

Memory is bounded before anything is built: JSON by a count of what could be a value, msgpack by not building
it at all.
"""

import io
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qs

import msgpack
from fastapi import HTTPException

from parsers.boundaries import ARRAYS, BROKEN, MAPS, head, new_unpacker
from parsers.jsontext import loads
from parsers.record import NANOSECONDS

# Objects, arrays and their elements in one body. In memory each takes some 60 to 130 bytes, whatever few it
# has in the body: 32 MiB of "{}," were a gigabyte. Log lines have one in 40 bytes.
MAX_VALUES = 1_000_000
MAX_FORM_FIELDS = 1000  # one of them is read
BYTES_TOO = "surrogateescape"  # a line that is no UTF-8 arrives as it was sent
SECONDS_MAX = 2**32 - 1  # EventTime holds unsigned 32-bit seconds


class Refusal(HTTPException):
    """A request that is refused; `reason` is for the counters, `parameter` names what to change."""

    def __init__(
        self,
        status: int,
        reason: str,
        text: str,
        headers: dict[str, str] | None = None,
        parameter: str = "body",
    ) -> None:
        super().__init__(status, text, headers)
        self.reason = reason
        self.parameter = None if status == 503 else parameter


def from_form(body: bytes) -> list[bytes]:
    # latin-1 there and back: percent-encoded msgpack is no UTF-8
    try:
        form = parse_qs(
            body.decode("latin-1"), encoding="latin-1", keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS
        )
    except ValueError:
        raise Refusal(400, "malformed", f"form: more than {MAX_FORM_FIELDS} fields") from None
    if "json" in form:
        return from_json(form["json"][0].encode("latin-1"))
    if "msgpack" in form:
        return from_msgpack(form["msgpack"][0].encode("latin-1"))
    raise Refusal(400, "malformed", "form: needs a field named json or msgpack")


def from_lines(body: bytes) -> list[bytes]:
    if body.count(b"\n") > MAX_VALUES:
        raise _too_many()
    return [record for line in io.BytesIO(body) if line.strip() for record in from_json(line)]


def from_json(body: bytes) -> list[bytes]:
    check_values(body)
    try:
        value = loads(body)
    except ValueError as problem:
        raise Refusal(400, "malformed", f"body is not JSON: {problem}") from None
    records = value if isinstance(value, list) else [value]
    if not all(isinstance(record, dict) for record in records):
        raise _no_object()
    try:
        return [msgpack.packb(record, unicode_errors=BYTES_TOO) for record in records]
    except (OverflowError, ValueError) as problem:
        text = f"body: a value does not fit the forward protocol: {problem}"
        raise Refusal(400, "malformed", text) from None


def check_values(text: bytes) -> None:
    """Raises Refusal when building the JSON text could take too much memory.

    Commas and braces in strings count too: looking closer would cost more than reading it.
    """
    if text.count(b",") + text.count(b"{") + text.count(b"[") > MAX_VALUES:
        raise _too_many()


def from_msgpack(body: bytes) -> list[bytes]:
    """Found, not built: what a sender packed goes into the journal as it is."""
    is_array = body[:1] != b"" and body[0] in ARRAYS
    try:
        count, start = head(body) if is_array else (1, 0)
        if count > MAX_VALUES:
            raise _too_many()
        edges = _edges(body, start, count)
    except msgpack.OutOfData:
        raise Refusal(400, "malformed", "body is not msgpack: it is cut off") from None
    except BROKEN as problem:  # some, as for nesting, have no text
        text = f"body is not msgpack: {problem or type(problem).__name__}"
        raise Refusal(400, "malformed", text) from None
    if edges[-1] != len(body):
        raise Refusal(400, "malformed", "body is not msgpack: something follows it, or its head is cut off")
    if not all(body[at] in MAPS for at in edges[:-1]):
        raise _no_object()
    return [body[edges[at] : edges[at + 1]] for at in range(count)]


def _edges(body: bytes, start: int, count: int) -> list[int]:
    """Where `count` values begin, and where the last one ends."""
    unpacker = new_unpacker()
    unpacker.feed(memoryview(body)[start:])
    edges = [start]
    for _ in range(count):
        unpacker.skip()
        edges.append(start + unpacker.tell())
    return edges


def _too_many() -> Refusal:
    return Refusal(413, "too_many_values", f"body: more than {MAX_VALUES} values: send it in parts")


def _no_object() -> Refusal:
    text = "body: a record must be an object; send one object or an array of objects"
    return Refusal(400, "malformed", text)


def event_time(text: str | None) -> bytes:
    """?time= as packed EventTime: Unix seconds with a fraction, exactly as written; 0 for nothing."""
    if not text:
        return b"\0"
    try:
        time = Decimal(text)
    except InvalidOperation:
        time = Decimal(-1)
    if not (time.is_finite() and 0 <= time <= SECONDS_MAX):
        raise Refusal(
            400, "malformed", "time: must be Unix seconds, such as 1700000000.123", parameter="time"
        )
    seconds, rest = divmod(int(time * NANOSECONDS), NANOSECONDS)
    return b"\xd7\0" + seconds.to_bytes(4, "big") + rest.to_bytes(4, "big")  # fixext 8 of type 0


def forward_frame(tag: str, time: bytes, records: list[bytes]) -> bytes:
    """[tag, [[time, record], ...]]."""
    packer = msgpack.Packer(autoreset=False, unicode_errors=BYTES_TOO)
    packer.pack_array_header(2)
    packer.pack(tag)
    packer.pack_array_header(len(records))
    entry = b"\x92" + time
    return bytes(packer.bytes()) + b"".join(part for record in records for part in (entry, record))
