"""Whether Elasticsearch takes events just now, and log lines that say each thing once, not each time."""

import logging
import re
import time

log = logging.getLogger("logdock.storage")

REPEAT_SECONDS = 600.0  # before a reason is logged again, with how often it came meanwhile
MAX_KINDS = 1000  # kinds of reasons that are told apart; more are one

# What differs between two documents that were refused for one reason: places, ids, values, numbers.
_PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\[\d+:\d+\]|\d+")
_KIND_CHARACTERS = 160


class Health:
    """One log line for every distinct change."""

    def __init__(self) -> None:
        self.available = True
        self.last_error: str | None = None
        self._since = 0.0

    @property
    def bad_for(self) -> float:
        """Seconds since it last took events, 0 while it does."""
        return 0.0 if self.available else time.monotonic() - self._since

    def bad(self, why: str) -> None:
        """It takes no events."""
        if self.available or kind(why) != kind(self.last_error or ""):
            log.warning("Elasticsearch takes no events, will try again: %s", why)
        if self.available:
            self._since = time.monotonic()
        self.available, self.last_error = False, why

    def good(self) -> None:
        """It takes events."""
        if not self.available:
            log.info("Elasticsearch takes events again")
        self.available = True


class Reporter:
    """Logs a reason the first time, and then at most every REPEAT_SECONDS with a count."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[float, int]] = {}  # when it was logged, and how often it came since

    def report(self, what: str, why: str) -> None:
        """`what` happened because of `why`."""
        name = f"{what}: {kind(why)}"
        if name not in self._kinds and len(self._kinds) >= MAX_KINDS:
            name = what
        now = time.monotonic()
        logged, more = self._kinds.get(name, (float("-inf"), 0))
        if now - logged < REPEAT_SECONDS:
            self._kinds[name] = (logged, more + 1)
            return
        self._kinds[name] = (now, 0)
        again = f" (and {more} times more since it was last told)" if more else ""
        log.warning("%s: %s%s", what, why, again)


def kind(why: str) -> str:
    """A reason without what is only about one document."""
    return _PARTICULAR.sub("#", why.partition(" in document with id")[0])[:_KIND_CHARACTERS]
