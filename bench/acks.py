"""How long one acknowledgement takes: a sender that waits for each, alone and among eight, beside an echo.

    python bench/acks.py [frames] [runs]      default 20,000 a sender and 3

Raw sockets, a process a sender, Docker's frames of about 400 bytes. The echo is a loop over epoll that sends
back as many bytes as an acknowledgement has: what the kernel, the two cores and the client themselves take.
A container with fluentd-request-ack prints one line in the time of one acknowledgement, and what it still had
to say when it exited must fit into the ten seconds that dockerd then gives it.
"""

import multiprocessing
import select
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import rig

FRAMES, RUNS = 20_000, 3
SENDERS = 8
MOST_MS = 0.5  # the median, with --sync interval
ACK_HEAD = b"\x81\xa3ack\xb8"  # {"ack": chunk}, a chunk of 24 characters as Docker's are
ACK_BYTES = len(ACK_HEAD) + 24
CONTEXT = multiprocessing.get_context("fork")


def latencies(address: tuple[str, int], frames: Sequence[bytes], *, echo: bool) -> list[float]:
    """Milliseconds from each write to its whole answer. Raises when the answer is another one's."""
    took = []
    with socket.create_connection(address) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for frame in frames:
            begun = time.perf_counter()
            peer.sendall(frame)
            answer = peer.recv(ACK_BYTES, socket.MSG_WAITALL)
            took.append((time.perf_counter() - begun) * 1e3)
            if not echo and answer != ACK_HEAD + frame[-24:]:
                raise SystemExit(f"not the ack of {frame[-24:]!r}: {answer!r}")
    return took


def at_once(address: tuple[str, int], streams: Sequence[Sequence[bytes]], *, echo: bool) -> list[float]:
    """The latencies of all senders, each a process, sorted."""
    with CONTEXT.Pool(len(streams)) as pool:
        jobs = [pool.apply_async(latencies, (address, frames), {"echo": echo}) for frames in streams]
        return sorted(took for job in jobs for took in job.get())


@contextmanager
def bare_echo() -> Iterator[tuple[str, int]]:
    """A process that answers each read with ACK_BYTES of it."""
    listener = socket.create_server(("127.0.0.1", 0))
    process = CONTEXT.Process(target=answer_all, args=(listener,), daemon=True)
    process.start()
    try:
        yield listener.getsockname()
    finally:
        process.kill()
        process.join()
        listener.close()


def answer_all(listener: socket.socket) -> None:
    poll, peers = select.epoll(), {}
    poll.register(listener, select.EPOLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == listener.fileno():
                peer, _ = listener.accept()
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                poll.register(peer, select.EPOLLIN)
                peers[peer.fileno()] = peer
            elif data := peers[descriptor].recv(1 << 16):
                peers[descriptor].send(data[-ACK_BYTES:])
            else:
                peers.pop(descriptor).close()


def rows(frames: int = FRAMES, runs: int = RUNS) -> Iterator[rig.Row]:
    """Measure, row by row."""
    files = rig.frames(frames * SENDERS, acks=True)
    streams = [list(rig.split(file.read_bytes()))[:frames] for file in files]
    for senders in (1, SENDERS):
        some = streams[:senders]
        who = "one sender" if senders == 1 else f"{senders} senders at once"
        with bare_echo() as address:
            yield figures(f"bare echo, {who}", [at_once(address, some, echo=True) for _ in range(runs)], None)
        for sync, limit in (("interval", MOST_MS), ("always", None)):
            measured = [acknowledged(sync, some) for _ in range(runs)]
            yield figures(f"ack, --sync {sync}, {who}", measured, limit)


def acknowledged(sync: str, streams: Sequence[Sequence[bytes]]) -> list[float]:
    """With everything behind the acknowledgement at work."""
    with rig.logdock(f"--sync={sync}") as server:
        host, _, port = server.forward.rpartition(":")
        return at_once((host, int(port)), streams, echo=False)


def figures(what: str, runs: Sequence[list[float]], limit: float | None) -> rig.Row:
    """The median, with p90 and p99 of the run in the middle."""
    run = sorted(runs, key=middle)[len(runs) // 2]
    p90, p99 = (run[len(run) * share // 100] for share in (90, 99))
    text = f"{what}: median {rig.spread([middle(one) for one in runs], 3)}, p90 {p90:.3f}, p99 {p99:.3f}"
    return (
        rig.Row(text, f"{middle(run):.3f} ms")
        if limit is None
        else rig.at_most(text, middle(run), limit, "ms", 3)
    )


def middle(run: list[float]) -> float:
    return run[len(run) // 2]


def main() -> None:
    numbers = [int(text) for text in sys.argv[1:]]
    rig.show(f"{Path(__file__).stem}: {numbers or (FRAMES, RUNS)}", list(rows(*numbers)))


if __name__ == "__main__":
    main()
