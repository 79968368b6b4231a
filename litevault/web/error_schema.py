"""The shape of errors, and an example of each, for the OpenAPI document."""

from typing import Any, cast

from rest_framework.exceptions import ErrorDetail, ValidationError

from litevault.web.errors import KNOWN, Problem, problem_of

REQUEST_ID = "req-9f1c2ab34d5e6f70"
# The codes that all operations share, and those of single operations.
CODES = sorted(
    {
        *(code for code, _ in KNOWN.values()),
        "VALIDATION_ERROR",
        "INVALID_STATE_TRANSITION",
        "DUPLICATE_REQUEST",
        "STALE",
        "IDEMPOTENCY_KEY_REUSED",
    }
)

FIELD = {
    "type": "object",
    "required": ["field", "message", "constraint"],
    "properties": {
        "field": {"type": "string"},
        "message": {"type": "string"},
        "constraint": {"type": "string", "description": "The rule that is broken, for programs."},
    },
}
DETAILS = {
    "type": "object",
    "description": "`fields` of a VALIDATION_ERROR; `currentState`, `attemptedAction` and `allowedActions` of an "
    "INVALID_STATE_TRANSITION.",
    "properties": {
        "fields": {"type": "array", "items": FIELD, "minItems": 1},
        "currentState": {"$ref": "#/components/schemas/Status"},
        "attemptedAction": {"$ref": "#/components/schemas/Action"},
        "allowedActions": {"type": "array", "items": {"$ref": "#/components/schemas/Action"}},
    },
}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "requestId"],
            "properties": {
                "code": {"type": "string", "enum": CODES},
                "message": {"type": "string", "description": "A sentence that is safe to show."},
                "requestId": {"type": "string", "description": "The X-Request-Id of the response."},
                "details": DETAILS,
            },
        }
    },
}
ERROR_REFERENCE = {"$ref": "#/components/schemas/Error"}


def message_of(status: str) -> str:
    return KNOWN[int(status)][1]


def examples_of(status: str) -> dict[str, Any]:
    """Return an example of each error with the status, by error code."""
    problems = [Problem.known(int(status))]
    if status == "400":
        problems.insert(0, _of_a_field())
    return {problem.code: {"value": _envelope(problem), "summary": problem.message} for problem in problems}


def _of_a_field() -> Problem:
    error = ValidationError({"rawText": [ErrorDetail("may not be blank.", code="blank")]})
    return cast(Problem, problem_of(error))


def _envelope(problem: Problem) -> dict[str, Any]:
    return {"error": {**problem.envelope["error"], "requestId": REQUEST_ID}}
