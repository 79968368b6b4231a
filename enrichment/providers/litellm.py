"""LiteLLM behind Instructor: the only module that imports either, and the import takes seconds.

Each model gets at most 1 + `LITEVAULT_LLM_MAX_RETRIES` requests for one text, whether the reply did not validate (the
model is then sent the error) or the failure was transient. No layer below retries. That makes

- 1 request for a refusal (wrong key, unknown model, used-up quota, bad request) and for a reply that a retry would not
  repair (declined, cut off, without choices, far too long),
- 1 + retries, or as many as there is time for, while the failure is transient or the reply does not validate,
- 1 for a transient failure after five in a row, over all items: the model is down.

A request that a model refuses because of a parameter is sent again without it, at once and without using up a try; the
next requests to this model leave it out from the start (request_form.py).

The next fallback model follows, with the same time. docs/errors.md has the table.
"""

import asyncio
import importlib
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, cast

from enrichment.config import InvalidSettings, LLMSettings
from enrichment.errors import InvalidOutput, ModelDeclined, ParameterRefused
from enrichment.model_settings import ModelSettings
from enrichment.prompts import Message, build_messages, cut_to_tokens, tags_that_fit
from enrichment.providers.addresses import Target, addresses_of
from enrichment.providers.base import EnrichmentProvider, RateLimit
from enrichment.providers.content_parts import reading_parts
from enrichment.providers.conversation import (
    Complete,
    Conversation,
    ModelHealth,
    decisive_fault,
    total_usage,
    usage_on_cancel,
)
from enrichment.providers.draft import Draft
from enrichment.providers.filling import fill_tags
from enrichment.providers.library_logs import silence_libraries
from enrichment.providers.pacing import Gate
from enrichment.providers.prices import cost_of
from enrichment.providers.replies import FillTags, is_declined, length_of, place_draft, tokens_of
from enrichment.providers.request_form import RequestForm
from enrichment.providers.variables import AWS_PROVIDERS, LOCAL_PROVIDERS, missing_for_aws
from enrichment.schemas import EnrichmentResult, EnrichmentSchema, Usage

# Read when litellm is imported.
os.environ.update(
    LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS="True",  # else it fetches them
    LITELLM_LOCAL_MODEL_COST_MAP="True",  # else it fetches a price list
    LITELLM_MODE="PRODUCTION",  # else it loads a .env file by itself
    # Its messages are not logged, and redacting one of 20 MB blocks the loop for a minute.
    LITELLM_DISABLE_REDACT_SECRETS="true",
)


import litellm
from instructor import Mode, from_litellm, response_schema

# litellm fails on content in parts, which some servers send.
litellm.Message.__init__ = reading_parts(litellm.Message.__init__)
silence_libraries()  # again, because LITELLM_LOG and OPENAI_LOG set the level at import
litellm.suppress_debug_info = True  # no banner on standard output
litellm.telemetry = False
# It would ask huggingface.co several times a call for the size of the model, and block the loop meanwhile.
litellm.utils._get_max_position_embeddings = lambda **_: None  # noqa: SLF001  # it has no switch

# In the order in which they are tried when a model refuses one.
MODES = {"tools": Mode.TOOLS, "json_schema": Mode.JSON_SCHEMA, "json": Mode.MD_JSON}
# Variables that LiteLLM reads even if they are empty.
READ_IF_EMPTY = ("_API_BASE", "_API_KEY", "_API_VERSION", "_BASE_URL", "_LOCATION", "_PROJECT", "_TOKEN")

# The owner's tags may take one part in four of the input tokens.
TAGS_PART = 4
# Far more than real replies have. A longer reply is not sent back to the model for repair.
MAX_REPLY_CHARACTERS_PER_TOKEN = 20


@dataclass
class Route:
    """How to reach one model. `address` has api_base and api_key where the environment does not."""

    settings: ModelSettings
    form: RequestForm
    address: dict[str, str] = field(repr=False)
    is_local: bool
    gate: Gate
    model_health: ModelHealth = field(default_factory=ModelHealth)

    @property
    def model(self) -> str:
        return self.settings.model

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the model that are set."""
        names = {"max_tokens", "temperature", "reasoning_effort", "extra_headers"}
        return {
            name: value for name, value in self.settings.model_dump(include=names).items() if value not in (None, {})
        }


class Prompt(NamedTuple):
    """The messages for one text, and the function that adds tags if a draft has too few."""

    messages: list[Message]
    fill_tags: FillTags


class LiteLLMProvider(EnrichmentProvider):
    """Requests a draft from the configured models, in order, within a deadline for each.

    Raises InvalidSettings, which names the variable, if a key is missing or a provider unknown.
    """

    def __init__(self, settings: LLMSettings) -> None:
        self._settings = settings
        self._routes = tuple(_routes(settings))
        # Wrapped once, so that the cache finds its schema: otherwise each call makes a class of its own.
        self._schema = response_schema(Draft)
        self._instructors = {name: from_litellm(_complete, mode=mode) for name, mode in MODES.items()}
        _warm_up()

    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        prompt = self._prompt(text, vocabulary)
        clock = asyncio.get_running_loop().time
        conversations: list[Conversation] = []
        for route in self._routes:
            ends_at = clock() + self._settings.seconds_per_model
            with usage_on_cancel(conversations):
                draft = await self._converse(route, prompt, ends_at=ends_at, conversations=conversations)
            if draft is not None:
                return draft.result(total_usage(conversations))
        raise decisive_fault(conversations)

    def capacity(self) -> float:
        return max(route.gate.capacity() for route in self._routes)

    def wait_seconds(self) -> float:
        return min(route.gate.wait_seconds() for route in self._routes)

    def rate_limits(self) -> list[RateLimit]:
        return [RateLimit(each.model, each.gate.requests_per_minute, each.gate.refused) for each in self._routes]

    async def close(self) -> None:
        await litellm.close_litellm_async_clients()
        # Otherwise the next provider gets the closed clients.
        litellm.in_memory_llm_clients_cache.flush_cache()

    def _prompt(self, text: str, vocabulary: Sequence[str]) -> Prompt:
        """Fit the owner's tags and the text into the input tokens."""
        limit = self._settings.max_input_tokens
        tags = tags_that_fit(vocabulary, most_bytes=limit // TAGS_PART)
        sent = cut_to_tokens(text, limit=limit - len("\n".join(tags).encode()), count=_count_tokens)
        return Prompt(build_messages(sent, tags=tags), partial(fill_tags, text=sent, vocabulary=vocabulary))

    async def _converse(
        self, route: Route, prompt: Prompt, *, ends_at: float, conversations: list[Conversation]
    ) -> EnrichmentSchema | None:
        """Begin again whenever the model refuses a parameter that it can do without."""
        while True:
            form = route.form
            conversation = self._conversation(route, form, prompt, ends_at=ends_at)
            conversations.append(conversation)
            draft = await conversation.run(partial(self._create_draft, route, form, prompt))
            if not isinstance(conversation.fault, ParameterRefused):
                return draft
            accepted = form.without(conversation.fault.parameter)
            if accepted is None:
                return None
            conversation.fault = None
            if route.form == form:  # not changed by another text meanwhile
                route.form = accepted

    def _conversation(self, route: Route, form: RequestForm, prompt: Prompt, *, ends_at: float) -> Conversation:
        return Conversation(
            partial(self._send, route, form, prompt),
            model=route.model,
            model_health=route.model_health,
            gate=route.gate,
            tries=self._settings.max_retries + 1,
            try_seconds=self._settings.timeout_seconds,
            ends_at=ends_at,
        )

    async def _create_draft(
        self, route: Route, form: RequestForm, prompt: Prompt, complete: Complete
    ) -> EnrichmentSchema:
        # Without `context`, which renders the user's text as a template, `timeout` and `fallbacks`.
        draft, _ = await self._instructors[form.mode].create_with_completion(
            model=route.model,
            messages=prompt.messages,
            response_model=self._schema,
            max_retries=self._settings.max_retries,
            complete=complete,
            **route.parameters,
        )
        return cast(EnrichmentSchema, draft)

    async def _send(self, route: Route, form: RequestForm, prompt: Prompt, **request: Any) -> tuple[Any, Usage]:
        """Make one HTTP request. `timeout` is constant, because litellm makes a new client for each value."""
        self.requests += 1
        reply = await litellm.acompletion(
            **form.apply(request),
            **route.address,
            timeout=self._settings.seconds_per_model,
            max_retries=0,
            num_retries=0,
            drop_params=True,
        )
        usage = _usage_of(reply, route)
        if is_declined(reply):
            raise ModelDeclined(usage=usage, cause="Refusal")
        if length_of(reply) > route.settings.max_tokens * MAX_REPLY_CHARACTERS_PER_TOKEN:
            raise InvalidOutput(usage=usage, cause="AnswerTooLong")
        tools = request.get("tools")
        place_draft(reply, tool=tools[0]["function"]["name"] if tools else None, fill_tags=prompt.fill_tags)
        return reply, usage


def _warm_up() -> None:
    """Make the libraries' lazy initialization happen now: it blocks the loop for half a second."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # pydantic's, about litellm's own classes
        litellm.completion("gpt-4o-mini", [{"role": "user", "content": "Ready?"}], mock_response="Yes.")
    _count_tokens("Ready?")
    importlib.import_module("openai.resources.chat.completions")


def _routes(settings: LLMSettings) -> Iterator[Route]:
    for name in [name for name, value in os.environ.items() if name.endswith(READ_IF_EMPTY) and not value.strip()]:
        del os.environ[name]
    targets = [_target(model, label=settings.label_of(number)) for number, model in enumerate(settings.model_list)]
    addresses = addresses_of(targets, shared_base=settings.api_base, environment=os.environ)
    for target, address in zip(targets, addresses, strict=True):
        model, is_local = target.settings, target.provider in LOCAL_PROVIDERS
        if is_local:
            _set_price_to_zero(model.model)
        has_own_server = is_local or "api_base" in address
        modes = tuple(MODES)[has_own_server:] if model.mode == "auto" else (model.mode,)
        gate = Gate(requests_per_minute=model.requests_per_minute, tokens_per_minute=model.tokens_per_minute)
        yield Route(model, RequestForm(modes), address, is_local=is_local, gate=gate)


def _target(model: ModelSettings, *, label: str) -> Target:
    provider = _provider_of(model.model, label=label)
    if provider in AWS_PROVIDERS:
        missing = missing_for_aws(model.model)
    else:
        missing = litellm.validate_environment(model.model)["missing_keys"]
    return Target(model, provider, label, missing)


def _set_price_to_zero(model: str) -> None:
    """Put a local model into the price list: otherwise LiteLLM asks Ollama for it, and blocks the loop meanwhile."""
    litellm.model_cost.setdefault(
        model,
        {
            "input_cost_per_token": 0.0,
            "output_cost_per_token": 0.0,
            "litellm_provider": model.partition("/")[0],
            "mode": "chat",
        },
    )


async def _complete(*, complete: Complete, **request: Any) -> Any:
    """Pass a request of Instructor's on to the conversation that it belongs to."""
    return await complete(**request)


def _provider_of(model: str, *, label: str) -> str:
    try:
        return str(litellm.get_llm_provider(model)[1])
    except litellm.BadRequestError:
        pass
    raise InvalidSettings(f"{label} must be written provider/model, such as openai/gpt-4o-mini")


def _count_tokens(text: str) -> int:
    """Count with the tokenizer included in litellm. Those of other models are close, but need a download."""
    return int(litellm.token_counter(model="gpt-4o-mini", text=text))


def _usage_of(reply: Any, route: Route) -> Usage:
    """Return the usage of a reply, under the configured name of the model instead of the provider's."""
    prompt_tokens, completion_tokens = tokens_of(reply, "prompt"), tokens_of(reply, "completion")
    has_tokens = prompt_tokens or completion_tokens
    return Usage(
        model=route.model,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost_usd=cost_of(
            route.settings,
            is_local=route.is_local,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            listed=reply._hidden_params.get("response_cost"),  # as in litellm's documentation
        )
        if has_tokens
        else None,
    )
