"""One model and one text: the tries, their time and their cost. Independent of any model library."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from enrichment.errors import EnrichmentError, FormatMissed, Interrupted, ProviderTimeout, RateLimited
from enrichment.prompts import CHARACTERS_PER_TOKEN
from enrichment.providers.faults import fault_of, fault_of_unusable_reply
from enrichment.providers.pacing import Gate, Passage
from enrichment.schemas import EnrichmentSchema, Usage
from enrichment.traces import model_request
from postgres.backoff import Backoff, jitter

FAILURES_TO_BE_DOWN = 5
BACKOFF = Backoff(first_seconds=0.5, longest_seconds=8.0)
MAX_WAIT_SECONDS = 30.0
"""How long one conversation may wait at the gate in all, in addition to its time."""

Send = Callable[..., Awaitable[tuple[Any, Usage]]]
"""Make one HTTP request, and return the reply with its usage. May raise anything."""


class Complete(Protocol):
    """The completion function that Instructor calls, again when a reply does not validate."""

    async def __call__(self, **request: Any) -> Any: ...


class ModelHealth:
    """The failures in a row of one model, over all conversations.

    While a model is down, each conversation tries once and leaves retries to the worker, so that an outage does not
    multiply the requests.
    """

    def __init__(self) -> None:
        self._failures = 0

    @property
    def is_down(self) -> bool:
        return self._failures >= FAILURES_TO_BE_DOWN

    def record(self, fault: EnrichmentError | None) -> None:
        """Count a try. A response, such as a refusal or a rate limit, shows that the model is up."""
        is_failure = fault is not None and fault.is_transient and not isinstance(fault, RateLimited)
        self._failures = self._failures + 1 if is_failure else 0


class NoTriesLeft(Exception):
    """The tries are used up. `Conversation.fault` says why."""


class Conversation:
    """Requests a draft until there is one, or the tries or the time are used up; then `fault` says why.

    `usage` is the sum over all replies, useful or not. `ends_at` is a time of the event loop's clock, and moves by
    the time at the gate.
    """

    def __init__(
        self,
        send: Send,
        *,
        model: str,
        model_health: ModelHealth,
        gate: Gate,
        tries: int,
        try_seconds: float,
        ends_at: float,
    ) -> None:
        self.usage = Usage(model=model)
        self.fault: EnrichmentError | None = None
        self.has_reply = False
        self._wait_seconds_left = MAX_WAIT_SECONDS
        self._send = send
        self._model_health = model_health
        self._gate = gate
        self._tries_made = 0
        self._tries_left = tries
        self._try_seconds = try_seconds
        self._ends_at = ends_at
        self._timeout = asyncio.timeout_at(ends_at)

    async def run(self, create_draft: Callable[[Complete], Awaitable[EnrichmentSchema]]) -> EnrichmentSchema | None:
        """Return the draft, or None with `fault` set. Raise none of the errors of `create_draft`."""
        try:
            async with self._timeout:
                return await create_draft(self.complete)
        except TimeoutError:
            self.fault = self.fault or ProviderTimeout(cause="TimeoutError")
        except Exception as error:  # its text may hold the key or the user's text
            # A failed try has set its fault. Otherwise a reply came that is not a draft.
            self.fault = self.fault or fault_of_unusable_reply(error, has_reply=self.has_reply)
        return None

    async def complete(self, **request: Any) -> Any:
        """Return the reply. Retry faults that may pass while there are tries and time left, else raise NoTriesLeft."""
        tokens = len(str(request.get("messages", ""))) // CHARACTERS_PER_TOKEN
        while self._tries_left and (passage := await self._pass_gate(tokens)):
            with self._gate.passing(passage):
                tokens_before = self._tokens_used()
                reply, self.fault = await self._try(request)
                self._report(passage, tokens=self._tokens_used() - tokens_before)
            self._model_health.record(self.fault)
            if self.fault is None:
                return reply
            if isinstance(self.fault, RateLimited):
                self._tries_left += 1  # the gate waits
                continue
            may_help = self.fault.is_transient or isinstance(self.fault, FormatMissed)
            if not may_help or self._model_health.is_down:
                break
            if not await self._pause(self.fault.retry_after or 0):
                break
        raise NoTriesLeft

    async def _pass_gate(self, tokens: int) -> Passage | None:
        """Wait for the request's turn. If that would take too long, set RateLimited as the fault and return None."""
        waits_from = asyncio.get_running_loop().time()
        if self._gate.wait_seconds() <= self._wait_seconds_left:
            self._timeout.reschedule(None)
            try:
                async with asyncio.timeout(self._wait_seconds_left):
                    return await self._gate.wait(tokens=tokens)
            except TimeoutError:
                pass
            finally:
                waited = asyncio.get_running_loop().time() - waits_from
                self._wait_seconds_left = max(0.0, self._wait_seconds_left - waited)
                self._ends_at += waited
                self._timeout.reschedule(self._ends_at)
        self.fault = self.fault if isinstance(self.fault, RateLimited) else RateLimited()
        self.fault.retry_after = max(self.fault.retry_after or 0, self._gate.wait_seconds())
        return None

    def _report(self, passage: Passage, *, tokens: int) -> None:
        """Record the response for the gate. A failure of the provider says nothing about its rate limit."""
        if isinstance(self.fault, RateLimited):
            passage.is_refused = True
            passage.retry_after = self.fault.retry_after
        else:
            passage.is_accepted = self.fault is None or not self.fault.is_transient
            passage.tokens_used = tokens or None

    def _tokens_used(self) -> int:
        return self.usage.prompt_tokens + self.usage.completion_tokens

    async def _try(self, request: dict[str, Any]) -> tuple[Any, EnrichmentError | None]:
        self._tries_made += 1
        self._tries_left -= 1
        try:
            async with asyncio.timeout(min(self._try_seconds, self._seconds_left())):
                with model_request(self.usage.model):
                    reply, usage = await self._send(**request)
        except EnrichmentError as fault:
            self._add_usage(fault.usage)
            return None, fault.with_traceback(None)
        except Exception as error:  # see run()
            return None, fault_of(error)
        self._add_usage(usage)
        return reply, None

    def _add_usage(self, usage: Usage | None) -> None:
        if usage is not None:
            self.usage = self.usage + usage if self.has_reply else usage
            self.has_reply = True

    async def _pause(self, at_least_seconds: float) -> bool:
        """Wait before the next try. Return False at once if there is none, or no time for it."""
        seconds = max(at_least_seconds, BACKOFF.seconds(self._tries_made) * jitter(0, 1))
        if not self._tries_left or seconds >= self._seconds_left():
            return False
        await asyncio.sleep(seconds)
        return True

    def _seconds_left(self) -> float:
        return self._ends_at - asyncio.get_running_loop().time()


@contextmanager
def usage_on_cancel(conversations: Sequence[Conversation]) -> Iterator[None]:
    """Raise Interrupted with the usage so far in place of asyncio.CancelledError."""
    try:
        yield
    except asyncio.CancelledError:
        if not any(conversation.has_reply for conversation in conversations):
            raise
    else:
        return
    raise Interrupted(total_usage(conversations))


def total_usage(conversations: Sequence[Conversation]) -> Usage:
    first, *others = [conversation.usage for conversation in conversations if conversation.has_reply] or [
        conversations[-1].usage
    ]
    return sum(others, start=first)


def decisive_fault(conversations: Sequence[Conversation]) -> EnrichmentError:
    """Return the first transient fault, which makes the item worth another attempt, else the first fault."""
    faults = [conversation.fault for conversation in conversations if conversation.fault is not None]
    fault = next((fault for fault in faults if fault.is_transient), faults[0])
    fault.usage = total_usage(conversations)
    return fault
