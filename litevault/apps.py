from django.contrib.admin.apps import SimpleAdminConfig


class ReviewAdminConfig(SimpleAdminConfig):
    """Skip autodiscovery: only the web process needs it, and litevault.urls does it."""

    default_site = "items.admin.site.ReviewSite"
