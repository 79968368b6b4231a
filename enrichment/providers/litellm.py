"""LiteLLM behind Instructor: the only module that imports either, and the import takes seconds.

`LITEVAULT_LLM_MAX_RETRIES` is one budget for each model in turn: a model is asked at most 1 + retries times
about one text, whether again because its answer did not validate (then it is told why) or because of a failure
that may pass. Nothing underneath retries by itself: a try is one HTTP request. That makes

- 1 request for a refusal (wrong key, unknown model, used-up quota, bad request) and for an answer that asking
  again would not mend (declined, cut off, without choices, beyond all measure),
- 1 + retries, or as many as there is time for, while the failure may pass or the answer does not validate,
- 1 again for a failure that may pass, once five in a row have shown that the model is down for everybody.

Then the next fallback model has its turn. Each may use an equal share of what is left of the deadline.
docs/errors.md has the table.
"""

import asyncio
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, cast

from enrichment.config import InvalidSettings, LLMSettings
from enrichment.errors import InvalidOutput, ModelDeclined
from enrichment.prompts import Message, build_messages, cut_to_tokens, tags_that_fit
from enrichment.providers.base import EnrichmentProvider
from enrichment.providers.conversation import Ask, Conversation, ModelHealth, most_telling_fault, paid_for, total_usage
from enrichment.providers.draft import Draft
from enrichment.providers.replies import is_declined, length_of, tokens_of, unfence
from enrichment.schemas import EnrichmentResult, EnrichmentSchema, Usage

# Read when litellm is imported.
os.environ.update(
    LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS="True",  # else it fetches them
    LITELLM_LOCAL_MODEL_COST_MAP="True",  # else it fetches a price list
    LITELLM_MODE="PRODUCTION",  # else it loads a .env file by itself
    # Nobody sees its messages, and searching them for secrets blocks the loop: a minute for one of 20 MB.
    LITELLM_DISABLE_REDACT_SECRETS="true",
)


def _silence_libraries() -> None:
    """They log keys, the user's text and what the model said. The level keeps handlers of their own quiet too."""
    for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router", "httpcore", "httpx", "instructor", "openai"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


_silence_libraries()  # for what they say while they are imported

import litellm  # it reads what was set above
import openai.resources.chat.completions  # noqa: F401  # else litellm imports it, slowly, at the first call
from instructor import AsyncInstructor, Mode, from_litellm, response_schema

_silence_libraries()  # again, because LITELLM_LOG and OPENAI_LOG turn them up at import
litellm.suppress_debug_info = True  # no banner on standard output
litellm.telemetry = False

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

# Of the tokens that may be sent, the owner's tags may take this part: a fourth.
TAGS_PART = 4
# Far more than an honest answer has. What is longer is not sent back to the model to be mended.
LONGEST_TOKEN_CHARACTERS = 20
# A price beyond this is a mistake in what the provider counted.
MOST_COST_USD = Decimal(100)


@dataclass(frozen=True)
class Route:
    """How one model is reached. `address` holds api_base and api_key where the environment does not say them."""

    model: str
    instructor: AsyncInstructor
    address: dict[str, str]
    record: ModelHealth = field(default_factory=ModelHealth)


class LiteLLMProvider(EnrichmentProvider):
    """Asks the models of the settings, in order, within one deadline.

    Raises InvalidSettings, which names the variable, if a key is missing or a provider unknown.
    """

    def __init__(self, settings: LLMSettings) -> None:
        self._settings = settings
        self._routes = tuple(_routes(settings))
        # Wrapped once: otherwise each call makes a class of its own, and no schema is ever found in the cache.
        self._schema = response_schema(Draft)
        _warm_up()

    async def enrich_item(self, text: str, *, vocabulary: Sequence[str] = ()) -> EnrichmentResult:
        messages = self._messages(text, vocabulary)
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._settings.deadline_seconds
        conversations: list[Conversation] = []
        for position, route in enumerate(self._routes):
            share_seconds = (deadline - clock()) / (len(self._routes) - position)
            conversations.append(self._conversation(route, ends_at=clock() + share_seconds))
            with paid_for(conversations):
                draft = await conversations[-1].hold(partial(self._converse, route, messages))
            if draft is not None:
                return draft.result(total_usage(conversations))
        raise most_telling_fault(conversations)

    async def close(self) -> None:
        await litellm.close_litellm_async_clients()
        # It keeps them, closed as they are, and would hand them to the next provider.
        litellm.in_memory_llm_clients_cache.flush_cache()

    def _messages(self, text: str, vocabulary: Sequence[str]) -> list[Message]:
        """The owner's tags may take a part of the tokens, and the text gets the rest."""
        limit = self._settings.max_input_tokens
        tags = tags_that_fit(vocabulary, most_bytes=limit // TAGS_PART)
        text = cut_to_tokens(text, limit=limit - len("\n".join(tags).encode()), count=_count_tokens)
        return build_messages(text, tags=tags)

    def _conversation(self, route: Route, *, ends_at: float) -> Conversation:
        return Conversation(
            partial(self._send, route),
            model=route.model,
            record=route.record,
            tries=self._settings.max_retries + 1,
            try_seconds=self._settings.timeout_seconds,
            ends_at=ends_at,
        )

    async def _converse(self, route: Route, messages: list[Message], ask: Ask) -> EnrichmentSchema:
        # Neither `context`, which would render the user's text as a template, nor `timeout`, nor `fallbacks`.
        draft, _ = await route.instructor.create_with_completion(
            model=route.model,
            messages=messages,
            response_model=self._schema,
            max_retries=self._settings.max_retries,
            temperature=self._settings.temperature,
            max_tokens=self._settings.max_tokens,
            ask=ask,
        )
        return cast(EnrichmentSchema, draft)

    async def _send(self, route: Route, **request: Any) -> tuple[Any, Usage]:
        """One HTTP request. The conversation keeps the time; litellm makes a new client for each other `timeout`."""
        answer = await litellm.acompletion(
            **request,
            **route.address,
            timeout=self._settings.deadline_seconds,
            max_retries=0,
            num_retries=0,
            drop_params=True,
        )
        usage = _usage_of(answer, model=route.model)
        if is_declined(answer):
            raise ModelDeclined(usage=usage, cause="Refusal")
        if length_of(answer) > self._settings.max_tokens * LONGEST_TOKEN_CHARACTERS:
            raise InvalidOutput(usage=usage, cause="AnswerTooLong")
        unfence(answer)
        return answer, usage


def _warm_up() -> None:
    """Have the libraries build now what they build at first use, which would hold up the loop for half a second."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # pydantic's, about litellm's own classes
        litellm.completion("gpt-4o-mini", [{"role": "user", "content": "Ready?"}], mock_response="Yes.")
    _count_tokens("Ready?")


def _routes(settings: LLMSettings) -> Iterator[Route]:
    _forget_empty_keys()
    first_provider = _provider_of(settings.model, variable=settings.variable("model"))
    for model in settings.models:
        variable = settings.variable("model" if model == settings.model else "fallback_models")
        provider = _provider_of(model, variable=variable)
        api_base = settings.api_base if provider == first_provider else ""
        is_local = bool(api_base) or provider in LOCAL_PROVIDERS
        mode = ("json_schema" if is_local else "tools") if settings.mode == "auto" else settings.mode
        address = _address(model, api_base=api_base, variable=variable)
        yield Route(model, from_litellm(_ask, mode=MODES[mode]), address)


async def _ask(*, ask: Ask, **request: Any) -> Any:
    """What Instructor takes for the model of every conversation. Which one it is in travels with the request."""
    return await ask(**request)


def _forget_empty_keys() -> None:
    """A key that is set to nothing is no key, but litellm would take it for one."""
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
    # Servers of one's own ask for no key, but the library does.
    return {"api_base": api_base} | ({"api_key": "none"} if keys else {})


def _count_tokens(text: str) -> int:
    """By the tokenizer that comes with litellm. Those of other models would have to be fetched, and are near enough."""
    return int(litellm.token_counter(model="gpt-4o-mini", text=text))


def _usage_of(answer: Any, *, model: str) -> Usage:
    """What an answer cost. The model is the one that was asked: what a provider calls itself may be anything."""
    prompt_tokens, completion_tokens = tokens_of(answer, "prompt"), tokens_of(answer, "completion")
    return Usage(
        model=model,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost_usd=_cost(answer) if prompt_tokens or completion_tokens else None,
    )


def _cost(answer: Any) -> Decimal | None:
    """By litellm's own price list. None when the model is not in it, or the usage cannot be true."""
    cost = answer._hidden_params.get("response_cost")  # this is where litellm's manual looks for it
    if cost is None or not 0 <= cost <= MOST_COST_USD:
        return None
    return Decimal(str(cost)).quantize(Decimal("1e-8"))
