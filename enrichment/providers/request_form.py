"""What a model accepts in a request, as far as its refusals have shown."""

from dataclasses import dataclass, replace
from typing import Any, Self

# A model can do without these: it has a default, or chooses by itself.
OPTIONAL = frozenset({"temperature", "tool_choice"})
NAMES_OF_TOKEN_LIMIT = ("max_tokens", "max_completion_tokens")
PARAMETERS_OF_MODES = frozenset({"response_format", "tools"})


@dataclass(frozen=True)
class RequestForm:
    """`modes` has the mode in use, and those to try when the model refuses it."""

    modes: tuple[str, ...]
    dropped: frozenset[str] = frozenset()
    token_limit: str = NAMES_OF_TOKEN_LIMIT[0]

    @property
    def mode(self) -> str:
        return self.modes[0]

    def without(self, parameter: str) -> Self | None:
        """Return the form to use when this parameter was refused, or None if there is none."""
        if parameter in PARAMETERS_OF_MODES and len(self.modes) > 1:
            return replace(self, modes=self.modes[1:])
        if parameter in OPTIONAL - self.dropped:
            return replace(self, dropped=self.dropped | {parameter})
        if parameter == self.token_limit != NAMES_OF_TOKEN_LIMIT[-1]:
            return replace(self, token_limit=NAMES_OF_TOKEN_LIMIT[-1])
        return None

    def apply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the request in this form."""
        return {
            self.token_limit if name == NAMES_OF_TOKEN_LIMIT[0] else name: value
            for name, value in request.items()
            if name not in self.dropped
        }
