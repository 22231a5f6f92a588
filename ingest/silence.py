"""How a connection fell silent: the only sign of some clients that wait for an acknowledgement they lost."""


class Silence:
    """Looked at once in each of the gate's sweeps. `sweeps` in a row found that nothing came.

    `abrupt`: the last reads before it came together, so that two messages may have been on their way at once.
    One that came alone had its acknowledgement to itself.
    """

    def __init__(self) -> None:
        self.sweeps = 0
        self.abrupt = False
        self._reads = 0
        self._came = 0  # in the last sweep

    def look(self, reads: int, *, waiting: bool) -> None:
        """`reads` so far. Who is `waiting` for an answer that is owed is not silent."""
        before, self._came = self._came, reads - self._reads
        self._reads = reads
        if self._came:
            self.abrupt = self._came + before > 1  # a sweep may fall between two that belong together
        self.sweeps = 0 if self._came or waiting else self.sweeps + 1
