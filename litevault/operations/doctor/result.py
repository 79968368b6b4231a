"""The result of one check of the doctor."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found. Advice means that something has to be fixed."""

    subject: str
    detail: str
    advice: str = ""

    @property
    def is_ok(self) -> bool:
        return not self.advice
