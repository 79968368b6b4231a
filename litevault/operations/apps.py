import os

import structlog
from django.apps import AppConfig
from django.core.checks import Tags, register

from litevault.operations.checks import check_deployment
from litevault.settings.declaration import unknown_names

logger = structlog.get_logger(__name__)


class OperationsConfig(AppConfig):
    name = "litevault.operations"

    def ready(self) -> None:
        register(check_deployment, Tags.security, deploy=True)
        for name in unknown_names(os.environ):
            logger.warning("setting.ignored", setting=name)
