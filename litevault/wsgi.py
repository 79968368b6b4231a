"""The web server's door: the API and the admin."""

import os

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "litevault.settings")

from django.conf import settings  # needs the line above

if settings.SECRET_KEY_IS_TEMPORARY:
    raise ImproperlyConfigured("Set LITEVAULT_SECRET_KEY to a long random text, or LITEVAULT_DEBUG=true.")

# Only the web server pools: the worker and the commands hold a few connections of their own.
database = settings.DATABASES["default"]
database["CONN_MAX_AGE"] = 0
database["OPTIONS"] = {**database.get("OPTIONS", {}), "pool": {"min_size": 1, "max_size": 16, "timeout": 5}}

application = get_wsgi_application()
