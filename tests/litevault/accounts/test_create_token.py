from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from litevault.accounts.models import ApiToken, digest_of


def test_token_stands_alone_on_standard_output(owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_token", "owner")

    out, err = capsys.readouterr()
    token = ApiToken.objects.get()
    assert out.endswith("\n")
    assert digest_of(out.strip()) == token.digest
    assert (token.user, token.name) == (owner, "command line")
    assert f"owner, valid until {token.expires_at:%Y-%m-%d %H:%M} UTC" in err
    assert out.strip() not in err


def test_token_without_an_end_is_valid_until_it_is_revoked(
    owner: User, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.TOKEN_DAYS = 0

    call_command("create_token", "owner")

    assert ApiToken.objects.get().expires_at is None
    assert "owner, valid until it is revoked" in capsys.readouterr().err


def test_token_can_be_named_and_expire(owner: User) -> None:
    call_command("create_token", "owner", "--name", " my  laptop ", "--expires-in", "30")

    token = ApiToken.objects.get()
    assert token.name == "my laptop"
    assert token.expires_at is not None
    assert timedelta(days=29, hours=23) < token.expires_at - timezone.now() <= timedelta(days=30)


def test_unknown_user_is_refused_with_what_to_do(db: None) -> None:
    with pytest.raises(CommandError, match=r"There is no user nobody\. Add --create-user to create it\."):
        call_command("create_token", "nobody")

    assert not User.objects.exists()


def test_created_user_cannot_log_in_by_password(db: None) -> None:
    call_command("create_token", "robot", "--create-user")

    user = ApiToken.objects.get().user
    assert user.username == "robot"
    assert not user.has_usable_password()


def test_existing_user_is_not_created_again(owner: User) -> None:
    call_command("create_token", "owner", "--create-user")

    assert ApiToken.objects.get().user == owner


def test_user_who_is_not_active_gets_no_token(owner: User) -> None:
    User.objects.update(is_active=False)

    with pytest.raises(CommandError, match="not active"):
        call_command("create_token", "owner")

    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--expires-in", "0", "--expires-in takes 1 to 3650 days."),
        ("--expires-in", "3651", "--expires-in takes 1 to 3650 days."),
        ("--expires-in", "soon", "invalid int value"),
        ("--name", " ", "--name takes 1 to 100 characters."),
        ("--name", "x" * 101, "--name takes 1 to 100 characters."),
    ],
)
def test_option_out_of_range_is_refused_with_its_limit(owner: User, option: str, value: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        call_command("create_token", "owner", option, value)

    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("username", ["two words", "x" * 151, ""])
def test_user_with_an_invalid_name_is_not_created(db: None, username: str) -> None:
    with pytest.raises(CommandError, match="A user name consists of 1 to 150"):
        call_command("create_token", username, "--create-user")

    assert not User.objects.exists()
