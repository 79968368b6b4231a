"""The command purge."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from items import deletion
from items.admin.periods import LastDay, cost_rows
from items.models import AuditEvent, EnrichmentAttempt, IdempotencyKey, Item
from items.states import Status
from litevault.accounts.models import ApiToken
from tests.items.factories import make_attempt, make_item

ALL = ("--discarded-after", "30d", "--attempts-after", "90d", "--tokens-after", "48h", "--audit-after", "90d")


@pytest.fixture
def rows(owner: User) -> None:
    """Of each kind three rows to delete, and one to keep."""
    now = timezone.now()
    archived = make_item(owner, status=Status.ARCHIVED)
    for number, days in enumerate((0, 91, 92, 93), start=1):
        then = now - timedelta(days=days)
        make_item(owner, status=Status.DISCARDED, created_at=then, updated_at=then)
        make_attempt(archived, number=number, finished_at=then)
        token, _ = ApiToken.objects.issue(user=owner, name="old", expires_at=then + timedelta(hours=1))
        if days == 91:
            ApiToken.objects.filter(pk=token.pk).update(expires_at=None, revoked_at=then)
        IdempotencyKey.objects.create(owner=owner, key=str(days), fingerprint="", response={}, created_at=then)
        Session.objects.create(session_key=str(days), session_data="", expire_date=then + timedelta(hours=1))
    ApiToken.objects.issue(user=owner, name="for ever")
    # Issuing the tokens made five events.
    for event, days in zip(AuditEvent.objects.order_by("id"), (91, 92, 93), strict=False):
        AuditEvent.objects.filter(pk=event.pk).update(at=now - timedelta(days=days))


def counts() -> dict[str, int]:
    models: list[Any] = [Item, EnrichmentAttempt, ApiToken, IdempotencyKey, Session]
    return {model.__name__: model.objects.count() for model in models}


@pytest.mark.parametrize("batch_size", [1, 2, 500])
def test_purge_deletes_what_is_old(
    rows: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], batch_size: int
) -> None:
    monkeypatch.setattr(deletion, "BATCH_SIZE", batch_size)

    call_command("purge", *ALL)

    assert capsys.readouterr().out.splitlines() == [
        "Deleted 3 discarded items.",
        "Deleted 3 attempts of archived items.",
        "Deleted 3 revoked or expired tokens.",
        "Deleted 3 audit events.",
        "Deleted 3 expired sessions.",
        "Deleted 3 expired idempotency keys.",
    ]
    assert counts() == {"Item": 2, "EnrichmentAttempt": 1, "ApiToken": 2, "IdempotencyKey": 1, "Session": 1}


def test_dry_run_counts_and_deletes_nothing(rows: None, capsys: pytest.CaptureFixture[str]) -> None:
    before = counts()

    call_command("purge", *ALL, "--dry-run")

    out = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in out] == [["Would", "delete", "3"]] * 6
    assert counts() == before


def test_purge_without_ages_deletes_what_has_expired(rows: None) -> None:
    before = counts()

    call_command("purge")

    assert counts() == before | {"IdempotencyKey": 1, "Session": 1}


@pytest.mark.parametrize("age", ["30", "0d", "-1d", "1w", "d", "1.5d", "3651d", "999999999d", ""])
def test_other_ages_are_refused(rows: None, age: str) -> None:
    before = counts()

    with pytest.raises(CommandError, match="must be a number of days or hours, like 30d or 12h, up to 3650d"):
        call_command("purge", f"--discarded-after={age}")

    assert counts() == before


def test_purge_keeps_the_totals_of_the_admin(owner: User, rows: None) -> None:
    now = timezone.now()
    for item in Item.objects.filter(status=Status.ARCHIVED):
        for number, days in enumerate((0, 1, 3), start=10):
            finished_at = now - timedelta(days=days)
            make_attempt(item, number=number, finished_at=finished_at, prompt_tokens=7, cost_usd="0.25")
    before = cost_rows(LastDay.read())
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE overview_periods")

    call_command("purge", "--attempts-after", "1h")
    for batch in deletion.delete_items_of(owner.pk):
        assert batch
    after = cost_rows(LastDay.read())

    assert before[0].today == "7"
    assert after == before
    assert not EnrichmentAttempt.objects.exists()
