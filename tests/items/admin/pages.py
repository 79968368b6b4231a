"""URLs of the admin, and the content of its pages."""

import re
from html import unescape

from django.test import Client
from django.urls import reverse

from items.models import Item

LIST = "/admin/items/item/"


def detail(item: Item) -> str:
    return reverse("admin:items_item_change", args=(item.pk,))


def verb(item: Item, name: str) -> str:
    return reverse(f"admin:items_item_{name}", args=(item.pk,))


def listed(page: str) -> set[str]:
    """Return the ids of the items in the list."""
    return set(re.findall(rf'href="{LIST}([0-9a-f-]{{36}})/change/', page))


def messages(page: str) -> list[str]:
    """Return the messages of the page, without their buttons."""
    page = re.sub(r' <form class="item-undo".*?</form>', "", page, flags=re.DOTALL)
    found = re.search(r'<ul class="messagelist">(.*?)</ul>', page, re.DOTALL)
    return [unescape(text.strip()) for text in re.findall(r"<li[^>]*>(.*?)</li>", found[1], re.DOTALL)] if found else []


def form_of(client: Client, item: Item) -> dict[str, str]:
    """Return the form as a browser would submit it unchanged."""
    form = client.get(detail(item)).context["adminform"].form
    return {name: str(form[name].field.prepare_value(form[name].value()) or "") for name in form.fields}
