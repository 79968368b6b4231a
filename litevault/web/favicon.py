"""The icon of browser tabs."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

SIGN = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="7" fill="#1a5da8"/>'
    '<path d="M8 8v16h7M15 12l4 12 5-16" fill="none" stroke="#fff" stroke-width="3" stroke-linejoin="round"/></svg>'
)


@require_safe
@cache_control(public=True, max_age=7 * 24 * 3600)
def favicon(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(SIGN, content_type="image/svg+xml")
