"""Staff pause and resume enrichment, for all owners or for one, from the API, the admin and the command line."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from items.models import AuditEvent, EnrichmentPause, Item
from items.models.enrichment_pause import PauseReason
from items.pauses import ALL_OWNERS, pause_enrichment, pause_of, resume_enrichment, staff_pause
from items.queue import CHANNEL_ENRICHING
from items.sql import QUEUE
from items.states import Status
from litevault.accounts.deletion import delete_user
from tests.items.admin.staff import staff
from tests.items.api.browser import ACCEPT, Browser, url_of
from tests.items.api.client import Api, problem
from tests.items.factories import make_item
from tests.items.other_connection import other_connection
from tests.items.queue.protocol import claim
from tests.waiting import PATIENCE_SECONDS, until

LATER = timezone.now() + timedelta(days=30)


@pytest.fixture
def operator(db: None) -> User:
    user = staff("operator", "view_item", "pause_enrichment")
    user.user_permissions.add(*user.user_permissions.model.objects.filter(codename__in=("view_user", "change_user")))
    return user


def oldest_wait_seconds() -> float | None:
    with connection.cursor() as cursor:
        cursor.execute(QUEUE["oldest_wait"])
        ((wait,),) = cursor.fetchall()
    return wait and float(wait.total_seconds())


def wait_for(seconds: float) -> dict[str, Any]:
    return {"available_at": timezone.now() - timedelta(seconds=seconds)}


@pytest.mark.django_db(transaction=True)
def test_pause_of_all_stops_claims_until_it_is_resumed(owner: User, stranger: User) -> None:
    for user in (owner, stranger):
        make_item(user)

    for _ in range(2):
        pause_enrichment()
    while_paused = (EnrichmentPause.objects.count(), claim())
    for _ in range(2):
        resume_enrichment()

    assert while_paused == (1, [])
    assert not EnrichmentPause.objects.exists()
    assert len(claim()) == 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("per_owner", [0, 2])
def test_pause_of_an_owner_leaves_the_others(owner: User, stranger: User, per_owner: int) -> None:
    for user in (owner, stranger):
        Item.objects.capture_many(owner=user, raw_texts=["one", "two", "three"])
    pause_enrichment(owner.pk)

    claimed = claim(per_owner=per_owner)

    assert Counter(each.owner_id for each in claimed) == {stranger.pk: per_owner or 3}


@pytest.mark.django_db(transaction=True)
def test_resuming_all_leaves_an_owner_paused_individually(owner: User, stranger: User) -> None:
    for user in (owner, stranger):
        make_item(user)
    pause_enrichment(owner.pk)
    pause_enrichment()

    resume_enrichment()

    assert [each.owner_id for each in claim()] == [stranger.pk]


SOON, BEFORE = timezone.now() + timedelta(days=1), timezone.now() - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("pauses", "expected"),
    [
        ([], None),
        ([("owner", "BUDGET", SOON)], ("owner", "BUDGET")),
        ([("owner", "BUDGET", BEFORE)], None),
        ([("stranger", "STAFF", None)], None),
        ([("owner", "BUDGET", SOON), ("owner", "STAFF", None)], ("owner", "STAFF")),
        ([("owner", "BUDGET", LATER), ("all", "BUDGET", SOON)], ("owner", "BUDGET")),
        ([("owner", "BUDGET", SOON), ("all", "BUDGET", LATER)], ("all", "BUDGET")),
        ([("owner", "STAFF", None), ("all", "STAFF", None)], ("all", "STAFF")),
    ],
)
def test_owner_waits_for_the_pause_that_ends_last(
    owner: User,
    stranger: User,
    pauses: list[tuple[str, str, datetime | None]],
    expected: tuple[str, str] | None,
) -> None:
    ids = {"owner": owner.pk, "stranger": stranger.pk, "all": ALL_OWNERS}
    for name, reason, ends_at in pauses:
        EnrichmentPause.objects.create(owner_id=ids[name], reason=reason, until=ends_at)

    pause = pause_of(owner.pk)

    assert (pause and (pause.owner_id, pause.reason)) == (expected and (ids[expected[0]], expected[1]))


def test_staff_leave_the_pause_of_a_budget(owner: User) -> None:
    EnrichmentPause.objects.create(owner_id=owner.pk, reason=PauseReason.BUDGET, until=LATER)

    resume_enrichment(owner.pk)

    assert staff_pause(owner.pk) is None
    assert EnrichmentPause.objects.filter(reason=PauseReason.BUDGET).exists()


@pytest.mark.django_db(transaction=True)
def test_pause_waits_for_claims_that_began_before(owner: User) -> None:
    items = [make_item(owner) for _ in range(2)]

    def pause() -> None:
        pause_enrichment(owner.pk)
        connection.close()

    with other_connection(autocommit=False) as worker:
        worker.execute("SELECT * FROM items_claim(-1, 1, 0, 60, 'worker')")
        pausing = threading.Thread(target=pause)
        pausing.start()
        until(_waits_for_a_lock)
        is_paused_before = staff_pause(owner.pk) is not None
        worker.commit()
        pausing.join(PATIENCE_SECONDS)
        claimed_after = worker.execute("SELECT * FROM items_claim(-1, 1, 0, 60, 'worker')").fetchall()

    assert not is_paused_before
    assert staff_pause(owner.pk) is not None
    assert claimed_after == []
    assert Item.objects.filter(pk__in=[item.pk for item in items], claimed_by=None).count() == 1


def _waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("reason", "number"), [(PauseReason.STAFF, 2), (PauseReason.BUDGET, 0)])
def test_only_a_pause_by_staff_notifies_the_workers(reason: PauseReason, number: int) -> None:
    with other_connection() as worker:
        worker.execute(f"LISTEN {CHANNEL_ENRICHING}")
        pause = EnrichmentPause.objects.create(owner_id=ALL_OWNERS, reason=reason)
        pause.delete()
        worker.execute(f"NOTIFY {CHANNEL_ENRICHING}, 'last'")
        payloads = [each.payload for each in worker.notifies(timeout=PATIENCE_SECONDS, stop_after=number + 1)]

    assert payloads == [""] * number + ["last"]


@pytest.mark.parametrize("owner_is_paused", [True, False])
def test_oldest_wait_leaves_out_paused_owners(owner: User, stranger: User, *, owner_is_paused: bool) -> None:
    make_item(owner, **wait_for(900))
    make_item(stranger, **wait_for(60))
    make_item(stranger, **wait_for(30))
    if owner_is_paused:
        EnrichmentPause.objects.create(owner_id=owner.pk, reason=PauseReason.BUDGET, until=LATER)
    else:
        EnrichmentPause.objects.create(owner_id=stranger.pk, reason=PauseReason.STAFF)

    seconds = oldest_wait_seconds()

    assert seconds == pytest.approx(60 if owner_is_paused else 900, abs=50)


def test_nothing_waits_while_all_are_paused(owner: User) -> None:
    make_item(owner, **wait_for(900))
    before = oldest_wait_seconds()
    pause_enrichment()

    assert before == pytest.approx(900, abs=50)
    assert oldest_wait_seconds() is None


Switch = Callable[[User, str, str | None], Any]


def by_api(operator: User, action: str, owner: str | None) -> None:
    method = {"pause": "PUT", "resume": "DELETE"}[action]
    response = Api(operator).raw(method, "/pause" + (f"?owner={owner}" if owner else ""))
    assert response.status_code == 200
    assert response.json()["paused"] is (action == "pause")


def by_admin(operator: User, action: str, owner: str | None) -> None:
    client = Client()
    client.force_login(operator)
    owner_id = User.objects.get(username=owner).pk if owner else 0
    page = f"/admin/auth/user/{owner_id}/change/" if owner else "/admin/"
    address = f"/admin/pause/{owner_id}/"
    assert f'action="{address}"' in client.get(page).text
    response = client.post(address, {"action": action}, follow=True)
    assert f"Enrichment is {action}d for {owner or 'all owners'}." in response.text


def by_command(_operator: User, action: str, owner: str | None) -> None:
    call_command("enrichment", action, *(["--owner", owner] if owner else []), stdout=StringIO())


@pytest.mark.parametrize("switch", [by_api, by_admin, by_command])
@pytest.mark.parametrize("name", ["owner", None])
def test_each_way_pauses_and_resumes_and_is_recorded(
    owner: User, operator: User, switch: Switch, name: str | None
) -> None:
    wanted = owner.pk if name else ALL_OWNERS
    name = name and owner.username

    switch(operator, "pause", name)
    pauses = list(EnrichmentPause.objects.values_list("owner_id", "reason"))
    switch(operator, "pause", name)
    switch(operator, "resume", name)

    assert pauses == [(wanted, "STAFF")]
    assert not EnrichmentPause.objects.exists()
    events = AuditEvent.objects.filter(action__in=("pause", "resume")).order_by("id")
    kind = "user" if name else "all"
    assert [(each.action, each.object_kind, each.object_id) for each in events] == [
        ("pause", kind, str(wanted)),
        ("resume", kind, str(wanted)),
    ]
    if switch is not by_command:
        assert {each.actor_id for each in events} == {operator.pk}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("codenames", [None, (), ("view_item", "discard_item")])
def test_pause_is_for_staff_who_may(owner: User, method: str, codenames: tuple[str, ...] | None) -> None:
    user = owner if codenames is None else staff("reviewer", *codenames)
    pause_enrichment(owner.pk)

    refused = Api(user).raw(method, f"/pause?owner={owner.username}")
    by_page = client_of(user).post(f"/admin/pause/{owner.pk}/", {"action": "resume"})

    assert problem(refused) == (403, "FORBIDDEN")
    assert by_page.status_code in (302, 403)
    assert staff_pause(owner.pk) is not None


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("action", ["", "Pause", "stop"])
def test_unknown_action_of_the_form_changes_nothing(operator: User, action: str) -> None:
    pause_enrichment()

    assert client_of(operator).post("/admin/pause/0/", {"action": action}).status_code == 400
    assert staff_pause() is not None


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_pause_by_a_form_shows_its_state(operator: User, method: str) -> None:
    content_type = "application/x-www-form-urlencoded"

    response = client_of(operator).generic(method, "/api/v1/pause", "_next=%2F", content_type, headers=ACCEPT)

    assert response.status_code == 200
    assert "paused" in response.text
    assert (staff_pause() is not None) == (method == "PUT")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?owner=nobody", (404, "NOT_FOUND")),
        ("?owner=%00", (400, "VALIDATION_ERROR")),
        ("?owner=", (400, "VALIDATION_ERROR")),
        ("?of=owner", (400, "VALIDATION_ERROR")),
    ],
)
def test_pause_of_an_unknown_owner_is_refused(operator: User, query: str, expected: tuple[int, str]) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert problem(Api(operator).raw(method, f"/pause{query}")) == expected
    assert not EnrichmentPause.objects.exists()


def test_api_says_since_when_enrichment_is_paused(owner: User, operator: User) -> None:
    before = Api(operator).get("/pause").json()
    pause_enrichment()

    after = Api(operator).get("/pause").json()

    assert before == {"owner": None, "paused": False, "pausedSince": None}
    assert after["paused"] is True
    assert after["pausedSince"].endswith("Z")
    assert Api(operator).get("/pause", {"owner": owner.username}).json()["paused"] is False


def test_item_and_pages_say_that_enrichment_is_paused(owner: User, operator: User) -> None:
    item = make_item(owner)
    pause_enrichment()

    found = Api(owner).get(f"/items/{item.pk}").json()
    pages = [Browser(owner).open(address) for address in (url_of(item), "/api/v1/items/pending")]
    admin_pages = [client_of(operator).get(address).text for address in ("/admin/", "/admin/items/item/")]

    assert (found["pausedUntil"], found["pauseReason"]) == (None, "STAFF")
    assert all("Enrichment is paused" in page for page in pages)
    assert all("Enrichment is paused for all owners" in page for page in admin_pages)


def test_item_that_is_not_enriching_waits_for_nothing(owner: User) -> None:
    item = make_item(owner, status=Status.ARCHIVED)
    pause_enrichment()

    assert Api(owner).get(f"/items/{item.pk}").json()["pauseReason"] is None


def test_command_shows_the_state(owner: User, stranger: User) -> None:
    pause_enrichment(stranger.pk)

    def run(*arguments: str) -> str:
        output = StringIO()
        call_command("enrichment", *arguments, stdout=output)
        return output.getvalue()

    assert run("status") == "Enrichment is not paused for all owners. Paused individually: 1 owner.\n"
    assert run("status", "--owner", owner.username) == f"Enrichment is not paused for {owner.username}.\n"
    assert run("pause").startswith("Enrichment is paused for all owners since ")
    assert run("status", "--owner", owner.username).endswith(" It is paused for all owners.\n")
    state = json.loads(run("resume", "--json"))
    assert state == {"owner": None, "paused": False, "pausedSince": None, "allPaused": False, "pausedOwners": 1}
    for name in ("nobody", ""):
        with pytest.raises(CommandError, match=f"There is no user {name}"):
            run("pause", "--owner", name)
    assert staff_pause() is None


def test_pause_ends_with_its_owner(owner: User) -> None:
    pause_enrichment(owner.pk)

    delete_user(owner)

    assert not EnrichmentPause.objects.exists()
