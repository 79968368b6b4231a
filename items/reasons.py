"""The fixed table of errors: why an item failed, in the words that are stored and shown, and what to do about it.

The worker's exceptions (enrichment/errors.py) each have one of these reasons. The admin groups failures by them, and
docs/errors.md has the same table. A reason keeps its name: clients filter by it, and it is stored.
"""

from enum import StrEnum
from typing import Self


class Reason(StrEnum):
    """Why enrichment failed. Several reasons share an error code. `advice` has code in backticks."""

    code: str
    sentence: str
    advice: str

    def __new__(cls, name: str, code: str, sentence: str, advice: str) -> Self:
        reason = str.__new__(cls, name)
        reason._value_ = name
        reason.code, reason.sentence, reason.advice = code, sentence, advice
        return reason

    @property
    def label(self) -> str:
        return self.replace("_", " ").capitalize()

    TIMED_OUT = (
        "TIMED_OUT",
        "LLM_TIMEOUT",
        "The model did not answer in time.",
        "Retry later. If it happens often, raise `LITEVAULT_LLM_TIMEOUT_SECONDS`, or use a faster model.",
    )
    PROVIDER_UNAVAILABLE = (
        "PROVIDER_UNAVAILABLE",
        "LLM_API_ERROR",
        "The model could not be reached or is overloaded.",
        (
            "Retry later. If it persists, check that the provider is up and `LITEVAULT_LLM_API_BASE` is right. "
            "`manage.py doctor` sends a test request."
        ),
    )
    RATE_LIMITED = (
        "RATE_LIMITED",
        "LLM_API_ERROR",
        "The provider's rate limit was reached for too long. Check the limits of the account.",
        "Raise the limits of the account, or lower `LITEVAULT_LLM_CONCURRENCY`, and retry.",
    )
    KEY_REFUSED = (
        "KEY_REFUSED",
        "LLM_API_ERROR",
        "The provider refused the key. Check the key, and that it may use this model.",
        "Correct the key in the worker's environment, restart the worker, and retry.",
    )
    MODEL_UNKNOWN = (
        "MODEL_UNKNOWN",
        "LLM_API_ERROR",
        "The provider does not know the model. Check the model's name and the address of the provider.",
        "Correct `LITEVAULT_LLM_MODEL` or `LITEVAULT_LLM_API_BASE`, restart the worker, and retry.",
    )
    QUOTA_EXHAUSTED = (
        "QUOTA_EXHAUSTED",
        "LLM_API_ERROR",
        "The quota at the provider is used up. Check the plan and the bill.",
        "Top up, then retry all items with this reason at once.",
    )
    PARAMETER_REFUSED = (
        "PARAMETER_REFUSED",
        "LLM_API_ERROR",
        "The model does not accept a parameter of the request. Another mode, or other limits, may help.",
        "Set `LITEVAULT_LLM_MODE=json`, or lower `LITEVAULT_LLM_MAX_TOKENS` to what the model accepts.",
    )
    TEXT_TOO_LONG = (
        "TEXT_TOO_LONG",
        "LLM_API_ERROR",
        "The text is too long for the model. Fewer input tokens may help.",
        "Lower `LITEVAULT_LLM_MAX_INPUT_TOKENS` to what the model accepts.",
    )
    TEXT_REFUSED = (
        "TEXT_REFUSED",
        "LLM_API_ERROR",
        "The text is against the rules of the provider.",
        'Set another model as fallback, or capture the text again with `"enrich": false` and edit its title.',
    )
    REQUEST_REFUSED = (
        "REQUEST_REFUSED",
        "LLM_API_ERROR",
        "The provider refused the request, without a reason that is known. manage.py doctor sends a test request.",
        (
            "Run `manage.py doctor`. If its request is accepted, the reason is in the text: lower "
            '`LITEVAULT_LLM_MAX_INPUT_TOKENS`, or capture the text again with `"enrich": false`.'
        ),
    )
    REQUEST_UNSENDABLE = (
        "REQUEST_UNSENDABLE",
        "LLM_API_ERROR",
        "No request could be sent. The key or the address of the provider is not valid.",
        "Correct the key, which may have a line end in it, or `LITEVAULT_LLM_API_BASE`, restart the worker, and retry.",
    )
    KEY_MISSING = (
        "KEY_MISSING",
        "LLM_API_ERROR",
        "The key of the provider is missing, or cannot be read.",
        "Set the key in the worker's environment, restart the worker, and retry.",
    )
    PACKAGE_MISSING = (
        "PACKAGE_MISSING",
        "LLM_API_ERROR",
        "A Python package that the provider needs is not installed.",
        (
            "Look up in LiteLLM's documentation which package the provider needs (Vertex AI: `google-auth`), install "
            "it, restart the worker, and retry."
        ),
    )
    UNREADABLE_REPLY = (
        "UNREADABLE_REPLY",
        "LLM_API_ERROR",
        "The provider's reply could not be read. Check the address of the provider, and the model.",
        "Check that `LITEVAULT_LLM_API_BASE` is the API and not a web page or a proxy's login, then retry.",
    )
    UNEXPECTED_FAILURE = (
        "UNEXPECTED_FAILURE",
        "LLM_API_ERROR",
        "The call to the model failed in an unexpected way. The log of the worker says where.",
        "Look up `enrichment.crashed` in the log. It is a bug, in LiteVault or in a library.",
    )
    INVALID_OUTPUT = (
        "INVALID_OUTPUT",
        "LLM_VALIDATION_ERROR",
        "The model answered, but not with a title, a summary, tags and a type that can be used.",
        (
            "Retry, or use a more capable model. For small local models: `LITEVAULT_LLM_MODE=json_schema`; for servers "
            "that do not support a schema: `json`."
        ),
    )
    FORMAT_MISSED = (
        "FORMAT_MISSED",
        "LLM_VALIDATION_ERROR",
        "The model's answer was not in the format that was asked for, and the provider held it back.",
        "Retry, or use a more capable model, or another `LITEVAULT_LLM_MODE`.",
    )
    OUTPUT_CUT_OFF = (
        "OUTPUT_CUT_OFF",
        "LLM_VALIDATION_ERROR",
        "The model's answer was cut off before its end. More output tokens may help.",
        (
            "Raise `LITEVAULT_LLM_MAX_TOKENS`. Reasoning models need several thousand. A small local model may be "
            "repeating itself instead: `LITEVAULT_LLM_MODE=json_schema` (see `docs/models.md`)."
        ),
    )
    MODEL_DECLINED = (
        "MODEL_DECLINED",
        "LLM_VALIDATION_ERROR",
        "The model declined to describe this text.",
        'Set another model as fallback, or capture the text again with `"enrich": false` and edit its title.',
    )
    ABANDONED = (
        "ABANDONED",
        "ENRICHMENT_ABANDONED",
        "Every worker that took this item stopped before it was done.",
        "Find out why workers die (out of memory, for example), then retry.",
    )


ERROR_CODES = tuple(dict.fromkeys(reason.code for reason in Reason))
