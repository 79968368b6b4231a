"""The admin site, with the dashboard as its index."""

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path

from items.admin.audit_trail import AuditEventAdmin
from items.admin.changelist import ItemAdmin
from items.admin.dashboard import Dashboard
from items.admin.pausing import pause_context, pause_view
from items.models import AuditEvent, Item


class ReviewSite(AdminSite):
    site_header = "LiteVault"
    site_title = "LiteVault"
    index_title = "Review"
    index_template = "admin/items/index.html"
    # The site has few tables, and the list of items needs the width.
    enable_nav_sidebar = False

    def __init__(self, name: str = "admin") -> None:
        """Register items here: `@admin.register` in this package would need the site that importing it creates."""
        super().__init__(name)
        self.register(Item, ItemAdmin)
        self.register(AuditEvent, AuditEventAdmin)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        pause = path("pause/<int:owner_id>/", self.admin_view(pause_view), name="pause_enrichment")
        return [pause, *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Add the dashboard for users who may view items."""
        waits = request.GET.get("periods") == "read"
        dashboard = Dashboard.read(waits_for_periods=waits) if request.user.has_perm("items.view_item") else None
        return super().index(request, {"dashboard": dashboard, **pause_context(request), **(extra_context or {})})
