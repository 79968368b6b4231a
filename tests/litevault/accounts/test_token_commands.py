"""The commands list_tokens and revoke_token."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from litevault.accounts.models import ApiToken


def test_list_tells_tokens_apart_and_shows_no_secret(
    owner: User, stranger: User, capsys: pytest.CaptureFixture[str]
) -> None:
    used, secret = ApiToken.objects.issue(user=owner, name="laptop")
    ApiToken.objects.filter(pk=used.pk).update(last_used_at="2026-05-01T12:00Z")
    ApiToken.objects.issue(user=stranger, name="old", expires_at=timezone.now() - timedelta(days=1))
    ApiToken.objects.issue(user=owner, name="lost")
    ApiToken.objects.filter(name="lost").revoke()

    call_command("list_tokens")

    said = capsys.readouterr().out
    lines = {line.split()[2]: line for line in said.splitlines()[1:]}
    assert lines["laptop"].startswith(str(used.pk))
    assert f"{used.hint}  " in lines["laptop"]
    assert "Valid" in lines["laptop"]
    assert "2026-05-01 12:00" in lines["laptop"]
    assert "Expired" in lines["old"]
    assert "stranger" in lines["old"]
    assert "Revoked" in lines["lost"]
    assert secret not in said
    assert used.digest not in said


def test_list_of_one_user_leaves_the_others_out(
    owner: User, stranger: User, capsys: pytest.CaptureFixture[str]
) -> None:
    ApiToken.objects.issue(user=owner, name="mine")
    ApiToken.objects.issue(user=stranger, name="theirs")

    call_command("list_tokens", "owner")

    said = capsys.readouterr().out
    assert "mine" in said
    assert "theirs" not in said


def test_revoked_token_is_no_longer_valid(owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    kept, lost, old = (ApiToken.objects.issue(user=owner, name=name)[0] for name in ("kept", "lost", "old"))

    call_command("revoke_token", lost.pk, old.pk)
    call_command("revoke_token", lost.pk)

    assert list(ApiToken.objects.valid()) == [kept]
    assert capsys.readouterr().out.splitlines() == ["2 tokens revoked.", "0 tokens revoked."]


@pytest.mark.parametrize("unknown", [10**6, 10**30, -1])
def test_unknown_id_revokes_nothing(owner: User, unknown: int) -> None:
    token, _ = ApiToken.objects.issue(user=owner, name="laptop")

    with pytest.raises(CommandError, match=rf"There is no token {unknown}\. Nothing was revoked\."):
        call_command("revoke_token", f"{token.pk}", "--", f"{unknown}")

    assert ApiToken.objects.valid().get() == token
