#!/usr/bin/env python3
"""Re-make the wire captures in tests/wire from real senders: real dockerd, fluent-logger, pygelf and graypy.

  .venv/bin/python scripts/capture.py [--out FOLDER] [CASE...]

Each case becomes NAME.forward.bin, NAME.gelf-tcp.bin or NAME.gelf-udp.jsonl and NAME.json, which says what
was printed and what a receiver must make of it. A capture that does not agree with what was printed is an
error, apart from what Docker itself is known to lose.
"""

import argparse
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

import graypy  # noqa: E402
import msgpack  # noqa: E402
import pygelf  # noqa: E402
from fluent import sender as fluent_sender  # noqa: E402

from scripts import capture_expect as expect  # noqa: E402
from scripts.capture_cases import CASES, Case  # noqa: E402
from scripts.capture_sink import Sink  # noqa: E402
from tests.real.dockerd import Dockerd  # noqa: E402

QUIET = 0.4  # seconds without a byte after which a sender that has ended has nothing more under way
CLIENTS = ("client-fluent-logger", "client-pygelf-udp", "client-pygelf-tcp", "client-graypy-udp")
CLIENT_LINES = ["client one", "클라이언트 둘", "x" * 3_000]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=REPOSITORY / "tests" / "wire")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    wanted = set(args.cases) or {case.name for case in CASES} | set(CLIENTS)
    with tempfile.TemporaryDirectory(prefix="cap") as folder:
        problems = capture_docker(wanted, Path(folder), args.out)
    for name in CLIENTS:
        if name in wanted:
            capture_client(name, args.out)
    print("\n".join(problems) or "every capture agrees with what was printed")
    return 1 if problems else 0


def capture_docker(wanted: set[str], folder: Path, out: Path) -> list[str]:
    problems = []
    for version in ("20.10", "26.1"):
        cases = [case for case in CASES if case.name in wanted and case.version == version]
        if not cases:
            continue
        daemon = Dockerd(version, folder / version)
        try:
            daemon.start()
            for case in cases:
                problems += capture(daemon, case, folder, out)
                print(f"{case.name}: done", flush=True)
        finally:
            daemon.stop()
    return problems


def capture(daemon: Dockerd, case: Case, folder: Path, out: Path) -> list[str]:
    """Run one case's container against a sink, check and write it; [] or what does not agree."""
    (folder / "out").write_bytes(case.out)
    (folder / "err").write_bytes(case.err)
    unix = folder / "sink" if case.unix else None
    with Sink(case.kind, unix) as sink:
        arguments = docker_arguments(case, sink, folder)
        daemon.docker("run", *arguments)
        sink.wait_quiet(QUIET)
        container = daemon.inspect(case.name)
    daemon.docker("rm", case.name)
    for path in sink.write(out, case.name):
        assert path.exists()
    sidecar, problems = describe(daemon, case, sink, container)
    sidecar["docker"] = ["run", *[argument.replace(str(folder), "/host") for argument in arguments]]
    write_sidecar(out, case.name, sidecar)
    return problems


def docker_arguments(case: Case, sink: Sink, folder: Path) -> list[str]:
    driver, protocol = driver_of(case)
    address = f"{protocol}://{sink.address}"
    opts = {f"{driver}-address": address, **case.opts}
    args = ["--network", "none", "--name", case.name, "-v", f"{folder}:/w:ro", "--log-driver", driver]
    for flag, pairs in (("--log-opt", opts), ("--label", case.labels), ("--env", case.env)):
        for key, value in pairs.items():
            args += [flag, f"{key}={value}"]
    return [*args, "busybox:1", "sh", "-c", case.script]


def driver_of(case: Case) -> tuple[str, str]:
    if case.kind == "forward":
        return "fluentd", "unix" if case.unix else "tcp"
    return "gelf", case.kind.removeprefix("gelf-")


def describe(
    daemon: Dockerd, case: Case, sink: Sink, container: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    messages = expect.wire_messages(sink)
    if case.kind == "forward":
        records = expect.joined_records(messages)
        printed = [{k: v for k, v in record.items() if k != "time"} for record in records]
    else:
        records = messages
        printed = [{k: v for k, v in m.items() if k not in ("host", "timestamp")} for m in messages]
    wanted = expect.expected_records(case, container)
    problems = [] if same(printed, wanted) else [f"{case.name}: the wire and what was printed differ"]
    driver, transport = driver_of(case)
    sidecar = {
        "case": case.name, "daemon": daemon.version, "driver": driver, "transport": transport,
        "log_opts": case.opts, "containers": [container_facts(container)],
        "printed": {"stdout": expect.text(case.out), "stderr": expect.text(case.err)},
        "notes": case.note, "lost_in_docker": case.loses,
        "expect": expectations(case, messages, records),
    }  # fmt: skip
    return sidecar, problems


def same(found: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    """Equal but for the order of the two streams to each other."""

    def by_stream(records: list[dict[str, Any]]) -> dict[str, list[str]]:
        kept: dict[str, list[str]] = {}
        for record in records:
            readable = expect.readable(record)
            stream = readable.get("level") or readable["record"]["source"]
            kept.setdefault(str(stream), []).append(json.dumps(readable, sort_keys=True))
        return kept

    return by_stream(found) == by_stream(wanted)


def expectations(case: Case, messages: list[Any], records: list[dict[str, Any]]) -> dict[str, Any]:
    found = {"events": len(records), "wire_messages": len(messages), "records": expect.readable(records)}
    if case.kind != "forward":
        return found
    if len(records) != len(messages):
        found["wire"] = expect.readable(messages)
    chunks = [message[3][b"chunk"] for message in messages if message[3] and b"chunk" in message[3]]
    if chunks:
        found["acks"] = [chunk.decode() for chunk in chunks]
        packed = [msgpack.packb({b"ack": chunk}, use_bin_type=False) for chunk in chunks]
        found["ack_bytes_hex"] = [ack.hex() for ack in packed]
    return found


def container_facts(container: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": container["Id"], "name": container["Name"], "image": container["Config"]["Image"],
        "image_id": container["Image"], "created": container["Created"],
        "labels": container["Config"]["Labels"] or {},
    }  # fmt: skip


def capture_client(name: str, out: Path) -> None:
    """A client library's own bytes. What it was given is the expectation; its extras are in `records`."""
    kind = {"client-fluent-logger": "forward", "client-pygelf-tcp": "gelf-tcp"}.get(name, "gelf-udp")
    with Sink(kind) as sink:
        send_with(name, int(sink.address.rpartition(":")[2]))
        sink.wait_quiet(QUIET)
    sink.write(out, name)
    messages = expect.wire_messages(sink)
    assert [sent_text(message) for message in messages] == CLIENT_LINES, name
    records = messages
    if kind == "forward":
        records = [{"tag": m[0].decode(), "time": expect.time_of(m[1]), "record": m[2]} for m in messages]
    sidecar = {
        "case": name, "daemon": "", "driver": name.split("-", 2)[1], "transport": kind.rpartition("-")[2],
        "log_opts": {}, "containers": [], "printed": {"stdout": "", "stderr": ""}, "sent": CLIENT_LINES,
        "notes": "", "lost_in_docker": "",
        "expect": {
            "events": len(messages), "wire_messages": len(messages), "records": expect.readable(records),
        },
    }  # fmt: skip
    write_sidecar(out, name, sidecar)
    print(f"{name}: done", flush=True)


def send_with(name: str, port: int) -> None:
    if name == "client-fluent-logger":
        sender = fluent_sender.FluentSender("app", host="127.0.0.1", port=port, nanosecond_precision=True)
        for line in CLIENT_LINES:
            assert sender.emit(
                "lines", {"message": line, "number": 1, "ok": True, "nested": {"a": [None, 1.5]}}
            )
        sender.close()
        return
    handler: logging.Handler = {
        "client-pygelf-udp": lambda: pygelf.GelfUdpHandler("127.0.0.1", port, chunk_size=300, _app="test"),
        "client-pygelf-tcp": lambda: pygelf.GelfTcpHandler("127.0.0.1", port, _app="test"),
        "client-graypy-udp": lambda: graypy.GELFUDPHandler(
            "127.0.0.1", port, debugging_fields=False, gelf_chunker=graypy.handler.GELFWarningChunker(300)
        ),
    }[name]()
    logger = logging.Logger("capture")  # outside the tree: nothing else hears it
    logger.addHandler(handler)
    for line in CLIENT_LINES:
        logger.warning(line)
    handler.close()


def sent_text(message: Any) -> str:
    if isinstance(message, dict):
        return str(message["short_message"])
    return str(message[2][b"message"].decode())


def write_sidecar(out: Path, name: str, sidecar: dict[str, Any]) -> None:
    (out / f"{name}.json").write_text(json.dumps(sidecar, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
