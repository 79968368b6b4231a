"""The test's database: where processes find it, who is connected to it, and what becomes of an item in it."""

from urllib.parse import quote

from django.db import connection

from items.models import Item
from items.queue import LISTENER_NAME
from tests.waiting import until


def database_url(*, by_way_of: tuple[str, int] | None = None) -> str:
    """Of the test's database, as it is reached from here or through another address."""
    parts = connection.settings_dict
    host, port = by_way_of or (parts["HOST"], parts["PORT"])
    password = f":{quote(parts['PASSWORD'], safe='')}" if parts["PASSWORD"] else ""
    return f"postgresql://{parts['USER']}{password}@{host}:{port}/{parts['NAME']}"


def reaches(item: Item, status: str) -> Item:
    """Wait until the item has this status."""
    until(lambda: Item.objects.filter(pk=item.pk, status=status).exists())
    item.refresh_from_db()
    return item


def listeners_alive() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE starts_with(application_name, %s) AND datname = current_database()",
            [LISTENER_NAME],
        )
        (count,) = cursor.fetchone()
        return int(count)


def trigger_table(trigger: str) -> str:
    """Return the table of one of items.sql.EXPECTED_TRIGGERS."""
    return "enrichment_pauses" if trigger.startswith("enrichment_pauses") else "items"
