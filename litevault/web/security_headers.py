"""Response headers that keep a page from loading, sending or being framed by anything foreign."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

# The style of error.html, which needs no other file.
ERROR_STYLE = "sha256-EID/dKfTPL9RGH7ByefkJ4CJbh0lZ3dc+jZ28UMUwLw="

# No other inline scripts and styles: ours are files. Swagger UI and Django's admin draw with images in data URLs.
DIRECTIVES = (
    "default-src 'none'",
    "base-uri 'none'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "img-src 'self' data:",
    "manifest-src 'self'",
    "script-src 'self'",
    f"style-src 'self' '{ERROR_STYLE}'",
)
# In development the events come from another port of the same host.
OTHER_PORT = "connect-src 'self' *:{}"
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class SecurityHeadersMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        port = settings.EVENTS_PORT
        of_events = {"connect-src 'self'": OTHER_PORT.format(port)} if port else {}
        self._policy = "; ".join(of_events.get(directive, directive) for directive in DIRECTIVES)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self._policy)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response
