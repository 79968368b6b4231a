import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from litevault.accounts.models import ApiToken, digest_of

LIST = "/admin/accounts/apitoken/"
ADD = f"{LIST}add/"


def detail(token: ApiToken) -> str:
    return f"{LIST}{token.pk}/change/"


def form_for(user: User, **fields: str) -> dict[str, str]:
    return {"user": user.username, "name": "laptop", "expires_at": ""} | fields


@pytest.fixture
def token(owner: User) -> ApiToken:
    return ApiToken.objects.issue(user=owner, name="laptop")[0]


@pytest.fixture
def viewer(db: None) -> Client:
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_apitoken"))
    client = Client()
    client.force_login(user)
    return client


def test_only_the_digest_of_a_token_is_stored(owner: User) -> None:
    token, secret = ApiToken.objects.issue(user=owner, name="laptop")

    stored = ApiToken.objects.values().get()

    assert token.digest == digest_of(secret)
    assert secret.startswith(token.hint)
    assert not any(secret in str(value) for value in stored.values())


def test_valid_tokens_are_neither_revoked_nor_expired(owner: User) -> None:
    now = timezone.now()
    lasting, _ = ApiToken.objects.issue(user=owner, name="lasting")
    future, _ = ApiToken.objects.issue(user=owner, name="future", expires_at=now + timedelta(minutes=1))
    ApiToken.objects.issue(user=owner, name="past", expires_at=now - timedelta(minutes=1))
    ApiToken.objects.issue(user=owner, name="revoked")
    ApiToken.objects.filter(name="revoked").revoke()

    valid = ApiToken.objects.valid()

    assert set(valid) == {lasting, future}


def test_revoking_many_counts_those_that_were_not_yet(owner: User) -> None:
    for name in ("first", "second", "third"):
        ApiToken.objects.issue(user=owner, name=name)
    ApiToken.objects.filter(name="first").revoke()
    revoked_first = ApiToken.objects.get(name="first").revoked_at

    count = ApiToken.objects.all().revoke()

    assert count == 2
    assert not ApiToken.objects.valid().exists()
    assert ApiToken.objects.get(name="first").revoked_at == revoked_first


def test_secret_is_shown_once_and_opens_the_api(admin_client: Client, owner: User) -> None:
    response = admin_client.post(ADD, form_for(owner))

    token = ApiToken.objects.get()
    (secret,) = re.findall(r'value="(lv_[\w-]+)"', response.text)
    assert digest_of(secret) == token.digest
    assert (token.user, token.name) == (owner, "laptop")
    assert not any(secret in admin_client.get(page).text for page in (LIST, detail(token)))


def test_form_names_no_other_users(admin_client: Client, owner: User) -> None:
    page = admin_client.get(ADD).text

    assert 'name="user"' in page
    assert owner.username not in page


def test_secret_travels_neither_in_a_cookie_nor_through_a_cache(admin_client: Client, owner: User) -> None:
    response = admin_client.post(ADD, form_for(owner))

    assert "lv_" not in response.cookies.output()
    assert "no-store" in response.headers["Cache-Control"]


def test_token_expires_when_the_form_says_so(admin_client: Client, owner: User) -> None:
    admin_client.post(ADD, form_for(owner, expires_at="2099-12-31T23:59"))

    assert f"{ApiToken.objects.get().expires_at:%Y-%m-%d %H:%M}" == "2099-12-31 23:59"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("expires_at", "2001-01-01T00:00", "The expiry must be in the future."),
        ("expires_at", "tomorrow", "Enter a valid date/time."),
        ("name", "", "This field is required."),
        ("name", "x" * 101, "Ensure this value has at most 100 characters (it has 101)."),
        ("user", "", "This field is required."),
        ("user", "0", "There is no user with this name."),
        ("user", "own", "There is no user with this name."),
        ("user", "OWNER", "There is no user with this name."),
        ("user", "\x00", "Null characters are not allowed."),
    ],
)
def test_invalid_form_creates_no_token(
    admin_client: Client, owner: User, field: str, value: str, sentence: str
) -> None:
    response = admin_client.post(ADD, form_for(owner, expires_at="2099-01-01T00:00") | {field: value})

    assert sentence in response.text
    assert not ApiToken.objects.exists()


def test_digest_is_never_shown(admin_client: Client, token: ApiToken) -> None:
    pages = [admin_client.get(page).text for page in (LIST, detail(token), f"{LIST}{token.pk}/history/")]

    assert all(token.hint in page for page in pages[:2])
    assert not any(token.digest in page for page in pages)


def test_list_tells_valid_expired_and_revoked_apart(admin_client: Client, owner: User) -> None:
    ApiToken.objects.issue(user=owner, name="valid")
    ApiToken.objects.issue(user=owner, name="expired", expires_at=timezone.now() - timedelta(days=1))
    ApiToken.objects.issue(user=owner, name="revoked")
    ApiToken.objects.filter(name="revoked").revoke()

    page = admin_client.get(LIST).text

    assert re.findall(r'"field-state">(\w+)<', page) == ["Revoked", "Expired", "Valid"]


def test_name_of_a_token_that_is_html_is_shown_as_text(admin_client: Client, owner: User) -> None:
    name = "<script>alert(1)</script>"

    made = admin_client.post(ADD, form_for(owner, name=name))
    pages = [made, admin_client.get(LIST), admin_client.get(detail(ApiToken.objects.get()))]

    assert all("<script>alert(1)" not in page.text for page in pages)
    assert all("&lt;script&gt;alert(1)" in page.text for page in pages)


def test_button_revokes_a_token_once(admin_client: Client, token: ApiToken) -> None:
    first = admin_client.post(f"{LIST}{token.pk}/revoke/", follow=True)
    revoked_at = ApiToken.objects.get().revoked_at
    second = admin_client.post(f"{LIST}{token.pk}/revoke/", follow=True)

    assert "1 token revoked." in first.text
    assert "Revoke this token" not in first.text
    assert "Already revoked: nothing was changed." in second.text
    assert revoked_at is not None
    assert ApiToken.objects.get().revoked_at == revoked_at


def test_address_of_the_button_opened_by_hand_revokes_nothing(admin_client: Client, token: ApiToken) -> None:
    admin_client.get(f"{LIST}{token.pk}/revoke/")

    assert ApiToken.objects.valid().get() == token


def test_action_revokes_the_selected_tokens(admin_client: Client, owner: User) -> None:
    tokens = [ApiToken.objects.issue(user=owner, name=name)[0] for name in ("first", "second", "third")]
    selection = {"action": "revoke_selected", "_selected_action": [str(token.pk) for token in tokens[:2]]}

    response = admin_client.post(LIST, selection, follow=True)

    assert "2 tokens revoked." in response.text
    assert list(ApiToken.objects.valid()) == [tokens[2]]


def test_token_is_never_changed_or_deleted(admin_client: Client, token: ApiToken) -> None:
    page = admin_client.get(detail(token)).text
    answer = admin_client.post(detail(token), {"name": "other"})

    assert answer.status_code == 403
    assert 'name="_save"' not in page
    assert admin_client.get(f"{LIST}{token.pk}/delete/").status_code == 403
    assert ApiToken.objects.get().name == "laptop"


def test_viewer_can_neither_create_nor_revoke_tokens(viewer: Client, token: ApiToken, owner: User) -> None:
    page = viewer.get(detail(token)).text
    viewer.post(LIST, {"action": "revoke_selected", "_selected_action": [str(token.pk)]})
    answers = [viewer.post(address).status_code for address in (f"{LIST}{token.pk}/revoke/", ADD)]

    assert "Revoke this token" not in page
    assert answers == [403, 403]
    assert ApiToken.objects.valid().get() == token


def test_user_can_be_deleted_with_their_tokens(admin_client: Client, token: ApiToken, owner: User) -> None:
    admin_client.post(f"/admin/auth/user/{owner.pk}/delete/", {"post": "yes"})

    assert not ApiToken.objects.exists()
