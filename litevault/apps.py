from django.apps import AppConfig


class LiteVaultConfig(AppConfig):
    name = "litevault"
    verbose_name = "API access"

    def ready(self) -> None:
        from litevault import production  # noqa: F401, PLC0415  # registers its check, which needs the settings
