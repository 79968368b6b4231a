"""The events process's door: GET /api/v1/events, and nothing else but its own /healthz and /metrics.

The API and the admin are served by wsgi.py.
"""

import os

from litevault.web.startup_signals import keep_signals_for_later

keep_signals_for_later()  # first, because the imports below take a second

import django
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "litevault.settings")

from django.conf import settings  # needs the line above

from litevault.operations.checks import leftovers

if found := " ".join(leftovers()):
    raise ImproperlyConfigured(found)

settings.ROOT_URLCONF = "litevault.events.urls"
settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("whitenoise.")]
django.setup(set_prefix=False)

from litevault.events.application import Events  # needs models, and the middleware that is left

application = Events()
