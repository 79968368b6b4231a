"""The result of one check of the doctor."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found.

    Advice means that something has to be fixed, or, in a warning, to be looked at: LiteVault works, but something may
    become a problem, or is a matter of the provider or of a budget.
    """

    subject: str
    detail: str
    advice: str = ""
    is_warning: bool = False

    @property
    def level(self) -> Level:
        if not self.advice:
            return Level.OK
        return Level.WARNING if self.is_warning else Level.FAILED

    @property
    def is_ok(self) -> bool:
        return self.level == Level.OK
