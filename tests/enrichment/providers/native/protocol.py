"""What the fake servers of all protocols share: a request, the situations, and how an attempt ends in each."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from aiohttp import web

from enrichment.errors import (
    EnrichmentError,
    InvalidOutput,
    KeyRefused,
    ModelDeclined,
    OutputCutOff,
    ProviderUnavailable,
    QuotaExhausted,
    RateLimited,
    UnreadableReply,
)
from tests.enrichment.fake_llm_answers import DRAFT
from tests.enrichment.fault_matrix import ALL_TRIES
from tests.enrichment.leaks import KEY

# Beyond every deadline, so that the wait is left to the worker.
RETRY_AFTER_SECONDS = 1800.0
DRAFTED = json.dumps(DRAFT)
PROSE = "I'm sorry, but I can't help with that."


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it came in, and the key where the protocol has it."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    key: str

    @property
    def echo(self) -> str:
        """The canaries, as real error messages repeat them."""
        return f"key {self.key} {KEY}, request {json.dumps(self.body, ensure_ascii=False)}"


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an attempt ends: with a draft, or with an error, after some requests.

    `answered` of them cost tokens.
    """

    error: type[EnrichmentError] | None = None
    requests: int = 1
    answered: int = 0
    retry_after: float | None = None

    def __str__(self) -> str:
        name = self.error.__name__ if self.error else "a draft"
        return f"{name} after {self.requests} requests, {self.answered} answered, retry after {self.retry_after}"


DRAFT_COMES = Ending(answered=1)
DECLINED = Ending(error=ModelDeclined, answered=1)
CUT_OFF = Ending(error=OutputCutOff, answered=1)
RATE_LIMITED = Ending(error=RateLimited, retry_after=RETRY_AFTER_SECONDS)
QUOTA_USED_UP = Ending(error=QuotaExhausted)
KEY_REFUSED = Ending(error=KeyRefused)
UNAVAILABLE = Ending(error=ProviderUnavailable, requests=ALL_TRIES)
UNREADABLE = Ending(error=UnreadableReply)
EMPTY = Ending(error=InvalidOutput, answered=1)
USELESS = Ending(error=InvalidOutput, requests=ALL_TRIES, answered=ALL_TRIES)

# Each situation is the name of a method that replies.
USUAL_ENDINGS: Mapping[str, Ending] = {
    "ok": DRAFT_COMES,
    "refusal": DECLINED,
    "cut_off": CUT_OFF,
    "rate_limit": RATE_LIMITED,
    "quota": QUOTA_USED_UP,
    "wrong_key": KEY_REFUSED,
    "overloaded": UNAVAILABLE,
    "other_json": UNREADABLE,
    "parts": DRAFT_COMES,
    "empty": EMPTY,
}


class Protocol(ABC):
    """Speaks a provider's protocol as LiteLLM calls it.

    `base` is the address of the provider below the server's, and `path` what LiteLLM adds to it. `endings` has what
    differs from the usual. `absent` are the situations that the provider does not have.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    model: ClassVar[str]
    base: ClassVar[str] = ""
    path: ClassVar[str]
    mode: ClassVar[str] = "tools"
    environment: ClassVar[Mapping[str, str]]
    key: ClassVar[str] = KEY
    endings: ClassVar[Mapping[str, Ending]] = {}
    absent: ClassVar[frozenset[str]] = frozenset()

    def all_endings(self) -> dict[str, Ending]:
        endings = {**USUAL_ENDINGS, **self.endings}
        return {situation: ending for situation, ending in endings.items() if situation not in self.absent}

    def api_base(self, address: str) -> str:
        """Return LITEVAULT_LLM_API_BASE."""
        return address + self.base

    def variables(self, address: str) -> Mapping[str, str]:
        """Return the provider's own variables."""
        return self.environment

    def reply(self, situation: str, request: Request) -> web.Response:
        response: web.Response = getattr(self, situation)(request)
        return response

    @abstractmethod
    def key_in(self, headers: Mapping[str, str]) -> str:
        """Return the key of a request, or an empty text."""

    def other_json(self, request: Request) -> web.Response:
        """200 from something that is not the provider, such as a proxy."""
        return web.json_response({"status": "ok", "echo": request.echo})


def bearer(headers: Mapping[str, str]) -> str:
    return headers.get("Authorization", "").removeprefix("Bearer ")
