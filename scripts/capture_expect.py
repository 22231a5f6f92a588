"""What a correct receiver must make of a capture: worked out from what was printed, not from the wire.

Only times, chunk ids and the sender's host name are taken from the wire; all else must agree with it.
"""

import base64
import gzip
import hashlib
import json
import zlib
from typing import Any

import msgpack

from scripts.capture_cases import Case
from scripts.capture_sink import Sink

LONG_TEXT = 6_000  # bytes; longer texts stand in the sidecar as length, sha256 and both ends
PIECE = 16_384  # bytes; Docker's copier cuts lines here

Json = Any


def printed_lines(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def expected_records(case: Case, container: dict[str, Any]) -> list[dict[str, Any]]:
    """In the order of stdout, then stderr: that of the streams to each other is Docker's affair."""
    make = forward_record if case.kind == "forward" else gelf_record
    return [
        make(case, container, stream, line)
        for stream, data in (("stdout", case.out), ("stderr", case.err))
        for line in sent_lines(case, data)
    ]


def sent_lines(case: Case, data: bytes) -> list[bytes]:
    lines = printed_lines(data)
    if case.kind == "forward":
        return lines
    pieces = [line[i : i + PIECE] for line in lines for i in range(0, max(len(line), 1), PIECE)]
    return [piece for piece in pieces if piece]


def forward_record(case: Case, container: dict[str, Any], stream: str, line: bytes) -> dict[str, Any]:
    record: dict[str, Any] = {
        "container_id": container["Id"], "container_name": container["Name"], "source": stream, "log": line,
    }  # fmt: skip
    return {"tag": tag_of(case, container), "record": {**record, **case.extra}}


def gelf_record(case: Case, container: dict[str, Any], stream: str, line: bytes) -> dict[str, Any]:
    command = [container["Path"], *container["Args"]]
    return {
        "version": "1.1",
        "short_message": line.decode("utf-8", "replace") if case.loses != "utf8" else go_text(line),
        "level": 6 if stream == "stdout" else 3,
        "_command": " ".join(command),
        "_container_id": container["Id"],
        "_container_name": container["Name"].lstrip("/"),
        "_created": container["Created"],
        "_image_id": container["Image"],
        "_image_name": container["Config"]["Image"],
        "_tag": tag_of(case, container),
        **case.extra,
    }


def go_text(line: bytes) -> str:
    """Go's JSON encoder replaces each bad byte by one U+FFFD, Python's decoder a bad sequence by one."""
    out = ""
    while line:
        try:
            return out + line.decode()
        except UnicodeDecodeError as bad:
            out += line[: bad.start].decode() + "\ufffd"
            line = line[bad.start + 1 :]
    return out


def tag_of(case: Case, container: dict[str, Any]) -> str:
    return case.tag.format(id=container["Id"], id12=container["Id"][:12], name=container["Name"].lstrip("/"))


# The wire, read by other means than the project's own decoders.


def wire_messages(sink: Sink) -> list[Any]:
    if sink.kind == "forward":
        return [message for c in sink.connections for message in unpacked(bytes(c.data))]
    if sink.kind == "gelf-tcp":
        return [json.loads(part) for c in sink.connections for part in bytes(c.data).split(b"\0") if part]
    return [json.loads(payload) for payload in joined_datagrams([data for _, _, data in sink.datagrams])]


def unpacked(data: bytes) -> list[Any]:
    unpacker = msgpack.Unpacker(raw=True, strict_map_key=False)
    unpacker.feed(data)
    return list(unpacker)


def joined_datagrams(datagrams: list[bytes]) -> list[bytes]:
    payloads: list[bytes] = []
    waiting: dict[bytes, dict[int, bytes]] = {}
    for data in datagrams:
        if data[:2] != b"\x1e\x0f":
            payloads.append(inflated(data))
            continue
        parts = waiting.setdefault(data[2:10], {})
        parts[data[10]] = data[12:]
        if len(parts) == data[11]:
            payloads.append(inflated(b"".join(parts[i] for i in range(data[11]))))
    return payloads


def inflated(data: bytes) -> bytes:
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    return zlib.decompress(data) if data[:1] == b"\x78" else data


def joined_records(messages: list[Any]) -> list[dict[str, Any]]:
    """Forward messages as records with their time, Docker's parts put together in order of arrival."""
    records: list[dict[str, Any]] = []
    open_parts: dict[bytes, dict[str, Any]] = {}
    for tag, time, body, _ in messages:
        part = body.get(b"partial_id")
        if part in open_parts:
            open_parts[part]["record"]["log"] += body[b"log"]
            continue
        kept = {key.decode(): value for key, value in body.items() if part is None or key not in PARTIAL}
        record = {"tag": text(tag), "time": time_of(time), "record": kept}
        records.append(record)
        if part is not None:
            open_parts[part] = record
    return records


PARTIAL = {b"partial_message", b"partial_id", b"partial_ordinal", b"partial_last"}


def time_of(time: Any) -> Json:
    if isinstance(time, msgpack.ExtType):
        seconds, nanoseconds = int.from_bytes(time.data[:4], "big"), int.from_bytes(time.data[4:], "big")
        return {"sec": seconds, "nsec": nanoseconds}
    return time


# How values stand in a sidecar.


def text(value: Any) -> Any:
    """str as itself, bytes as str when they are UTF-8, long ones by length and digest."""
    if not isinstance(value, bytes | str):
        return value
    raw = value.encode() if isinstance(value, str) else value
    if len(raw) > LONG_TEXT:
        digest = hashlib.sha256(raw).hexdigest()
        ends = {"head": raw[:40].decode("utf-8", "ignore"), "tail": raw[-40:].decode("utf-8", "ignore")}
        return {"bytes": len(raw), "sha256": digest, **ends}
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(raw).decode()}


def readable(value: Any) -> Json:
    if isinstance(value, dict):
        return {text(key) if isinstance(key, bytes) else key: readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [readable(item) for item in value]
    if isinstance(value, msgpack.ExtType):
        return time_of(value)
    return text(value)
