from django.contrib.admin.apps import SimpleAdminConfig


class ReviewAdminConfig(SimpleAdminConfig):
    """Skip autodiscovery, which only the web process needs: litevault.urls does it."""

    default_site = "items.admin.site.ReviewSite"
