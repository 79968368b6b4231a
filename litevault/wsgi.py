"""The WSGI application of the web server: the API and the admin."""

import gc
import os

from litevault.web.startup_signals import defer_signals

defer_signals()  # first, because the imports below take a second

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "litevault.settings")

from django.conf import settings  # needs the line above

from litevault.operations import error_reports, traces
from litevault.operations.checks import deployment_errors
from litevault.web.content_type import LenientRequest
from litevault.web.worker_folder import WorkerFolder
from postgres.django.base import PooledConnection
from postgres.django.waits import POOL_CONNECTIONS
from postgres.transactions import IDLE_SECONDS

if found := " ".join(deployment_errors()):
    raise ImproperlyConfigured(found)

# Only the web server pools: the worker and the commands hold few connections.
database = settings.DATABASES["default"]
database["CONN_MAX_AGE"] = 0
database["TRANSACTION_IDLE_SECONDS"] = IDLE_SECONDS
pool = {
    "min_size": 1,
    "max_size": POOL_CONNECTIONS,
    # Then requests try to connect again, while the pool itself would try ever less often.
    "reconnect_timeout": 5,
    "connection_class": PooledConnection,
}
database["OPTIONS"] = {**database["OPTIONS"], "pool": pool}

traces.start("litevault-web")
error_reports.start("litevault-web")

folder = WorkerFolder(settings.METRICS_PORT) if settings.METRICS_PORT else None

application = get_wsgi_application()
application.request_class = LenientRequest
# What is loaded now stays. A full collection would look at all of it, while requests wait.
gc.collect()
gc.freeze()

if folder:
    from litevault.operations import metrics_port  # prometheus_client, which needs the folder

    metrics_port.serve(wait_for_turn=folder.wait_for_turn)
