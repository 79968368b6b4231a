"""The ASGI application of the events process: GET /api/v1/events and /healthz.

wsgi.py serves the API and the admin.
"""

import os

from litevault.web.startup_signals import defer_signals

defer_signals()  # first, because the imports below take a second

import django
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "litevault.settings")

from django.conf import settings  # needs the line above

from litevault.operations import error_reports
from litevault.operations.checks import deployment_errors
from postgres.transactions import IDLE_SECONDS

if found := " ".join(deployment_errors()):
    raise ImproperlyConfigured(found)

settings.DATABASES["default"]["TRANSACTION_IDLE_SECONDS"] = IDLE_SECONDS
settings.ROOT_URLCONF = "litevault.events.urls"
settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("whitenoise.")]
# A page left open reconnects its stream by itself, which must not keep the session alive.
settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
django.setup(set_prefix=False)

error_reports.start("litevault-events")

from litevault.events.application import Events  # needs models, and the middleware that is left

application = Events()
