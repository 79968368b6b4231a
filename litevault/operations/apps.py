import os

import structlog
from django.apps import AppConfig

from litevault.settings.declaration import unknown_names

logger = structlog.get_logger(__name__)


class OperationsConfig(AppConfig):
    name = "litevault.operations"

    def ready(self) -> None:
        from litevault.operations import checks  # noqa: F401, PLC0415  # registers its check, which needs the settings

        for name in unknown_names(os.environ):
            logger.warning("setting.ignored", setting=name)
