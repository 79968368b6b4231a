"""The Django settings. Those that the environment sets are declared in declaration.py."""

import os
import secrets

from environ import Env
from psycopg import IsolationLevel

from litevault import __version__
from litevault.dotenv import read_dotenv
from litevault.home import HOME
from litevault.operations.logging import configure_logging
from litevault.settings.declaration import database_config, read
from postgres.conninfo import APPLICATION_NAME

BASE_DIR = HOME
VERSION = __version__

read_dotenv()
PROJECT, LLM, ENRICH = read(Env.ENVIRON)

DEBUG = PROJECT.debug
# Set by `manage.py up` for its processes only. It is no setting: with it, programs on this machine act as any user.
DEVELOPMENT_MARK = "_LITEVAULT_DEVELOPMENT"
DEVELOPMENT_USERS = DEBUG and os.environ.get(DEVELOPMENT_MARK) == "1"

# Commands work without a key. The web server refuses to start without one (operations/checks.py), because a random
# key would end all sessions at each restart.
SECRET_KEY = PROJECT.secret_key.get_secret_value()
SECRET_KEY_IS_TEMPORARY = not SECRET_KEY and not DEBUG
DEVELOPMENT_KEY = "development-only, never used when LITEVAULT_DEBUG is off"
SECRET_KEY = SECRET_KEY or (DEVELOPMENT_KEY if DEBUG else secrets.token_urlsafe(50))
ALLOWED_HOSTS = list(PROJECT.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(PROJECT.csrf_trusted_origins)
CSRF_FAILURE_VIEW = "litevault.web.error_middleware.refuse_csrf"

# In production a proxy terminates TLS, and cookies are sent over HTTPS only.
SECURE_PROXY_SSL_HEADER = None if DEBUG else ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SECURE_HSTS_SECONDS = 0 if DEBUG else 30 * 24 * 3600
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # HSTS for subdomains is up to the owner of the domain
    "security.W008",  # the proxy redirects to HTTPS; probes from inside use HTTP
    "security.W021",  # the preload list is permanent, and up to the owner of the domain
]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "litevault.web",
    "litevault.accounts",
    "litevault.operations",
    "litevault.development",
    "items",
    "enrichment",
    # After litevault.web and items, whose templates replace the admin's.
    "litevault.apps.ReviewAdminConfig",
    "django.forms",
]
# With our template for the attributes of fields, in litevault.web.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

MIDDLEWARE = [
    "litevault.web.hostile_headers.HostileHeadersMiddleware",
    "litevault.web.http_metrics.HttpMetricsMiddleware",
    "litevault.web.request_id.RequestIdMiddleware",
    "litevault.web.version.VersionMiddleware",
    "litevault.web.security_headers.SecurityHeadersMiddleware",
    "litevault.web.error_middleware.ErrorMiddleware",
    "litevault.web.stuck_commits.StuckCommitsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "litevault.accounts.fairness.FairnessMiddleware",
    "litevault.web.request_body.BodyMiddleware",
    "litevault.web.form_data.StrictFormsMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "litevault.accounts.actors.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

# Web clients elsewhere send their token in the Authorization header, and no cookies.
CORS_ALLOWED_ORIGINS = list(PROJECT.cors_origins)
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "x-request-id",
)
CORS_EXPOSE_HEADERS = ("ETag", "Idempotency-Replayed", "Location", "Retry-After", "X-LiteVault-Version", "X-Request-Id")
if CORS_ALLOWED_ORIGINS:
    INSTALLED_APPS.append("corsheaders")
    # Outside the one that makes error responses, so that a script can read these, too.
    MIDDLEWARE.insert(
        MIDDLEWARE.index("litevault.web.error_middleware.ErrorMiddleware"), "corsheaders.middleware.CorsMiddleware"
    )

ROOT_URLCONF = "litevault.urls"
WSGI_APPLICATION = "litevault.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Without a database address, manage.py starts the embedded server and sets DATABASE_URL before this is read.
# The placeholder lets tools that only read the models (mypy, makemigrations) run without a server.
DATABASE = database_config(PROJECT.database_url.get_secret_value() or "postgresql://litevault@127.0.0.1:5432/litevault")
# So that a connection to a machine that is gone ends within half a minute instead of minutes or hours.
KEEPALIVES = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
DATABASES = {
    "default": {
        **DATABASE,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        # Behind PgBouncer in transaction mode a cursor would be opened on one connection and read on another.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        # What the address says has precedence, and a name that PGAPPNAME gives.
        "OPTIONS": {
            "fallback_application_name": APPLICATION_NAME,
            **KEEPALIVES,
            "isolation_level": IsolationLevel.READ_COMMITTED,
            **DATABASE["OPTIONS"],
        },
    }
}
STATEMENT_SECONDS = PROJECT.statement_seconds
LISTEN_DATABASE_URL = PROJECT.listen_database_url.get_secret_value()

TEXT_MAX_LENGTH = PROJECT.text_max_length
# litevault.web.request_body enforces it. A character has up to 12 bytes: four of UTF-8 in a form (%F0%9F%98%80), or two
# escapes in JSON (\ud83d\ude00). The rest is for the other fields.
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * TEXT_MAX_LENGTH + 64 * 1024

THROTTLE_PER_MINUTE = PROJECT.throttle_per_minute
REQUESTS_AT_ONCE = PROJECT.requests_at_once
LOGIN_FAILURES_PER_ADDRESS = PROJECT.login_failures_per_address
LOGIN_FAILURES_PER_NAME = PROJECT.login_failures_per_name
# The number of our proxies decides which address in X-Forwarded-For is trustworthy.
PROXIES = PROJECT.proxies

SESSION_ENGINE = "litevault.accounts.sessions"
SESSION_IDLE_MINUTES = PROJECT.session_idle_minutes
TOKEN_DAYS = PROJECT.token_days
METRICS_ADDRESS = str(PROJECT.metrics_address)
METRICS_PORT = PROJECT.metrics_port
EVENTS_METRICS_PORT = PROJECT.events_metrics_port

EVENTS_HEARTBEAT_SECONDS = PROJECT.events_heartbeat_seconds
EVENTS_PORT = PROJECT.events_port
EVENTS_STREAMS = PROJECT.events_streams
EVENTS_STREAMS_PER_USER = PROJECT.events_streams_per_user

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "litevault.accounts.authentication.TokenAuthentication",
        "litevault.accounts.authentication.DevelopmentAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_THROTTLE_CLASSES": ["litevault.accounts.throttling.UserThrottle"],
    "NUM_PROXIES": PROXIES,
    "DEFAULT_PARSER_CLASSES": [
        "litevault.web.parsers.StrictJSONParser",
        "litevault.web.parsers.FormParser",
        "litevault.web.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer", "items.api.renderers.PageRenderer"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "litevault.web.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "LiteVault",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": False,
        "displayRequestDuration": True,
        "persistAuthorization": False,
        "defaultModelsExpandDepth": 0,
        "syntaxHighlight": False,
    },
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_PATCH": False,
    "PARSER_WHITELIST": ["litevault.web.parsers.StrictJSONParser"],
    "ENUM_NAME_OVERRIDES": {
        "Status": "items.states.Status",
        "SourceType": "items.states.SourceType",
        "EnrichmentMode": "items.states.EnrichmentMode",
        "Outcome": "items.states.Outcome",
        "Action": "items.states.Action",
        "ChangeAction": [("confirm", "confirm"), ("discard", "discard")],
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "litevault.web.schema.document_errors",
        "litevault.web.schema.document_required_bodies",
        "litevault.web.schema.document_empty_parameters",
        "litevault.web.first_hour.document_optional_fields",
        "litevault.web.first_hour.order_by_first_use",
        "litevault.web.first_hour.describe",
        "litevault.accounts.schema.hide_development_header",
    ],
}
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "pending-items"
LOGOUT_REDIRECT_URL = "login"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {},
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
        "NumericPasswordValidator": {},
    }.items()
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
# All texts are English. With translations, drf-spectacular would keep one object for each value of ?lang= in memory.
USE_I18N = False

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = DEBUG
if not DEBUG:
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "litevault.web.static_files.StaticFilesStorage"},
    }

LOGGING_CONFIG = None
configure_logging(log_format=PROJECT.log_format, level=PROJECT.log_level)
