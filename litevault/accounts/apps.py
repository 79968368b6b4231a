from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "litevault.accounts"
    verbose_name = "API access"

    def ready(self) -> None:
        import_module("litevault.accounts.login_events")
