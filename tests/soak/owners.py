"""The actions of an owner, over HTTP as far as a user's would be, and their record."""

import queue
import threading
import time
import traceback
from collections.abc import Callable
from http import HTTPMethod

from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError, close_old_connections, connections

from items.models import Item
from items.states import Action, Status
from tests.soak.client import Client
from tests.soak.plan import Step
from tests.soak.record import Answer, Deed, Record
from tests.soak.texts import Kind, compose
from tests.waiting import wait

FROM_HOW_MANY = 200
# Responses after which nothing was done, and the same request may be sent again.
LATER = {"409 DUPLICATE_REQUEST", "429 RATE_LIMITED"}
ANSWER_SECONDS = 60
# A capture that could not be written before the connection broke may have been written.
AWAY = (OperationalError, InterfaceError)


class Owner:
    """One owner, on a thread of its own, who acts step by step."""

    def __init__(self, name: str, client: Client) -> None:
        self.name = name
        self.records: dict[str, Record] = {}
        self.problems: list[str] = []
        self._client = client
        self._bulks = 0
        self._steps: queue.SimpleQueue[Step | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)

    def begin(self) -> None:
        self._thread.start()

    def do(self, step: Step) -> None:
        """Queue an action behind the earlier ones."""
        if self._thread.is_alive():
            self._steps.put(step)

    def end(self) -> None:
        """Return when all actions are done and every capture has a response."""
        if self._thread.is_alive():
            self._steps.put(None)
        self._thread.join()
        if not wait(self._is_answered, seconds=ANSWER_SECONDS):
            self.problems += [f"was not answered: {record.text!r}" for record in self._awaited()]

    def _live(self) -> None:
        try:
            while step := self._steps.get():
                act: Callable[[Step], None] = getattr(self, step.name)
                act(step)
        except Exception:
            self.problems.append(f"{self.name} broke down: {traceback.format_exc()}")
        finally:
            connections.close_all()

    # Captures.

    def capture(self, step: Step) -> None:
        self._capture(step, Kind.PLAIN)

    def capture_manually(self, step: Step) -> None:
        self._capture(step, Kind.MANUAL)

    def capture_outage(self, step: Step) -> None:
        self._capture(step, Kind.OUTAGE)

    def capture_mended(self, step: Step) -> None:
        self._capture(step, Kind.MENDED)

    def capture_refused(self, step: Step) -> None:
        self._capture(step, Kind.REFUSED)

    def capture_pair(self, step: Step) -> None:
        """Capture two texts, 0 to 15 ms apart, so that the second arrives while the worker claims the first."""
        for _ in range(2):
            self.capture_together(1)
            time.sleep(step.number % 16 / 1000)  # the distance between the two is under test

    def capture_bulk(self, step: Step) -> None:
        self._bulks += 1
        self.capture_together(step.number, bulk=f"{self.name}-{self._bulks}")

    # Actions on an item.

    def edit(self, step: Step) -> None:
        number = len(self.records)
        changes: dict[str, object] = {"title": f"Edited {number}"} if number % 2 else {"tags": [f"tag-{number}"]}
        self._act(step, Action.EDIT, Status.READY_TO_CONFIRM, changes)

    def confirm(self, step: Step) -> None:
        changes: dict[str, object] = {"title": f"Confirmed {len(self.records)}"} if step.number % 2 else {}
        self._act(step, Action.CONFIRM, Status.READY_TO_CONFIRM, changes)

    def discard(self, step: Step) -> None:
        statuses = (Status.READY_TO_CONFIRM, Status.FAILED, Status.ARCHIVED)
        self._act(step, Action.DISCARD, statuses[step.number % 3], {})

    def discard_in_flight(self, step: Step) -> None:
        self._act(step, Action.DISCARD, Status.ENRICHING, {})

    def retry(self, step: Step) -> None:
        self._act(step, Action.RETRY, Status.FAILED, {})

    def send_again(self, step: Step) -> None:
        """Repeat the captures whose response was lost, with their keys."""
        for record in self._awaited():
            self._send(record)

    def _awaited(self) -> list[Record]:
        return [record for record in self.records.values() if record.captured is Answer.UNKNOWN and record.key]

    def _is_answered(self) -> bool:
        for record in self._awaited():
            self._send(record)
        return not self._awaited()

    def _capture(self, step: Step, kind: Kind) -> None:
        number, now = f"{self.name}-{len(self.records)}", time.time()
        record = Record(
            text=compose(kind, number, until=now + step.seconds),
            owner=self.name,
            kind=kind,
            captured=Answer.UNKNOWN,
            captured_at=now,
            key=f"capture-{number}",
        )
        self.records[record.text] = record
        self._send(record)

    def _send(self, record: Record) -> None:
        body = {"rawText": record.text, "enrich": record.kind is not Kind.MANUAL}
        answer, code = self._client.call(self.name, HTTPMethod.POST, "/api/v1/items", body, key=record.key)
        if answer is Answer.REFUSED and code not in LATER:
            self.problems.append(f"a capture was refused with {code}: {record.text!r}")
        record.captured = Answer.DONE if answer is Answer.DONE else Answer.UNKNOWN

    def capture_together(self, count: int, *, bulk: str = "") -> list[str]:
        """Capture this many in one transaction, as the command `capture` does, and return the texts."""
        now, first = time.time(), len(self.records)
        texts = [compose(Kind.PLAIN, f"{self.name}-{first + place}") for place in range(count)]
        answer = Answer.DONE
        try:
            close_old_connections()
            Item.objects.capture_many(owner=User.objects.get(username=self.name), raw_texts=texts)
        except AWAY:
            answer = Answer.UNKNOWN
        for text in texts:
            self.records[text] = Record(text, self.name, Kind.PLAIN, answer, now, bulk=bulk)
        return texts

    def _act(self, step: Step, action: Action, status: Status, changes: dict[str, object]) -> None:
        if (item := self._one_that_is(status, step.share)) is None:
            return
        record = self.records[item.raw_text]
        asked_at = time.time()
        answer, code = self._ask(item, action, changes)
        if code in LATER:
            return
        # Only this thread moves an item that is ready or failed, and a discard is always allowed.
        if answer is Answer.REFUSED and record.is_certain:
            self.problems.append(f"{action} of {item.pk} was refused with {code}, although it was {status}")
        record.deeds.append(Deed(action, answer, asked_at, time.time(), changes))

    def _ask(self, item: Item, action: Action, changes: dict[str, object]) -> tuple[Answer, str]:
        path = f"/api/v1/items/{item.pk}"
        if action is Action.RETRY:
            return self._client.call(self.name, HTTPMethod.POST, f"{path}/retry")
        body = changes if action is Action.EDIT else {"action": action.value, **changes}
        return self._client.call(self.name, HTTPMethod.PATCH, path, body)

    def _one_that_is(self, status: Status, share: float) -> Item | None:
        """Return one of the oldest, or None if there is none or the database does not answer."""
        ours = Item.objects.filter(owner__username=self.name, status=status).order_by("created_at", "id")
        try:
            close_old_connections()
            items = list(ours[:FROM_HOW_MANY])
        except AWAY:
            return None
        return items[int(share * len(items))] if items else None
