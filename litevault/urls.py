from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

from litevault.accounts import (
    pages,
    schema,  # noqa: F401  # registers the ways to authenticate
)
from litevault.accounts.logins import limit_failures
from litevault.events.views import EventsRedirect
from litevault.operations.health import healthz, readyz
from litevault.web.favicon import favicon
from litevault.web.pages import capture, home, manifest
from litevault.web.schema import SchemaView

admin.autodiscover()


@csrf_exempt
def not_found(_request: HttpRequest, _path: str) -> HttpResponse:
    """Raise Http404 for unknown URLs, so that debug mode shows no technical page."""
    raise Http404


login = LoginView.as_view(template_name="accounts/login.html", extra_context={"is_debug": settings.DEBUG})

urlpatterns = [
    path("", home, name="home"),
    path("capture", capture, name="capture"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/login/", limit_failures(admin.site.login)),
    path("admin/password_change/", RedirectView.as_view(pattern_name="password")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("items.api.urls")),
    path("api/v1/events", EventsRedirect.as_view(), name="events"),
    path("api/v1/schema", SchemaView.as_view(), name="schema"),
    path(
        "api/v1/docs",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="web/docs.html"),
        name="docs",
    ),
    path("login", limit_failures(login), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("account", pages.account, name="account"),
    path("account/password", pages.change_password, name="password"),
    path("account/tokens/<int:token_id>/revoke", pages.revoke_token, name="revoke-token"),
    path("account/sessions/others/end", pages.end_own_other_sessions, name="end-other-sessions"),
    path("account/sessions/<slug:reference>/end", pages.end_own_session, name="end-session"),
    path("manifest.webmanifest", manifest, name="manifest"),
    path("favicon.ico", favicon, name="favicon"),
    path("healthz", healthz),
    path("readyz", readyz),
    re_path(r"^(.*)$", not_found),
]
