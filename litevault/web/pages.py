"""The entry of the site, and what lets a telephone install it and share texts with it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from items.api.renderers import capture_form

SHARED = ("title", "text", "url")
"""What the Share menu sends. A program fills one or more of them, often with the same text."""

ACCENT = "#1a5da8"  # --color-accent of theme.css, in light mode
SIZES = (192, 512)


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    return redirect("pending-items" if request.user.is_authenticated else "login")


@require_safe
@login_required
@never_cache
def capture(request: HttpRequest) -> HttpResponse:
    """Show the capture form, filled with the text that was shared. Only the person's click captures it."""
    parts: list[str] = []
    for part in (request.GET.get(name, "").strip() for name in SHARED):
        if part and not any(part in other for other in parts):
            parts = [*(other for other in parts if other not in part), part]
    return render(request, "items/browse/capture.html", capture_form({"rawText": "\n\n".join(parts)}))


@require_safe
@cache_control(public=True, max_age=24 * 3600)
def manifest(_request: HttpRequest) -> HttpResponse:
    """Return the web app manifest. A text shared by GET survives the login, which returns to the URL."""
    icons = [
        {"src": static(f"web/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size in SIZES
        for purpose in ("any", "maskable")
    ]
    content = {
        "id": "/",
        "name": "LiteVault",
        "short_name": "LiteVault",
        "description": "Capture texts, and confirm their drafts.",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "theme_color": ACCENT,
        "background_color": "#f6f7f9",
        "icons": [*icons, {"src": reverse("favicon"), "sizes": "any", "type": "image/svg+xml"}],
        "share_target": {
            "action": reverse("capture"),
            "method": "GET",
            "enctype": "application/x-www-form-urlencoded",
            "params": {name: name for name in SHARED},
        },
        "shortcuts": [{"name": "Capture a text", "url": reverse("capture")}],
    }
    return JsonResponse(content, content_type="application/manifest+json")
