"""The meaning of HTTP statuses, of the machine words of providers and of exception classes."""

from collections.abc import Mapping

from enrichment.errors import (
    EnrichmentError,
    FormatMissed,
    KeyMissing,
    KeyRefused,
    ModelUnknown,
    PackageMissing,
    ProviderTimeout,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    RequestUnsendable,
    TextRefused,
    TextTooLong,
    UnreadableReply,
)

PARAMETER_STATUSES = frozenset({400, 404, 422})

BY_STATUS: Mapping[int, type[EnrichmentError]] = {
    401: KeyRefused,
    402: QuotaExhausted,
    403: KeyRefused,
    404: ModelUnknown,
    408: ProviderTimeout,
    409: ProviderUnavailable,
    425: ProviderUnavailable,
    429: RateLimited,
    504: ProviderTimeout,
}
# The first that a body has counts.
BY_WORD: tuple[tuple[type[EnrichmentError], frozenset[str]], ...] = (
    (
        QuotaExhausted,
        frozenset(
            {
                "BILLING_DISABLED",
                "ServiceQuotaExceededException",
                "billing_error",
                "billing_hard_limit_reached",
                "billing_not_active",
                "blocked_api_access",
                "exceeded_current_quota_error",
                "insufficient_balance",
                "insufficient_credits",
                "insufficient_quota",
            }
        ),
    ),
    (KeyRefused, frozenset({"API_KEY_INVALID", "authentication_error", "invalid_api_key"})),
    (ModelUnknown, frozenset({"DeploymentNotFound", "model_decommissioned", "model_not_found"})),
    (
        TextTooLong,
        frozenset(
            {
                "context_length_exceeded",
                "exceed_context_size_error",
                "request_too_large",
                "string_above_max_length",
                "tokens_limit_reached",
            }
        ),
    ),
    (
        TextRefused,
        frozenset(
            {
                "ResponsibleAIPolicyViolation",
                "content_filter",
                "content_policy_violation",
                "data_inspection_failed",
                "invalid_prompt",
                "moderation_blocked",
            }
        ),
    ),
    (FormatMissed, frozenset({"json_validate_failed", "tool_use_failed"})),
    (RateLimited, frozenset({"RESOURCE_EXHAUSTED", "ThrottlingException", "rate_limit_error", "rate_limit_exceeded"})),
    (ProviderUnavailable, frozenset({"ServiceUnavailableException", "UNAVAILABLE", "overloaded_error", "slow_down"})),
)
# By the full name, because the libraries may not be installed. The nearest base class counts. The exceptions of
# httpcore, h11 and urllib3 stand behind those of httpx, requests and botocore.
BY_CLASS: Mapping[str, type[EnrichmentError]] = {
    "aiohttp.client_exceptions.ClientError": ProviderUnavailable,
    "aiohttp.client_exceptions.ContentTypeError": UnreadableReply,
    "aiohttp.client_exceptions.InvalidURL": RequestUnsendable,
    "aiohttp.client_exceptions.NonHttpUrlClientError": RequestUnsendable,
    "aiohttp.client_exceptions.TooManyRedirects": UnreadableReply,
    "botocore.exceptions.BotoCoreError": KeyMissing,
    "botocore.exceptions.ConnectionError": ProviderUnavailable,
    "botocore.exceptions.HTTPClientError": ProviderUnavailable,
    "builtins.ArithmeticError": UnreadableReply,
    "builtins.AttributeError": UnreadableReply,
    "builtins.EOFError": ProviderUnavailable,
    "builtins.FileNotFoundError": KeyMissing,
    "builtins.ImportError": PackageMissing,
    "builtins.IsADirectoryError": KeyMissing,
    "builtins.LookupError": UnreadableReply,
    "builtins.NotADirectoryError": KeyMissing,
    "builtins.OSError": ProviderUnavailable,
    "builtins.PermissionError": KeyMissing,
    "builtins.RecursionError": UnreadableReply,
    "builtins.TypeError": UnreadableReply,
    "builtins.UnicodeEncodeError": RequestUnsendable,
    "builtins.ValueError": UnreadableReply,
    "google.auth.exceptions.GoogleAuthError": KeyMissing,
    "google.auth.exceptions.TransportError": ProviderUnavailable,
    "httpx.DecodingError": UnreadableReply,
    "httpx.InvalidURL": RequestUnsendable,
    "httpx.LocalProtocolError": RequestUnsendable,
    "httpx.RequestError": ProviderUnavailable,
    "httpx.TooManyRedirects": UnreadableReply,
    "httpx.UnsupportedProtocol": RequestUnsendable,
    "openai.APIError": UnreadableReply,
    "openai.OpenAIError": KeyMissing,  # the client cannot be made
    "requests.exceptions.ChunkedEncodingError": ProviderUnavailable,
    "requests.exceptions.ConnectionError": ProviderUnavailable,
    "requests.exceptions.RequestException": UnreadableReply,
}
# A ValueError that one of these raises is about what it was to send: a key with a line end, for example.
HTTP_LIBRARIES = frozenset({"aiohttp", "h11", "http", "httpcore", "httpx", "yarl"})
# One that litellm raises in one of these is about a missing key.
FUNCTIONS_FOR_KEYS = frozenset({"_get_token_and_url", "validate_environment"})
