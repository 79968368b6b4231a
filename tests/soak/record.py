"""The soak's record of one item: the requests and the responses."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from items.states import Action, Status
from tests.soak.texts import Kind, until_of


class Answer(Enum):
    """The outcome of a request. UNKNOWN: the connection broke or the server was away, so that it may have been done."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Deed:
    """An action of the owner, from `asked_at` to `answered_at` in seconds since 1970."""

    action: Action
    answer: Answer
    asked_at: float
    answered_at: float
    changes: dict[str, object] = field(default_factory=dict)


@dataclass
class Record:
    """One text. With `bulk`, it was captured in one transaction with others of that name.

    With a `key`, it was captured over HTTP, and may be sent again.
    """

    text: str
    owner: str
    kind: Kind
    captured: Answer
    captured_at: float
    bulk: str = ""
    key: str = ""
    deeds: list[Deed] = field(default_factory=list)

    def done(self, action: Action) -> list[Deed]:
        return self._deeds(action, Answer.DONE)

    def unknown(self, action: Action) -> list[Deed]:
        return self._deeds(action, Answer.UNKNOWN)

    @property
    def is_certain(self) -> bool:
        """Return whether every request has a response."""
        return self.captured is Answer.DONE and all(deed.answer is not Answer.UNKNOWN for deed in self.deeds)

    def possible_statuses(self) -> set[Status]:
        """Return the statuses that the item may have when all is quiet."""
        if self.done(Action.DISCARD):
            return {Status.DISCARDED}
        possible = self._statuses_without_discard()
        if self.unknown(Action.DISCARD):
            possible.add(Status.DISCARDED)
        return possible

    def possible_values(self, name: str) -> Iterator[object]:
        """Return the values that the owner may have given this field, none if no change is certain.

        A request whose response was lost may take effect after later ones.
        """
        changing = [deed for deed in self.deeds if name in deed.changes]
        done = [deed for deed in changing if deed.answer is Answer.DONE]
        yield from (deed.changes[name] for deed in done[-1:])
        yield from (deed.changes[name] for deed in changing if deed.answer is Answer.UNKNOWN)

    def is_certainly_changed(self, name: str) -> bool:
        return any(name in deed.changes and deed.answer is Answer.DONE for deed in self.deeds)

    def _statuses_without_discard(self) -> set[Status]:
        if self.kind is Kind.MANUAL or self.done(Action.CONFIRM):
            return {Status.ARCHIVED}
        possible = {Status.READY_TO_CONFIRM} if self.done(Action.EDIT) else self._statuses_by_kind()
        if self.unknown(Action.CONFIRM):
            possible.add(Status.ARCHIVED)
        return possible

    def _statuses_by_kind(self) -> set[Status]:
        if self.kind is Kind.REFUSED:
            return {Status.FAILED}
        retried_after = any(deed.asked_at > until_of(self.text) for deed in self.done(Action.RETRY))
        if self.kind is Kind.MENDED and not retried_after:
            return {Status.FAILED, Status.READY_TO_CONFIRM}
        return {Status.READY_TO_CONFIRM}

    def _deeds(self, action: Action, answer: Answer) -> list[Deed]:
        return [deed for deed in self.deeds if deed.action is action and deed.answer is answer]
