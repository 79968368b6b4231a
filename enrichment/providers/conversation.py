"""One model asked about one text: the tries, the time and the cost of it. Knows no model library."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from enrichment.errors import EnrichmentError, Interrupted, ProviderTimeout
from enrichment.providers.faults import fault_of, unusable
from enrichment.schemas import EnrichmentSchema, Usage
from postgres.backoff import Backoff

FAILURES_TO_BE_DOWN = 5
BACKOFF = Backoff(first_seconds=0.5, longest_seconds=8.0)

Send = Callable[..., Awaitable[tuple[Any, Usage]]]
"""Makes one HTTP request, and returns the answer with its price. May raise anything."""


class Ask(Protocol):
    """What Instructor takes for the model: it asks again by itself when an answer does not validate."""

    async def __call__(self, **request: Any) -> Any: ...


class ModelHealth:
    """How one model has done lately, over all conversations with it.

    While it is down each of them tries once, so that an outage is not met with three times as many requests.
    When to ask again is then for the worker to decide, which looks after all items.
    """

    def __init__(self) -> None:
        self._failures = 0

    @property
    def is_down(self) -> bool:
        return self._failures >= FAILURES_TO_BE_DOWN

    def add(self, fault: EnrichmentError | None) -> None:
        """Note what came of a try. Whatever will not pass, such as a refusal, is an answer, too."""
        self._failures = self._failures + 1 if fault is not None and fault.is_transient else 0


class NoTriesLeft(Exception):
    """No more tries. What went wrong stands in the conversation."""


class Conversation:
    """Asks until there is a draft, or the tries or the time are used up. Then `fault` says why there is none.

    `usage` is the sum over all answers, also those that were of no use. `ends_at` is by the loop's clock.
    """

    def __init__(
        self, send: Send, *, model: str, record: ModelHealth, tries: int, try_seconds: float, ends_at: float
    ) -> None:
        self.usage = Usage(model=model)
        self.fault: EnrichmentError | None = None
        self.has_answer = False
        self._send = send
        self._record = record
        self._tries_made = 0
        self._tries_left = tries
        self._try_seconds = try_seconds
        self._ends_at = ends_at

    async def hold(self, converse: Callable[[Ask], Awaitable[EnrichmentSchema]]) -> EnrichmentSchema | None:
        """Let `converse` ask and validate, and keep its errors from getting any further."""
        try:
            async with asyncio.timeout_at(self._ends_at):
                return await converse(self.ask)
        except TimeoutError:
            self.fault = self.fault or ProviderTimeout(cause="TimeoutError")
        except Exception as error:  # noqa: BLE001  # whatever it is, its text must not get out of here
            # A failed try has left its fault. Otherwise an answer came, and nothing could be made of it.
            self.fault = self.fault or unusable(error, has_answer=self.has_answer)
        return None

    async def ask(self, **request: Any) -> Any:
        """One try, and further ones after failures that may pass, while there are tries and time left."""
        while self._tries_left:
            answer, self.fault = await self._try(request)
            self._record.add(self.fault)
            if self.fault is None:
                return answer
            if not self.fault.is_transient or self._record.is_down:
                break
            if not await self._pause(self.fault.retry_after or 0):
                break
        raise NoTriesLeft

    async def _try(self, request: dict[str, Any]) -> tuple[Any, EnrichmentError | None]:
        self._tries_made += 1
        self._tries_left -= 1
        try:
            async with asyncio.timeout(min(self._try_seconds, self._seconds_left())):
                answer, usage = await self._send(**request)
        except EnrichmentError as fault:
            self._account(fault.usage)
            return None, fault.with_traceback(None)
        except Exception as error:  # noqa: BLE001  # a library's error, with the key and the text in it
            return None, fault_of(error)
        self._account(usage)
        return answer, None

    def _account(self, usage: Usage | None) -> None:
        if usage is not None:
            self.usage = self.usage + usage if self.has_answer else usage
            self.has_answer = True

    async def _pause(self, at_least_seconds: float) -> bool:
        """Wait before the next try, unless there is none or it would come too late: then say so at once."""
        seconds = max(at_least_seconds, random.uniform(0, BACKOFF.seconds(self._tries_made)))  # noqa: S311  # jitter is no secret
        if not self._tries_left or seconds >= self._seconds_left():
            return False
        await asyncio.sleep(seconds)
        return True

    def _seconds_left(self) -> float:
        return self._ends_at - asyncio.get_running_loop().time()


@contextmanager
def paid_for(conversations: Sequence[Conversation]) -> Iterator[None]:
    """Let a cancellation say what the answers cost that came before it."""
    try:
        yield
    except asyncio.CancelledError:
        if not any(conversation.has_answer for conversation in conversations):
            raise
    else:
        return
    raise Interrupted(total_usage(conversations))


def total_usage(conversations: Sequence[Conversation]) -> Usage:
    first, *others = [conversation.usage for conversation in conversations if conversation.has_answer] or [
        conversations[-1].usage
    ]
    return sum(others, start=first)


def most_telling_fault(conversations: Sequence[Conversation]) -> EnrichmentError:
    """The first that may pass, because then the item is worth another attempt; else what the first model did."""
    faults = [conversation.fault for conversation in conversations if conversation.fault is not None]
    fault = next((fault for fault in faults if fault.is_transient), faults[0])
    fault.usage = total_usage(conversations)
    return fault
