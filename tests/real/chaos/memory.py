"""How much memory a process holds, looked at twice a second."""

import contextlib
import threading
from pathlib import Path

LOOK_SECONDS = 0.5


class Memory(threading.Thread):
    """`most` and `peak` in bytes: the highest VmRSS that was seen, and the kernel's own VmHWM."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True, name="memory")
        self.most = self.peak = 0
        self._path = Path(f"/proc/{pid}/status")
        self._ending = threading.Event()
        self.start()

    def run(self) -> None:
        while not self._ending.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        with contextlib.suppress(OSError):
            lines = dict(line.split(":", 1) for line in self._path.read_text().splitlines())
            self.most = max(self.most, 1024 * int(lines["VmRSS"].split()[0]))
            self.peak = 1024 * int(lines["VmHWM"].split()[0])

    def end(self) -> None:
        self.look()
        self._ending.set()
        self.join()
