"""The faults of providers and their outcome: one list for the tests and for the table in docs/errors.md."""

from collections.abc import Iterator
from dataclasses import dataclass

from enrichment.errors import (
    EnrichmentError,
    FormatMissed,
    InvalidOutput,
    KeyRefused,
    ModelDeclined,
    ModelUnknown,
    OutputCutOff,
    ParameterRefused,
    ProviderRefused,
    ProviderTimeout,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    TextRefused,
    TextTooLong,
    UnreadableReply,
)

MAX_RETRIES = 2
ALL_TRIES = MAX_RETRIES + 1
MODES = ("tools", "json_schema", "json")


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`answers` names the replies of the fake server in turn; `answered` of them cost tokens."""

    description: str
    answers: tuple[str, ...]
    error: type[EnrichmentError] | None
    requests: int
    answered: int = 0
    modes: tuple[str, ...] = ("tools",)

    @property
    def is_silent(self) -> bool:
        """Return whether the provider leaves a request without a reply."""
        return self.answers[0] in ("hang", "stall", "drip")

    @property
    def name(self) -> str:
        return "-then-".join(self.answers)


def refused(answer: str, description: str, error: type[EnrichmentError] = ProviderRefused) -> Fault:
    return Fault(description=description, answers=(answer,), error=error, requests=1)


def passing(answer: str, description: str, error: type[EnrichmentError] = ProviderUnavailable) -> Fault:
    return Fault(description=description, answers=(answer,), error=error, requests=ALL_TRIES)


def limited(answer: str, description: str) -> Fault:
    return Fault(description=description, answers=(answer,), error=RateLimited, requests=1)


def silent(answer: str, description: str) -> Fault:
    return Fault(description=description, answers=(answer,), error=ProviderTimeout, requests=ALL_TRIES)


def useless(answer: str, description: str, *, modes: tuple[str, ...] = MODES) -> Fault:
    return Fault(
        description=description,
        answers=(answer,),
        error=InvalidOutput,
        requests=ALL_TRIES,
        answered=ALL_TRIES,
        modes=modes,
    )


def hopeless(answer: str, description: str, error: type[EnrichmentError] = InvalidOutput) -> Fault:
    return Fault(description=description, answers=(answer,), error=error, requests=1, answered=1, modes=MODES)


def fine(*answers: str, description: str, answered: int = 1, modes: tuple[str, ...] = MODES) -> Fault:
    return Fault(
        description=description, answers=answers, error=None, requests=len(answers), answered=answered, modes=modes
    )


MATRIX = (
    fine("ok", description="A good draft"),
    fine("slow", description="A good draft, after a while"),
    fine("extra_fields", description="A good draft with unknown fields around it"),
    fine(
        "untidy",
        description="A draft that is too long, in the wrong case, with control characters or tags in one string",
    ),
    fine("no_usage", description="A good draft without token counts", answered=0),
    fine("absurd_usage", description="A good draft with token counts that cannot be true", answered=0),
    fine("wrong_schema", "ok", description="A draft that does not validate, then a good one", answered=2),
    fine("status_503", "ok", description="503, then a good draft"),
    fine("reset", "early_eof", "ok", description="Two broken connections, then a good draft"),
    Fault(
        description="422 that forbids a parameter, then a good draft",
        answers=("forbids_temperature",),
        error=None,
        requests=2,
        answered=1,
        modes=MODES,
    ),
    Fault(
        description="400 to the temperature and to `max_tokens`, as from a reasoning model, then a good draft",
        answers=("reasoning",),
        error=None,
        requests=3,
        answered=1,
        modes=MODES,
    ),
    fine("tool_use_failed", "ok", description="400: the model's call has a wrong form, then a good draft"),
    fine("fenced", description="JSON in a Markdown fence"),
    fine("untidy_fence", description="JSON in a fence with prose around it"),
    fine(
        "untidy_json",
        description="JSON with raw line breaks, trailing commas, names in another case, or a wrapper around the draft",
    ),
    fine("untidy_thoughts", description="JSON after thoughts that quote the format"),
    fine("untidy_channels", description="JSON between the marks of channels"),
    fine("untidy_parts", description="Content as a list of parts"),
    fine("untidy_object", description="An object in place of the content"),
    fine("untidy_string", description="JSON within a JSON string"),
    fine("untidy_reasoning", description="JSON in the reasoning, and no content"),
    fine("untidy_call", description="A call of the tool, whether or not it was asked for"),
    fine("untidy_end", description="A whole draft, cut off in what follows it"),
    fine("few_tags", description="Fewer than three tags, or a list of tags within a string"),
    fine("no_tags", description="A draft without tags and type"),
    useless("broken_arguments", "JSON that ends in the middle"),
    useless("wrong_schema", "A draft that does not validate, again and again"),
    useless("obeys_title", "A draft that repeats the instructions instead of describing the text"),
    useless("echoed_title", "A title from the instructions"),
    useless("echoed_tags", "A tag that begins with the name of a field"),
    useless("plain_text", "Plain text"),
    useless("null_content", "Nothing"),
    Fault(
        description="503, and then drafts that do not validate",
        answers=("status_503", "wrong_schema"),
        error=InvalidOutput,
        requests=ALL_TRIES,
        answered=ALL_TRIES - 1,
    ),
    Fault(
        description="400: the model's call has a wrong form, again and again",
        answers=("tool_use_failed",),
        error=FormatMissed,
        requests=ALL_TRIES,
    ),
    hopeless("no_choices", "A list of no answers"),
    hopeless("huge", "20 MB, even if it would validate"),
    hopeless("huge_and_wrong", "20 MB of nonsense"),
    hopeless("truncated", "A draft cut off by the limit of output tokens", OutputCutOff),
    hopeless("refusal", "A refusal of the model", ModelDeclined),
    hopeless("filtered", "A draft held back by a content filter", ModelDeclined),
    refused("status_400", "400 Bad Request"),
    refused("context_too_long", "400: the text is too long for the model", TextTooLong),
    refused("content_filter", "400: the text is against the provider's rules", TextRefused),
    refused("billing_limit", "400: the limit of the bill is reached", QuotaExhausted),
    refused("model_not_found", "400: the model does not exist", ModelUnknown),
    Fault(
        description="400 to the limit of output tokens, under both of its names",
        answers=("no_limit",),
        error=ParameterRefused,
        requests=2,
    ),
    refused("misleading_400", "400 whose message talks of rate limits and timeouts"),
    refused("status_401", "401 Unauthorized", KeyRefused),
    refused("status_402", "402 Payment Required", QuotaExhausted),
    refused("status_403", "403 Forbidden", KeyRefused),
    refused("moderated", "403: a moderation flagged the text", TextRefused),
    refused("status_404", "404 Not Found", ModelUnknown),
    refused("status_413", "413 Content Too Large", TextTooLong),
    refused("status_422", "422 Unprocessable Content"),
    refused("unprocessable_parameter", "422 whose message names a parameter"),
    refused("quota_exhausted", "429: the quota is used up", QuotaExhausted),
    passing("status_409", "409 Conflict"),
    passing("status_425", "425 Too Early"),
    limited("status_429", "429 Too Many Requests"),
    limited("retry_after_nonsense", "429 with a Retry-After that is neither a number nor a date"),
    limited("retry_after_3600", "429 with a Retry-After of an hour"),
    passing("status_500", "500 Internal Server Error"),
    passing("huge_error", "500 with a huge body"),
    passing("status_502", "502 Bad Gateway"),
    passing("status_503", "503 Service Unavailable"),
    passing("status_529", "529 Overloaded"),
    passing("reset", "The connection is reset"),
    passing("early_eof", "The connection ends in the middle of the answer"),
    passing("error_with_200", "200 with an error in it"),
    refused("html", "200 with a page of HTML", UnreadableReply),
    refused("invalid_json", "200 with a body that is not JSON", UnreadableReply),
    useless("list_content", "200 with a list of images as the content"),
    refused("no_message", "200 with a choice that has no message", UnreadableReply),
    passing("status_408", "408 Request Timeout", ProviderTimeout),
    passing("status_504", "504 Gateway Timeout", ProviderTimeout),
    silent("hang", "No answer at all"),
    silent("stall", "The beginning of an answer, and then nothing"),
    silent("drip", "An answer that drips in for ever"),
    fine("hang", "ok", description="No answer at all, then a good draft"),
)


def table() -> str:
    """Return the matrix in Markdown, for docs/errors.md."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "| The provider answers | The item ends with | Tried again later | Requests |"
    yield "|---|---|---|---|"
    for fault in MATRIX:
        verdict = f"`{fault.error.reason.code}` `{fault.error.reason}`" if fault.error else "a draft"
        later = "yes" if fault.error and fault.error.is_transient else "no"
        yield f"| {fault.description} | {verdict} | {later} | {fault.requests} |"
