"""Deletion of a user, with everything that belongs to the user."""

from time import monotonic

import structlog
from django.contrib.auth.models import User

from items.audit import attributed
from items.deletion import Deleted, delete_items_of
from items.models import EnrichmentPause

log = structlog.get_logger(__name__)


def delete_user(user: User, *, within_seconds: float = float("inf")) -> tuple[Deleted, bool]:
    """Deactivate the user, cancel calls in flight, delete the items in batches, and then the user.

    Return the numbers of deleted rows, and whether all is deleted. If not, because of the time limit, the user is
    inactive, and a further call continues.
    """
    ends_at = monotonic() + within_seconds
    # Requests with a token or a session of the user are refused from now on.
    User.objects.filter(pk=user.pk).update(is_active=False)
    items = attempts = 0
    is_complete = True
    for batch in delete_items_of(user.pk):
        items += batch.items
        attempts += batch.attempts
        if monotonic() > ends_at:
            is_complete = False
            break
    if is_complete:
        with attributed():
            EnrichmentPause.objects.filter(owner_id=user.pk).delete()
            User.objects.filter(pk=user.pk).delete()
    log.info("user.deleted", user_id=user.pk, items=items, attempts=attempts, is_complete=is_complete)
    return Deleted(items=items, attempts=attempts), is_complete
