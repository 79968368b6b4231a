"""The rules that the database enforces for all writers."""

import json
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from items.admin.comparison import changes_since
from items.models import Item
from items.states import REDRAFTABLE_STATUSES, EnrichmentMode, Status
from items.texts import RAW_TEXT_HIGHEST_LIMIT
from tests.items.api.client import Api
from tests.items.factories import after, make_item


def sql(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def test_sql_insert_needs_only_owner_and_text(owner: User) -> None:
    sql("INSERT INTO items (owner_id, raw_text) VALUES (%s, 'plain')", owner.pk)

    item = Item.objects.get()
    assert isinstance(item.pk, uuid.UUID)
    assert (item.status, item.enrichment_mode, item.tags) == (Status.ENRICHING, EnrichmentMode.AI, [])
    assert (item.title, item.summary, item.source_type, item.enrichment_error) == (None, None, None, None)
    assert (item.fencing_token, item.attempt_count, item.claimed_by, item.confirmed_at) == (0, 0, None, None)
    assert item.created_at == item.updated_at == item.available_at


def test_sql_retry_resets_the_attempts(owner: User) -> None:
    item = make_item(owner, status=Status.FAILED, attempt_count=3, fencing_token=7)
    Item.objects.filter(pk=item.pk).update(available_at="2001-01-01T00:00:00Z")

    sql("UPDATE items SET status = 'ENRICHING' WHERE id = %s", item.pk)

    item.refresh_from_db()
    assert (item.enrichment_error, item.error_reason) == (None, None)
    assert (item.claimed_by, item.claimed_at) == (None, None)
    assert (item.attempt_count, item.fencing_token) == (0, 8)
    assert item.available_at > item.created_at


def test_discard_ends_the_claim(owner: User) -> None:
    item = make_item(owner, fencing_token=4)
    sql("UPDATE items SET claimed_by = 'worker-1', claimed_at = now() WHERE id = %s", item.pk)

    item.discard()

    assert (item.fencing_token, item.claimed_by, item.claimed_at) == (5, None, None)


def test_writing_the_same_status_resets_nothing(owner: User) -> None:
    item = make_item(owner, fencing_token=4, attempt_count=2)

    sql("UPDATE items SET status = 'ENRICHING' WHERE id = %s", item.pk)

    item.refresh_from_db()
    assert (item.fencing_token, item.attempt_count) == (4, 2)


@pytest.mark.parametrize(
    ("status", "change", "constraint"),
    [
        (Status.ENRICHING, "status = 'UNKNOWN'", "cannot become UNKNOWN"),
        (Status.ENRICHING, "enrichment_mode = 'MAGIC'", "items_mode_known"),
        (Status.ENRICHING, "source_type = 'POEM'", "items_source_type_known"),
        (Status.ENRICHING, "raw_text = ''", "items_raw_text_length"),
        (Status.ENRICHING, f"raw_text = repeat('x', {RAW_TEXT_HIGHEST_LIMIT + 1})", "items_raw_text_length"),
        (Status.ENRICHING, "tags = array_fill('x'::varchar, ARRAY[21])", "items_tags_count"),
        (Status.ENRICHING, "status = 'FAILED'", "items_failed_has_error"),
        (Status.ENRICHING, "status = 'READY_TO_CONFIRM'", "items_ready_has_result"),
        (Status.READY_TO_CONFIRM, "title = NULL", "items_ready_has_result"),
        (Status.READY_TO_CONFIRM, "summary = NULL", "items_ready_has_result"),
        (Status.READY_TO_CONFIRM, "source_type = NULL", "items_ready_has_result"),
        (Status.READY_TO_CONFIRM, "tags = '{}'", "items_ready_has_result"),
        (Status.READY_TO_CONFIRM, "status = 'ARCHIVED'", "items_archived_has_confirmed_at"),
        (Status.ARCHIVED, "claimed_by = 'worker-1', claimed_at = now()", "items_claimed_is_enriching"),
        (Status.ENRICHING, "claimed_by = 'somebody'", "items_claimed_is_enriching"),
        (Status.ENRICHING, "attempt_count = 32767", "items_counters_in_range"),
        (Status.ENRICHING, "refund_count = 10001", "items_counters_in_range"),
        (Status.ENRICHING, "refund_count = -1", "items_counters_in_range"),
        (Status.ENRICHING, "fencing_token = -1", "items_counters_in_range"),
        (Status.ENRICHING, "fencing_token = 9223372036854775807", "items_counters_in_range"),
        (Status.ENRICHING, "available_at = 'infinity'", "items_times_in_range"),
        (Status.ENRICHING, "created_at = '-infinity'", "items_times_in_range"),
        (Status.ENRICHING, "updated_at = 'infinity'", "items_times_in_range"),
        (Status.ARCHIVED, "confirmed_at = '-infinity'", "items_times_in_range"),
        (Status.ENRICHING, "claimed_by = 'worker-1', claimed_at = 'infinity'", "items_times_in_range"),
        (Status.FAILED, "enrichment_error = 'what a library said'", "items_error_has_code"),
        (Status.ENRICHING, "error_reason = 'KEY_REFUSED'", "items_reason_has_error"),
        (Status.FAILED, "discarded_from = 'FAILED'", "items_discarded_from_known"),
        (Status.DISCARDED, "discarded_from = 'DISCARDED'", "items_discarded_from_known"),
        (Status.ARCHIVED, "redrafted_from = 'ARCHIVED'", "items_redrafted_from_known"),
        (Status.FAILED, "redrafted_from = 'FAILED'", "items_redrafted_from_known"),
        (Status.DISCARDED, "discarded_from = 'ARCHIVED'", "items_archived_has_confirmed_at"),
        (Status.DISCARDED, "discarded_from = 'FAILED'", "items_failed_has_error"),
        (Status.DISCARDED, "discarded_from = 'READY_TO_CONFIRM', title = NULL", "items_ready_has_result"),
        (Status.DISCARDED, "discarded_from = 'READY_TO_CONFIRM', tags = '{}'", "items_ready_has_result"),
        (Status.DISCARDED, "redrafted_from = 'ARCHIVED'", "items_archived_has_confirmed_at"),
        (Status.ENRICHING, "redrafted_from = 'ARCHIVED'", "items_archived_has_confirmed_at"),
        (Status.ENRICHING, "redrafted_from = 'READY_TO_CONFIRM'", "items_ready_has_result"),
        (Status.FAILED, "redrafted_from = 'ARCHIVED'", "items_archived_has_confirmed_at"),
        (Status.FAILED, "redrafted_from = 'READY_TO_CONFIRM'", "items_ready_has_result"),
        (Status.ARCHIVED, "request_id = ''", "items_request_id_form"),
        (Status.ARCHIVED, "request_id = E'a\\nb'", "items_request_id_form"),
        (Status.ARCHIVED, "traceparent = '00-1-2-01'", "items_traceparent_form"),
        (Status.ENRICHING, "tags = '{NULL,a}'", "items_tags_flat"),
        (Status.ENRICHING, "tags = '{{a,b},{c,d}}'", "items_tags_flat"),
    ],
)
def test_database_refuses_invalid_rows(owner: User, status: Status, change: str, constraint: str) -> None:
    item = make_item(owner, status=status)

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        sql(f"UPDATE items SET {change} WHERE id = %s", item.pk)


FORMER = {"title": "t", "summary": "s", "tags": ["a"], "sourceType": "NOTE"}


@pytest.mark.parametrize(
    "draft",
    [
        None,
        5,
        "text",
        [],
        [FORMER],
        {},
        *({name: value for name, value in FORMER.items() if name != missing} for missing in FORMER),
        *({**FORMER, name: value} for name in FORMER for value in (5, {"a": 1}, [["a"]])),
        {**FORMER, "tags": None},
        {**FORMER, "tags": "a"},
        {**FORMER, "tags": ["a", None]},
        {**FORMER, "title": ["t"]},
        {**FORMER, "sourceType": "POEM"},
    ],
    ids=json.dumps,
)
def test_database_refuses_former_drafts_of_another_form(owner: User, draft: object) -> None:
    item = make_item(owner)

    with pytest.raises(IntegrityError, match="items_former_draft_form"), transaction.atomic():
        sql("UPDATE items SET former_draft = %s WHERE id = %s", json.dumps(draft), item.pk)


@pytest.mark.parametrize(
    "draft", [FORMER, {**dict.fromkeys(FORMER), "tags": []}, {**FORMER, "more": 1}], ids=json.dumps
)
def test_former_draft_that_the_database_accepts_is_shown(owner: User, draft: dict[str, object]) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    sql("UPDATE items SET former_draft = %s WHERE id = %s", json.dumps(draft), item.pk)

    shown = Api(owner).get(f"/items/{item.pk}").json()["formerDraft"]
    item.refresh_from_db()

    assert shown == draft
    assert [name for name, _ in changes_since(item.former_draft, item)] == ["Title", "Summary", "Tags"]


# The columns that a status needs, and no others.
LEAST = {
    Status.ENRICHING: {},
    Status.READY_TO_CONFIRM: {"title": "''", "summary": "''", "tags": "'{a}'", "source_type": "'NOTE'"},
    Status.FAILED: {"enrichment_error": "'CODE: Why.'"},
    Status.ARCHIVED: {"confirmed_at": "now()"},
}


@pytest.mark.parametrize(
    ("status", "column", "former"),
    [
        *((Status.DISCARDED, "discarded_from", former) for former in LEAST),
        *((Status.FAILED, "redrafted_from", former) for former in REDRAFTABLE_STATUSES),
    ],
)
def test_every_row_that_the_database_accepts_can_be_restored(
    owner: User, status: Status, column: str, former: Status
) -> None:
    fields = {**LEAST[former], **LEAST.get(status, {}), "status": f"'{status}'", column: f"'{former}'"}
    for _ in range(2):
        sql(
            f"INSERT INTO items (owner_id, raw_text, {', '.join(fields)}) "
            f"VALUES (%s, 'text', {', '.join(fields.values())})",
            owner.pk,
        )
    first, second = Item.objects.all()

    first.restore()
    restored = Item.objects.filter(pk=second.pk).restore()

    assert restored == 1
    assert set(Item.objects.values_list("status", column)) == {(former, None)}


@pytest.mark.parametrize("former", Status)
@pytest.mark.parametrize("latter", Status)
@pytest.mark.parametrize("fields", [{}, {"enrichment_mode": EnrichmentMode.MANUAL}], ids=["AI", "manual"])
def test_database_allows_the_same_transitions_as_the_states(
    owner: User, former: Status, latter: Status, fields: dict[str, str]
) -> None:
    item = make_item(owner, status=former, **fields)
    by_the_worker = {Status.READY_TO_CONFIRM, Status.FAILED} if former == Status.ENRICHING else set()
    # Where the item was discarded is not known: the constraints of each status decide.
    restored = set(Status) if former == Status.DISCARDED else set()
    allowed = {former, *(after(item, action) for action in item.allowed_actions), *by_the_worker, *restored}
    draft = "title = 't', summary = 's', tags = '{a}', source_type = 'NOTE', confirmed_at = now()"
    change = f"UPDATE items SET status = %s, enrichment_error = 'CODE: why', {draft} WHERE id = %s"

    if latter in allowed:
        sql(change, latter, item.pk)
    else:
        with pytest.raises(IntegrityError, match=f"{former} cannot become {latter}"), transaction.atomic():
            sql(change, latter, item.pk)

    item.refresh_from_db()
    assert item.status == (latter if latter in allowed else former)


@pytest.mark.parametrize("former", [status for status in Status if status != Status.DISCARDED])
@pytest.mark.parametrize("latter", [status for status in Status if status != Status.DISCARDED])
def test_discarded_item_returns_only_to_where_it_was(owner: User, former: Status, latter: Status) -> None:
    item = make_item(owner, status=former)
    sql("UPDATE items SET status = 'DISCARDED' WHERE id = %s", item.pk)
    change = "UPDATE items SET status = %s WHERE id = %s"

    if latter == former:
        sql(change, latter, item.pk)
    else:
        with pytest.raises(IntegrityError, match=f"DISCARDED cannot become {latter}"), transaction.atomic():
            sql(change, latter, item.pk)

    item.refresh_from_db()
    assert (item.status, item.discarded_from) == ((former, None) if latter == former else ("DISCARDED", former))


@pytest.mark.parametrize("former", [Status.READY_TO_CONFIRM, Status.ARCHIVED])
@pytest.mark.parametrize("latter", [Status.READY_TO_CONFIRM, Status.ARCHIVED])
def test_failed_redraft_returns_only_to_where_it_was(owner: User, former: Status, latter: Status) -> None:
    item = make_item(owner, status=former, enrichment_mode=EnrichmentMode.MANUAL)
    sql("UPDATE items SET status = 'ENRICHING' WHERE id = %s", item.pk)
    sql("UPDATE items SET status = 'FAILED', enrichment_error = 'CODE: why' WHERE id = %s", item.pk)
    change = "UPDATE items SET status = %s, confirmed_at = now() WHERE id = %s"

    if latter == former:
        sql(change, latter, item.pk)
    else:
        with pytest.raises(IntegrityError, match=f"FAILED cannot become {latter}"), transaction.atomic():
            sql(change, latter, item.pk)

    item.refresh_from_db()
    expected = (former, None, None) if latter == former else ("FAILED", former, "CODE: why")
    assert (item.status, item.redrafted_from, item.enrichment_error) == expected
