import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client

from items.models import Item
from items.states import Status
from tests.items.admin.pages import LIST, detail, form_of, verb
from tests.items.admin.staff import staff_client
from tests.items.factories import make_item

VERBS = ("retry", "confirm", "discard")
BEFORE = {"retry": Status.FAILED, "confirm": Status.READY_TO_CONFIRM, "discard": Status.FAILED}
AFTER = {"retry": Status.ENRICHING, "confirm": Status.ARCHIVED, "discard": Status.DISCARDED}


def test_user_without_staff_status_gets_the_login_page(client: Client, owner: User) -> None:
    client.force_login(owner)

    response = client.get(LIST, follow=True)

    assert response.redirect_chain == [(f"/admin/login/?next={LIST}", 302)]


def test_buttons_need_the_csrf_token(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = reviewer.cookies

    addresses = [*(verb(item, name) for name in VERBS), detail(item)]

    assert [strict.post(address).status_code for address in addresses] == [403, 403, 403, 403]
    assert Item.objects.get(pk=item.pk).status == Status.FAILED


def test_viewer_sees_no_buttons_and_cannot_change_items(viewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    page = viewer.get(detail(item)).text
    addresses = [*(verb(item, name) for name in VERBS), detail(item)]
    answers = [viewer.post(address, {"title": "Forged", "_confirm": ""}).status_code for address in addresses]

    assert "Captured text</h2>" in page
    assert not any(button in page for button in (">Confirm</button>", ">Discard…</a>", 'name="_save"'))
    assert answers == [403, 403, 403, 403]
    assert Item.objects.get(pk=item.pk).status == Status.READY_TO_CONFIRM


def test_user_without_staff_status_cannot_act(client: Client, owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)
    client.force_login(owner)

    response = client.post(verb(item, "retry"))

    assert response.headers["Location"].startswith("/admin/login/")
    assert Item.objects.get(pk=item.pk).status == Status.FAILED


@pytest.mark.parametrize("name", VERBS)
def test_each_action_needs_only_its_own_permission(owner: User, name: str) -> None:
    item = make_item(owner, status=BEFORE[name])
    others = [f"{each}_item" for each in ("change", *VERBS) if each != name]
    without = staff_client("without", "view_item", *others)
    only = staff_client("only", "view_item", f"{name}_item")
    bulk = {"action": f"{name}_selected", "index": "0", "_selected_action": [str(item.pk)], "confirmed": "yes"}

    refused = without.post(verb(item, name)).status_code
    without.post(LIST, bulk)
    untouched = Item.objects.get(pk=item.pk).status
    only.post(verb(item, name))

    assert refused == 403
    assert untouched == BEFORE[name]
    assert Item.objects.get(pk=item.pk).status == AFTER[name]


@pytest.mark.parametrize("name", VERBS)
def test_bulk_action_needs_only_its_own_permission(owner: User, name: str) -> None:
    item = make_item(owner, status=BEFORE[name])
    only = staff_client("only", "view_item", f"{name}_item")
    bulk = {"index": "0", "_selected_action": [str(item.pk)], "confirmed": "yes"}

    offered = [each for each in VERBS if f'value="{each}_selected"' in only.get(LIST).text]
    only.post(LIST, bulk | {"action": f"{name}_selected"})

    assert offered == [name]
    assert Item.objects.get(pk=item.pk).status == AFTER[name]


@pytest.mark.parametrize("name", VERBS)
def test_action_without_the_view_permission_is_refused(owner: User, name: str) -> None:
    item = make_item(owner, status=BEFORE[name])
    blind = staff_client("blind", f"{name}_item")

    answers = [blind.post(verb(item, name)), blind.get(verb(item, "preview")), blind.get(LIST)]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert Item.objects.get(pk=item.pk).status == BEFORE[name]


def test_editor_without_confirm_permission_cannot_confirm(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    editor = staff_client("editor", "view_item", "change_item")
    form = form_of(editor, item) | {"title": "Edited"}

    page = editor.get(detail(item)).text
    refused = editor.post(detail(item), form | {"_confirm": ""}).status_code
    untouched = Item.objects.get(pk=item.pk)
    editor.post(detail(item), form | {"_save": ""})

    assert ">Confirm</button>" not in page
    assert (refused, untouched.status, untouched.title) == (403, Status.READY_TO_CONFIRM, item.title)
    assert Item.objects.get(pk=item.pk).title == "Edited"


def test_confirmer_without_edit_permission_confirms_shown_draft(owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)
    confirmer = staff_client("confirmer", "view_item", "confirm_item")

    page = confirmer.get(detail(item)).text
    item.edit(title="Changed meanwhile")
    confirmer.post(confirm_url_on(page))
    untouched = Item.objects.get(pk=item.pk).status
    confirmer.post(confirm_url_on(confirmer.get(detail(item)).text))

    assert 'name="title"' not in page
    assert untouched == Status.READY_TO_CONFIRM
    assert Item.objects.get(pk=item.pk).status == Status.ARCHIVED


def confirm_url_on(page: str) -> str:
    (url,) = re.findall(r'formaction="([^"]*)"[^>]*>Confirm</button>', page)
    return unescape(url)


def test_dashboard_needs_the_permission_to_view_items(viewer: Client, owner: User) -> None:
    make_item(owner)
    other = staff_client("other", "view_user")

    assert "Waiting for a worker" in viewer.get("/admin/").text
    page = other.get("/admin/")
    assert page.status_code == 200
    assert "Waiting for a worker" not in page.text
