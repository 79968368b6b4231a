from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "litevault.accounts"
    verbose_name = "API access"
