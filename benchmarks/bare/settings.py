"""LiteVault's settings, but for the URLs, and with hardly any middleware: what Django and DRF cost by themselves."""

from litevault.settings import *  # noqa: F403  # a settings module is made to be taken over whole

ROOT_URLCONF = "benchmarks.bare.urls"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]  # it says how long the answer is
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "UNAUTHENTICATED_USER": None,
}
