import os

import structlog
from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig

from litevault.settings.declaration import unknown_names

logger = structlog.get_logger(__name__)


class ReviewAdminConfig(SimpleAdminConfig):
    """Without autodiscovery: only the web process needs it, so litevault.urls does it."""

    default_site = "items.admin.site.ReviewSite"


class LiteVaultConfig(AppConfig):
    name = "litevault"
    verbose_name = "API access"

    def ready(self) -> None:
        from litevault import production  # noqa: F401, PLC0415  # registers its check, which needs the settings

        for name in unknown_names(os.environ):
            logger.warning("setting.ignored", setting=name)
