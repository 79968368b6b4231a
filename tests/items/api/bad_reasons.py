"""Reasons of errors that no call accepts, each with the codes of the fields that are refused."""

BAD_REASONS = {
    "error reason in lower case": ({"errorReason": "key_refused"}, {"errorReason": "invalid_choice"}),
    "error reason that is a code": ({"errorReason": "LLM_TIMEOUT"}, {"errorReason": "invalid_choice"}),
    "error reason with wildcard": ({"errorReason": "%"}, {"errorReason": "invalid_choice"}),
    "error reason with NUL": ({"errorReason": "KEY_REFUSED\x00"}, {"errorReason": "invalid_choice"}),
    "error reason with line break": ({"errorReason": "KEY_REFUSED\n"}, {"errorReason": "invalid_choice"}),
    "error reason of the admin": ({"errorReason": "NONE"}, {"errorReason": "invalid_choice"}),
    "error reason that is long": ({"errorReason": "A" * 1000}, {"errorReason": "invalid_choice"}),
}
