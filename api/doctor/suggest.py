"""Did you mean ...?"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_CLOSE = 0.75  # of difflib's ratio: one letter in four may differ


def meant(written: str, known: Iterable[str]) -> str | None:
    """The known name that `written` most likely stands for: blanks, case and _ for - are slips too."""
    names = list(known)
    cleaned = written.strip().lower().replace("_", "-")
    if cleaned in names:
        return cleaned
    bare = {name.replace("-", ""): name for name in names}
    if cleaned.replace("-", "") in bare:
        return bare[cleaned.replace("-", "")]
    found = get_close_matches(cleaned, names, n=1, cutoff=_CLOSE)
    return found[0] if found else None
