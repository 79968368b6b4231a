"""What a browser needs on the URLs of the API: forms that can PATCH, and a page to go to afterwards."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from rest_framework import status
from rest_framework.request import Request
from rest_framework.viewsets import ViewSet

from items.api.forms import IF_MATCH, METHOD, NEXT, form_value, is_form


class BrowserForms(ViewSet):
    """For a viewset whose URLs a person may open.

    A form can only POST: a hidden field `_method` makes it a PATCH, after the CSRF token was checked.
    """

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and form_value(request, METHOD) == "PATCH":
            request._request.method = "PATCH"  # the wrapper has no way to say it
            self.action = self.action_map.get("patch", "")

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Send the browser on after a form that went well, so that a reload does not send it again."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if request.accepted_renderer.format != "api":
            return response
        if is_form(request) and request.method != "GET" and status.is_success(response.status_code):
            return HttpResponse(status=status.HTTP_303_SEE_OTHER, headers={"Location": self._next_page(request)})
        # The tag names the JSON. The page keeps it only for its edit form.
        response.renderer_context["etag"] = response.headers.get("ETag")
        del response.headers["ETag"]
        return response

    def _next_page(self, request: Request) -> str:
        wanted = form_value(request, NEXT) or ""
        if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
            return wanted
        return reverse("pending-items")


def if_match(request: Request) -> str | None:
    """The version that a change is meant for: from the header, or from the page that the form was on."""
    given = request.headers.get("If-Match")
    return form_value(request, IF_MATCH) if given is None else given
