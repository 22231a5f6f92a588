"""Did you mean ...?"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache

_CLOSE = 0.75  # of difflib's ratio: one letter in four may differ


def meant(written: str, known: Iterable[str]) -> str | None:
    """The known name that `written` most likely stands for: blanks, case and _ for - are slips too."""
    return _meant(written, tuple(known))


@lru_cache(maxsize=4096)  # a correction asks for the same names again in each of its rounds
def _meant(written: str, names: tuple[str, ...]) -> str | None:
    cleaned = written.strip().lower().replace("_", "-")
    if cleaned in names:
        return cleaned
    bare = {name.replace("-", ""): name for name in names}
    if cleaned.replace("-", "") in bare:
        return bare[cleaned.replace("-", "")]
    found = get_close_matches(cleaned, names, n=1, cutoff=_CLOSE)
    return found[0] if found else None
