"""What the doctor says: one finding, and how bad it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from api.doctor.codes import CODES
from api.doctor.document import Replacement


class Severity(StrEnum):
    """error: Docker refuses the file or the container. warning: lines are lost, or something does not do
    what it seems to. advice: works, with a price that should be known."""

    error = "error"
    warning = "warning"
    advice = "advice"


ERROR, WARNING, ADVICE = Severity.error, Severity.warning, Severity.advice
ORDER = {ERROR: 0, WARNING: 1, ADVICE: 2}


@dataclass(frozen=True)
class Finding:
    """`effect`: what happens in practice; `fix`: what to write. `edits` make the fix; none: a person decides.

    `path` are keys from the top of `file`; line and column count from 1.
    """

    code: str
    severity: Severity
    message: str
    effect: str
    fix: str
    path: tuple[str, ...] = ()
    line: int = 1
    column: int = 1
    edits: tuple[Replacement, ...] = ()
    file: str = ""

    def __post_init__(self) -> None:
        assert self.code in CODES, self.code

    @property
    def counts(self) -> bool:
        """It makes the exit code 1."""
        return self.severity is not ADVICE
