"""LiteLLM behind Instructor: the only module that imports either, and the import takes seconds.

Each model gets at most 1 + `LITEVAULT_LLM_MAX_RETRIES` requests for one text, whether the reply did not validate (the
model is then sent the error) or the failure was transient. No layer below retries. That makes

- 1 request for a refusal (wrong key, unknown model, used-up quota, bad request) and for a reply that a retry would not
  repair (declined, cut off, without choices, far too long),
- 1 + retries, or as many as there is time for, while the failure is transient or the reply does not validate,
- 1 for a transient failure after five in a row, over all items: the model is down.

A request that a model refuses because of a parameter is sent again without it, at once and without using up a try; the
next requests to this model leave it out from the start (request_form.py).

The next fallback model follows. Each may use an equal share of the remaining time. docs/errors.md has the table.
"""

import asyncio
import importlib
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, cast

from enrichment.config import InvalidSettings, LLMSettings
from enrichment.errors import InvalidOutput, ModelDeclined, ParameterRefused
from enrichment.prompts import Message, build_messages, cut_to_tokens, tags_that_fit
from enrichment.providers.base import EnrichmentProvider
from enrichment.providers.conversation import (
    Complete,
    Conversation,
    ModelHealth,
    decisive_fault,
    total_usage,
    usage_on_cancel,
)
from enrichment.providers.draft import Draft
from enrichment.providers.library_logs import silence_libraries
from enrichment.providers.replies import is_declined, length_of, tokens_of, unfence
from enrichment.providers.request_form import RequestForm
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

silence_libraries()  # again, because LITELLM_LOG and OPENAI_LOG set the level at import
litellm.suppress_debug_info = True  # no banner on standard output
litellm.telemetry = False

# In the order in which they are tried when a model refuses one.
MODES = {"tools": Mode.TOOLS, "json_schema": Mode.JSON_SCHEMA, "json": Mode.MD_JSON}
LOCAL_PROVIDERS = frozenset(
    {
        "docker_model_runner",
        "hosted_vllm",
        "lemonade",
        "llamafile",
        "lm_studio",
        "ollama",
        "ollama_chat",
        "oobabooga",
        "vllm",
        "xinference",
    }
)

# The owner's tags may take one part in four of the input tokens.
TAGS_PART = 4
# Far more than real replies have. A longer reply is not sent back to the model for repair.
MAX_CHARACTERS_PER_TOKEN = 20
# A higher cost is a counting error of the provider.
MAX_COST_USD = Decimal(100)


@dataclass
class Route:
    """How to reach one model. `address` has api_base and api_key where the environment does not."""

    model: str
    form: RequestForm
    address: dict[str, str]
    model_health: ModelHealth = field(default_factory=ModelHealth)


class LiteLLMProvider(EnrichmentProvider):
    """Requests a draft from the configured models, in order, within one deadline.

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
        messages = self._messages(text, vocabulary)
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._settings.deadline_seconds
        conversations: list[Conversation] = []
        for position, route in enumerate(self._routes):
            share_seconds = (deadline - clock()) / (len(self._routes) - position)
            ends_at = clock() + share_seconds
            with usage_on_cancel(conversations):
                draft = await self._converse(route, messages, ends_at=ends_at, conversations=conversations)
            if draft is not None:
                return draft.result(total_usage(conversations))
        raise decisive_fault(conversations)

    async def close(self) -> None:
        await litellm.close_litellm_async_clients()
        # Otherwise the next provider gets the closed clients.
        litellm.in_memory_llm_clients_cache.flush_cache()

    def _messages(self, text: str, vocabulary: Sequence[str]) -> list[Message]:
        """Fit the owner's tags and the text into the input tokens."""
        limit = self._settings.max_input_tokens
        tags = tags_that_fit(vocabulary, most_bytes=limit // TAGS_PART)
        text = cut_to_tokens(text, limit=limit - len("\n".join(tags).encode()), count=_count_tokens)
        return build_messages(text, tags=tags)

    async def _converse(
        self, route: Route, messages: list[Message], *, ends_at: float, conversations: list[Conversation]
    ) -> EnrichmentSchema | None:
        """Begin again whenever the model refuses a parameter that it can do without."""
        while True:
            form = route.form
            conversation = self._conversation(route, form, ends_at=ends_at)
            conversations.append(conversation)
            draft = await conversation.run(partial(self._create_draft, route, form, messages))
            if not isinstance(conversation.fault, ParameterRefused):
                return draft
            accepted = form.without(conversation.fault.parameter)
            if accepted is None:
                return None
            conversation.fault = None
            if route.form == form:  # not changed by another text meanwhile
                route.form = accepted

    def _conversation(self, route: Route, form: RequestForm, *, ends_at: float) -> Conversation:
        return Conversation(
            partial(self._send, route, form),
            model=route.model,
            model_health=route.model_health,
            tries=self._settings.max_retries + 1,
            try_seconds=self._settings.timeout_seconds,
            ends_at=ends_at,
        )

    async def _create_draft(
        self, route: Route, form: RequestForm, messages: list[Message], complete: Complete
    ) -> EnrichmentSchema:
        # Without `context`, which renders the user's text as a template, `timeout` and `fallbacks`.
        draft, _ = await self._instructors[form.mode].create_with_completion(
            model=route.model,
            messages=messages,
            response_model=self._schema,
            max_retries=self._settings.max_retries,
            temperature=self._settings.temperature,
            max_tokens=self._settings.max_tokens,
            complete=complete,
        )
        return cast(EnrichmentSchema, draft)

    async def _send(self, route: Route, form: RequestForm, **request: Any) -> tuple[Any, Usage]:
        """Make one HTTP request. `timeout` is constant, because litellm makes a new client for each value."""
        self.requests += 1
        reply = await litellm.acompletion(
            **form.apply(request),
            **route.address,
            timeout=self._settings.deadline_seconds,
            max_retries=0,
            num_retries=0,
            drop_params=True,
        )
        usage = _usage_of(reply, model=route.model)
        if is_declined(reply):
            raise ModelDeclined(usage=usage, cause="Refusal")
        if length_of(reply) > self._settings.max_tokens * MAX_CHARACTERS_PER_TOKEN:
            raise InvalidOutput(usage=usage, cause="AnswerTooLong")
        unfence(reply)
        return reply, usage


def _warm_up() -> None:
    """Make the libraries' lazy initialization happen now: it blocks the loop for half a second."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # pydantic's, about litellm's own classes
        litellm.completion("gpt-4o-mini", [{"role": "user", "content": "Ready?"}], mock_response="Yes.")
    _count_tokens("Ready?")
    importlib.import_module("openai.resources.chat.completions")


def _routes(settings: LLMSettings) -> Iterator[Route]:
    _forget_empty_keys()
    first_provider = _provider_of(settings.model, variable=settings.variable("model"))
    for model in settings.models:
        variable = settings.variable("model" if model == settings.model else "fallback_models")
        provider = _provider_of(model, variable=variable)
        api_base = settings.api_base if provider == first_provider else ""
        is_local = bool(api_base) or provider in LOCAL_PROVIDERS
        modes = tuple(MODES)[is_local:] if settings.mode == "auto" else (settings.mode,)
        address = _address(model, api_base=api_base, variable=variable)
        yield Route(model, RequestForm(modes), address)


async def _complete(*, complete: Complete, **request: Any) -> Any:
    """Pass a request of Instructor's on to the conversation that it belongs to."""
    return await complete(**request)


def _forget_empty_keys() -> None:
    """Remove keys that are set but empty, which litellm would use."""
    for name in [name for name, value in os.environ.items() if name.endswith("_API_KEY") and not value.strip()]:
        del os.environ[name]


def _provider_of(model: str, *, variable: str) -> str:
    try:
        return str(litellm.get_llm_provider(model)[1])
    except litellm.BadRequestError:
        pass
    raise InvalidSettings(f"{variable} must be written provider/model, such as openai/gpt-4o-mini")


def _address(model: str, *, api_base: str, variable: str) -> dict[str, str]:
    missing = litellm.validate_environment(model)["missing_keys"]
    keys = [name for name in missing if name.endswith("_API_KEY")]
    if not api_base:
        if keys:
            raise InvalidSettings(f"{' or '.join(keys)} must be set, because {variable} needs it")
        return {}
    # A local server needs no key, but the library does.
    return {"api_base": api_base} | ({"api_key": "none"} if keys else {})


def _count_tokens(text: str) -> int:
    """Count with the tokenizer included in litellm. Those of other models are close, but need a download."""
    return int(litellm.token_counter(model="gpt-4o-mini", text=text))


def _usage_of(reply: Any, *, model: str) -> Usage:
    """Return the usage of a reply, under the configured name of the model instead of the provider's."""
    prompt_tokens, completion_tokens = tokens_of(reply, "prompt"), tokens_of(reply, "completion")
    return Usage(
        model=model,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost_usd=_cost(reply) if prompt_tokens or completion_tokens else None,
    )


def _cost(reply: Any) -> Decimal | None:
    """Return the cost by litellm's price list, or None if the model is not in it or the usage is implausible."""
    cost = reply._hidden_params.get("response_cost")  # as in litellm's documentation
    if cost is None or not 0 <= cost <= MAX_COST_USD:
        return None
    return Decimal(str(cost)).quantize(Decimal("1e-8"))
