"""Support for browsers on the URLs of the API: forms that can PATCH, and a redirect afterwards."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from rest_framework import status
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from items.api.forms import IF_MATCH, METHOD, NEXT, SAVE, form_value, is_form
from items.api.reports import report


class BrowserForms(ViewSet):
    """A viewset whose URLs a browser may open.

    A form can only POST. A hidden field `_method` turns it into a PATCH, after the CSRF token was checked.
    """

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and form_value(request, METHOD) == "PATCH":
            request._request.method = "PATCH"  # for middleware, too
            self.action = self.action_map.get("patch", "")

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Redirect after a successful form, so that a reload does not submit it again."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if request.accepted_renderer.format != "api":
            return response
        if response.status_code == status.HTTP_401_UNAUTHORIZED and request.method in ("GET", "HEAD"):
            return redirect_to_login(request.get_full_path())
        # A form can send no other method: PUT and DELETE come from programs.
        if is_form(request) and request.method in ("POST", "PATCH") and status.is_success(response.status_code):
            report(request, self._done(request), response.data)
            return HttpResponse(
                status=status.HTTP_303_SEE_OTHER, headers={"Location": iri_to_uri(self._next_page(request))}
            )
        # The ETag is that of the JSON. The page needs it only for the edit form.
        response.renderer_context["etag"] = response.headers.get("ETag")
        del response.headers["ETag"]
        return response

    def _done(self, request: Request) -> str:
        """Return the name of the action of the viewset or, for a change of an item, that of the form."""
        if self.action != "partial_update":
            return str(self.action)
        action = form_value(request, "action")
        return "edit" if action in (None, "", SAVE) else str(action)

    def _next_page(self, request: Request) -> str:
        wanted = form_value(request, NEXT) or ""
        if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
            return wanted
        return reverse("pending-items")


def if_match(request: Request) -> str | None:
    """Return the ETag that a change requires: from the header, or from a hidden field of the form."""
    given = request.headers.get("If-Match")
    return form_value(request, IF_MATCH) if given is None else given
