"""The buttons that pause and resume enrichment, on the front page and on the page of a user."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST

from items.pauses import ALL_OWNERS, MAY_PAUSE, pause_enrichment, resume_enrichment, staff_pause


def pause_context(request: HttpRequest, owner_id: int = ALL_OWNERS) -> dict[str, Any]:
    """Return what admin/items/pause.html needs."""
    return {"may_pause": request.user.has_perm(MAY_PAUSE), "pause": staff_pause(owner_id), "pause_owner_id": owner_id}


@require_POST
def pause_view(request: HttpRequest, owner_id: int) -> HttpResponse:
    """Pause or resume the enrichment of the owner, or of all owners if the id is 0."""
    if not request.user.has_perm(MAY_PAUSE):
        raise PermissionDenied
    name, page = "all owners", reverse("admin:index")
    if owner_id != ALL_OWNERS:
        name = get_object_or_404(User, pk=owner_id).get_username()
        page = reverse("admin:auth_user_change", args=(owner_id,))
    match request.POST.get("action"):
        case "pause":
            pause_enrichment(owner_id)
            messages.success(request, f"Enrichment is paused for {name}. Calls in flight finish.")
        case "resume":
            resume_enrichment(owner_id)
            messages.success(request, f"Enrichment is resumed for {name}.")
        case _:
            return HttpResponseBadRequest()
    return HttpResponseRedirect(page)
