from django.apps import AppConfig


class LiteVaultConfig(AppConfig):
    name = "litevault"
    verbose_name = "API access"
