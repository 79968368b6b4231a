"""Error responses as providers document or send them: one list for the tests and for the table in docs/errors.md."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from enrichment.errors import (
    EnrichmentError,
    FormatMissed,
    KeyRefused,
    ModelUnknown,
    ParameterRefused,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    TextRefused,
    TextTooLong,
)


@dataclass(frozen=True, kw_only=True)
class ProviderError:
    provider: str
    status: int
    body: Any
    error: type[EnrichmentError]
    words: str
    parameter: str = ""

    def __str__(self) -> str:
        return f"{self.provider}-{self.status}-{self.words}"


def openai(status: int, error: type[EnrichmentError], words: str, *, provider: str = "OpenAI", **fields: Any) -> Any:
    usual = {"message": "...", "type": "invalid_request_error", "param": None, "code": None}
    parameter = fields.get("param", "") if error is ParameterRefused else ""
    return ProviderError(
        provider=provider,
        status=status,
        body={"error": usual | fields},
        error=error,
        words=words,
        parameter=parameter,
    )


def anthropic(status: int, error: type[EnrichmentError], words: str, *, parameter: str = "", **fields: str) -> Any:
    body = {"type": "error", "error": {"message": "...", "type": "invalid_request_error"} | fields}
    return ProviderError(provider="Anthropic", status=status, body=body, error=error, words=words, parameter=parameter)


def other(
    provider: str, status: int, body: Any, error: type[EnrichmentError], words: str, *, parameter: str = ""
) -> ProviderError:
    return ProviderError(provider=provider, status=status, body=body, error=error, words=words, parameter=parameter)


PROVIDER_ERRORS: tuple[ProviderError, ...] = (
    openai(429, QuotaExhausted, "`insufficient_quota`", code="insufficient_quota", type="insufficient_quota"),
    openai(400, QuotaExhausted, "`billing_hard_limit_reached`", code="billing_hard_limit_reached"),
    openai(429, RateLimited, "`rate_limit_exceeded`", code="rate_limit_exceeded", type="tokens"),
    openai(401, KeyRefused, "`invalid_api_key`", code="invalid_api_key"),
    openai(400, ModelUnknown, "`model_not_found`", code="model_not_found"),
    openai(403, ModelUnknown, "`model_not_found`", code="model_not_found"),
    openai(400, TextTooLong, "`context_length_exceeded`", code="context_length_exceeded", param="messages"),
    openai(400, TextRefused, "`content_policy_violation`", code="content_policy_violation"),
    openai(400, TextRefused, "`invalid_prompt`", code="invalid_prompt"),
    openai(400, ParameterRefused, "`unsupported_value`, `temperature`", code="unsupported_value", param="temperature"),
    openai(
        400, ParameterRefused, "`unsupported_parameter`, `max_tokens`", code="unsupported_parameter", param="max_tokens"
    ),
    openai(503, ProviderUnavailable, "`slow_down`", code="slow_down", type="server_error"),
    openai(
        400,
        TextRefused,
        "`content_filter`",
        provider="Azure",
        code="content_filter",
        param="prompt",
        innererror={"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {"filtered": True}}},
    ),
    openai(404, ModelUnknown, "`DeploymentNotFound`", provider="Azure", code="DeploymentNotFound"),
    openai(400, QuotaExhausted, "`blocked_api_access`", provider="Groq", code="blocked_api_access"),
    openai(400, FormatMissed, "`tool_use_failed`", provider="Groq", code="tool_use_failed", failed_generation="..."),
    openai(400, FormatMissed, "`json_validate_failed`", provider="Groq", code="json_validate_failed"),
    openai(413, TextTooLong, "`rate_limit_exceeded`", provider="Groq", code="rate_limit_exceeded", type="tokens"),
    openai(
        400,
        ParameterRefused,
        "This model does not support response format …",
        provider="Groq",
        message="This model does not support response format `json_schema`. See supported models.",
        param="response_format",
    ),
    anthropic(
        400,
        QuotaExhausted,
        "Your credit balance is too low …",
        message="Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
    ),
    anthropic(402, QuotaExhausted, "`billing_error`", type="billing_error"),
    anthropic(400, TextTooLong, "prompt is too long …", message="prompt is too long: 210000 tokens > 200000 maximum"),
    anthropic(413, TextTooLong, "`request_too_large`", type="request_too_large"),
    anthropic(429, RateLimited, "`rate_limit_error`", type="rate_limit_error"),
    anthropic(529, ProviderUnavailable, "`overloaded_error`", type="overloaded_error"),
    anthropic(
        400,
        ParameterRefused,
        "`temperature` is deprecated …",
        message="`temperature` is deprecated for this model.",
        parameter="temperature",
    ),
    other(
        "Gemini",
        400,
        {"error": {"code": 400, "status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}},
        KeyRefused,
        "`API_KEY_INVALID`",
    ),
    other(
        "Gemini",
        400,
        {"error": {"message": "The input token count (1200000) exceeds the maximum number of tokens allowed."}},
        TextTooLong,
        "The input token count … exceeds the maximum …",
    ),
    other(
        "Gemini",
        429,
        {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "You exceeded your current quota."}},
        RateLimited,
        "`RESOURCE_EXHAUSTED`",
    ),
    other(
        "Gemini",
        403,
        {"error": {"code": 403, "status": "PERMISSION_DENIED", "details": [{"reason": "BILLING_DISABLED"}]}},
        QuotaExhausted,
        "`BILLING_DISABLED`",
    ),
    other("Gemini", 503, {"error": {"status": "UNAVAILABLE"}}, ProviderUnavailable, "`UNAVAILABLE`"),
    other(
        "Bedrock",
        400,
        {"__type": "ServiceQuotaExceededException"},
        QuotaExhausted,
        "`ServiceQuotaExceededException`",
    ),
    other("Bedrock", 400, {"__type": "ThrottlingException"}, RateLimited, "`ThrottlingException`"),
    other(
        "Bedrock",
        400,
        {"message": "Input is too long for requested model."},
        TextTooLong,
        "Input is too long for requested model",
    ),
    other(
        "OpenRouter",
        403,
        {"error": {"code": 403, "message": "...", "metadata": {"reasons": ["hate"], "flagged_input": "..."}}},
        TextRefused,
        "`flagged_input`",
    ),
    other(
        "OpenRouter",
        404,
        {"error": {"code": 404, "message": "No endpoints found that support tool use."}},
        ParameterRefused,
        "No endpoints found that support tool use",
        parameter="tools",
    ),
    other("DeepSeek", 402, {"error": {"message": "Insufficient Balance"}}, QuotaExhausted, "the status alone"),
    other(
        "DeepSeek",
        400,
        {"error": {"message": "This response_format type is unavailable now", "type": "invalid_request_error"}},
        ParameterRefused,
        "This response_format type is unavailable",
        parameter="response_format",
    ),
    other(
        "Mistral",
        422,
        {"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "tool_choice"]}]}},
        ParameterRefused,
        "`loc`: `tool_choice`",
        parameter="tool_choice",
    ),
    other(
        "Ollama",
        400,
        {"error": "registry.ollama.ai/library/gemma:2b does not support tools"},
        ParameterRefused,
        "… does not support tools",
        parameter="tools",
    ),
    other("Ollama", 404, {"error": "model 'gemma' not found"}, ModelUnknown, "the status alone"),
    other(
        "vLLM",
        400,
        {"object": "error", "message": "This model's maximum context length is 4096 tokens.", "code": 400},
        TextTooLong,
        "This model's maximum context length is …",
    ),
    other(
        "llama.cpp",
        400,
        {"error": {"code": 400, "type": "exceed_context_size_error", "message": "..."}},
        TextTooLong,
        "`exceed_context_size_error`",
    ),
    other("Cohere", 400, {"message": "too many tokens: size limit exceeded"}, TextTooLong, "too many tokens: …"),
)


def provider_table() -> str:
    """Return the list in Markdown, for docs/errors.md."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "| Provider | Status | Word or message | The item ends with |"
    yield "|---|---|---|---|"
    for case in sorted(PROVIDER_ERRORS, key=lambda case: case.provider.casefold()):
        yield f"| {case.provider} | {case.status} | {case.words} | `{case.error.reason}` |"
