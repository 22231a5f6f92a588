"""scripts/capture.py still re-makes captures, and they are decoded whole, byte by byte and with a tail."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from parsers.forward import ForwardSplitter
from tests.real.dockerd import REPOSITORY, Dockerd

pytestmark = pytest.mark.docker

DOCKER_CASES = ("fwd-partial-40k", "gelf-udp-40k-none", "gelf-tcp-default")
CLIENT_CASES = ("client-fluent-logger", "client-graypy-udp", "client-pygelf-tcp")


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory, dockerd20: Dockerd) -> Path:  # noqa: ARG001
    """Re-made now. `dockerd20` is only asked for so that a machine without Docker skips."""
    out = tmp_path_factory.mktemp("wire")
    script = [sys.executable, str(REPOSITORY / "scripts" / "capture.py"), "--out", str(out)]
    done = subprocess.run(
        [*script, *DOCKER_CASES, *CLIENT_CASES], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.mark.parametrize("case", DOCKER_CASES + CLIENT_CASES)
def test_a_capture_says_what_was_printed_and_what_to_expect(captures: Path, case: str) -> None:
    sidecar = json.loads((captures / f"{case}.json").read_text())
    assert sidecar["expect"]["events"] == len(sidecar["expect"]["records"]) > 0
    assert any(captures.glob(f"{case}.*.bin")) or any(captures.glob(f"{case}.*.jsonl"))


@pytest.mark.parametrize("case", ["fwd-partial-40k", "client-fluent-logger"])
def test_a_new_forward_capture_is_decoded_however_it_is_cut(captures: Path, case: str) -> None:
    data = (captures / f"{case}.forward.bin").read_bytes()
    wanted = json.loads((captures / f"{case}.json").read_text())["expect"]["wire_messages"]
    assert split([data]) == (wanted, data)
    assert split(data[i : i + 1] for i in range(len(data))) == (wanted, data)
    assert split([data + b"\x94\xa1t"]) == (wanted, data)


def split(pieces: Iterable[bytes]) -> tuple[int, bytes]:
    """How many frames the pieces hold, and their bytes."""
    decoder = ForwardSplitter()
    fed = [frames for piece in pieces for frames in decoder.feed(piece)]
    return sum(frames.count for frames in fed), b"".join(frames.raw for frames in fed)
