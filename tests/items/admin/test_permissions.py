from django.contrib.auth.models import User
from django.test import Client

from items.models import Item
from items.states import Status
from tests.items.admin.pages import LIST, detail, verb
from tests.items.factories import make_item


def test_who_is_not_staff_gets_the_login_page(client: Client, owner: User) -> None:
    client.force_login(owner)

    response = client.get(LIST, follow=True)

    assert response.redirect_chain == [(f"/admin/login/?next={LIST}", 302)]


def test_buttons_need_the_token_of_the_page(reviewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = reviewer.cookies

    addresses = (verb(item, "retry"), verb(item, "discard"), detail(item))

    assert [strict.post(address).status_code for address in addresses] == [403, 403, 403]
    assert Item.objects.get(pk=item.pk).status == Status.FAILED


def test_viewer_sees_the_item_without_buttons_and_cannot_change_it(viewer: Client, owner: User) -> None:
    item = make_item(owner, status=Status.READY_TO_CONFIRM)

    page = viewer.get(detail(item)).text
    addresses = (verb(item, "retry"), verb(item, "discard"), detail(item))
    answers = [viewer.post(address, {"title": "Forged", "_confirm": ""}).status_code for address in addresses]

    assert "Show the captured text" in page
    assert not any(button in page for button in (">Confirm</button>", ">Discard…</a>", 'name="_save"'))
    assert answers == [403, 403, 403]
    assert Item.objects.get(pk=item.pk).status == Status.READY_TO_CONFIRM


def test_who_is_not_staff_cannot_press_buttons(client: Client, owner: User) -> None:
    item = make_item(owner, status=Status.FAILED)
    client.force_login(owner)

    response = client.post(verb(item, "retry"))

    assert response.headers["Location"].startswith("/admin/login/")
    assert Item.objects.get(pk=item.pk).status == Status.FAILED
