"""Every setting, declared once: ProjectSettings here, and the settings of enrichment in enrichment/config.py.

Their pydantic fields hold type, default, range and sentence. Settings, error messages, the doctor's list, .env.example
and docs/settings.md are made from them.
"""

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, BeforeValidator, Field, IPvAnyAddress, SecretStr, StringConstraints

from enrichment.config import (
    EnrichSettings,
    EnvironmentSettings,
    InvalidSettings,
    LLMSettings,
    split_on_commas,
    text_in,
)
from items.suggestions import did_you_mean

PREFIX = "LITEVAULT_"
SCHEMES = ("postgresql", "postgres", "psql", "pgsql")
NAMES_OF_DJANGO = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}


def database_config(url: str) -> dict[str, Any]:
    """Return Django's configuration for a PostgreSQL address. Raises ValueError for any other.

    libpq parses it, because django-environ does not know all of its forms, and warns of others with the whole address.
    """
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in SCHEMES:
        raise ValueError("not a PostgreSQL address")
    parameters = _parsed(f"postgresql://{rest}")
    if not parameters.get("dbname") and "service" not in parameters:
        raise ValueError("no database is named")
    config: dict[str, Any] = {ours: parameters.pop(theirs, "") for ours, theirs in NAMES_OF_DJANGO.items()}
    return {**config, "ENGINE": "postgres.django", "OPTIONS": parameters}


def _parsed(conninfo: str) -> dict[str, Any]:
    """Raises ValueError without the connection string, which may contain a password."""
    try:
        parameters: dict[str, Any] = conninfo_to_dict(conninfo)
    except ProgrammingError:
        raise ValueError("not a connection string") from None
    ports = str(parameters.get("port") or "").split(",")
    # libpq would find out only when it connects, and its message would show what follows an @ in the password.
    if "@" in str(parameters.get("host") or "").lstrip("@") or not all(port.isdigit() or not port for port in ports):
        raise ValueError("not a host and a port")
    return parameters


def _check_database_url(url: SecretStr) -> SecretStr:
    database_config(url.get_secret_value())
    return url


def _check_conninfo(conninfo: SecretStr) -> SecretStr:
    _parsed(conninfo.get_secret_value())
    return conninfo


HostName = Annotated[str, StringConstraints(max_length=200)]
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+$")]


class ProjectSettings(EnvironmentSettings):
    """The database, the web server, live events and the log."""

    prefix = PREFIX
    development_defaults: ClassVar[Mapping[str, object]] = {"proxies": 0, "log_format": "console"}

    database_url: Annotated[SecretStr, AfterValidator(_check_database_url)] = Field(
        default=SecretStr(""),
        description="The database: PostgreSQL 15 to 18. Empty: an embedded server in var/postgres, for development.",
        examples=["postgresql://user:password@host:5432/name"],
    )
    listen_database_url: Annotated[SecretStr, AfterValidator(_check_conninfo)] = Field(
        default=SecretStr(""),
        description="PostgreSQL's own address, when DATABASE_URL leads through a pooler in transaction mode. "
        "Empty: DATABASE_URL.",
        examples=["postgresql://user:password@host:5432/name"],
    )
    pg_bin: str = Field(
        default="",
        description="The folder of PostgreSQL's programs, for the embedded server. "
        "Empty: the package's own, else the system's.",
    )
    debug: bool = Field(
        default=False,
        description="true only on your own machine: shows details of errors, and needs no LITEVAULT_SECRET_KEY.",
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""),
        description="A long random text. The web server does not start without it, unless LITEVAULT_DEBUG is true.",
    )
    allowed_hosts: Annotated[tuple[HostName, ...], BeforeValidator(split_on_commas)] = Field(
        default=(), description="The host names of the web server."
    )
    csrf_trusted_origins: Annotated[tuple[Origin, ...], BeforeValidator(split_on_commas)] = Field(
        default=(),
        description="The origins that may post forms, each with its scheme.",
        examples=["https://vault.example.com, https://www.example.com"],
    )
    cors_origins: Annotated[tuple[Origin, ...], BeforeValidator(split_on_commas)] = Field(
        default=(),
        description="The origins of web clients elsewhere, whose scripts may use the API and its events with a token. "
        "Empty: none.",
        examples=["https://notes.example.com, http://localhost:5173"],
    )
    statement_seconds: int = Field(
        default=15,
        ge=1,
        le=3600,
        description="How many seconds the web server waits for one statement of the database. After that, the request "
        "ends with 503.",
    )
    text_max_length: int = Field(
        default=100_000,
        ge=10_000,
        le=1_000_000,
        description="How many characters a captured text may have. Longer texts that are stored already stay as they "
        "are. Set it alike for the web server and the commands.",
    )
    throttle_per_minute: int = Field(
        default=600,
        ge=0,
        le=1_000_000,
        description="How many requests one user may send to the API in a minute. 0: no limit.",
    )
    requests_at_once: int = Field(
        default=8,
        ge=4,
        le=1000,
        description="How many requests of one user a web worker handles at once. A search counts as 4, and so does the "
        "list of tags. Those that run at the same time may take half of the number; others wait for their turn. "
        "Further requests get 429.",
    )
    login_failures_per_name: int = Field(
        default=20, ge=0, le=1_000_000, description="How many logins may fail in a minute for one name. 0: no limit."
    )
    login_failures_per_address: int = Field(
        default=10,
        ge=0,
        le=1_000_000,
        description="How many logins may fail in a minute from one address. 0: no limit.",
    )
    session_idle_minutes: int = Field(
        default=24 * 60,
        ge=15,
        le=14 * 24 * 60,
        description="After how many minutes without a request a login in a browser ends. Two weeks after the login it "
        "ends in any case.",
    )
    token_days: int = Field(
        default=365,
        ge=0,
        le=3650,
        description="After how many days an API token expires that was issued without an end. 0: never.",
    )
    proxies: int = Field(
        default=1, ge=0, le=10, description="How many proxies in front of the web server add to X-Forwarded-For."
    )
    events_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="The port of the events process on the web server's host, to which the web server redirects "
        "clients. make run sets it. 0: a proxy passes /api/v1/events to it.",
    )
    events_heartbeat_seconds: int = Field(
        default=15,
        ge=1,
        le=3600,
        description="How many seconds pass between two heartbeats on an open stream of events.",
    )
    events_streams: int = Field(
        default=500, ge=1, le=100_000, description="How many streams one events process keeps open."
    )
    events_streams_per_user: int = Field(
        default=20, ge=1, le=100_000, description="How many streams one events process keeps open for one user."
    )
    metrics_port: int = Field(
        default=0,
        ge=0,
        le=65535,
        description="The port at which the web server serves /metrics, /healthz and /readyz to Prometheus and probes. "
        "0: none.",
    )
    events_metrics_port: int = Field(default=0, ge=0, le=65535, description="The same for the events process. 0: none.")
    metrics_address: IPvAnyAddress = Field(
        default=IPv4Address("127.0.0.1"),
        description="The IP address of these two ports. They need no login.",
        examples=["0.0.0.0"],  # noqa: S104  # for a container, on purpose
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="json for machines, or console with colours for a terminal."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The lowest level to log."
    )

    @classmethod
    def variable(cls, field: str) -> str:
        return "DATABASE_URL" if field == "database_url" else super().variable(field)


class Setting(NamedTuple):
    """One setting, from its field."""

    group: type[EnvironmentSettings]
    field: str

    @property
    def name(self) -> str:
        return self.group.variable(self.field)

    @property
    def file_name(self) -> str:
        """The variable that names a file with the value, for a secret setting."""
        return f"{self.name}_FILE"

    @property
    def sentence(self) -> str:
        return str(self.group.model_fields[self.field].description)

    @property
    def accepts(self) -> str:
        return self.group.accepts(self.field)

    @property
    def is_secret(self) -> bool:
        return self.group.model_fields[self.field].annotation is SecretStr

    @property
    def is_address(self) -> bool:
        return self.field.endswith("database_url")

    @property
    def default(self) -> str:
        return text_of(self.group.model_fields[self.field].default)

    @property
    def development_default(self) -> str:
        return text_of(self.group.development_defaults.get(self.field, self.default))


GROUPS: tuple[type[EnvironmentSettings], ...] = (ProjectSettings, LLMSettings, EnrichSettings)
SETTINGS = tuple(Setting(group, field) for group in GROUPS for field in group.model_fields)


def text_of(value: object) -> str:
    """Write a value as an environment variable holds it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def read(environment: Mapping[str, str]) -> tuple[ProjectSettings, LLMSettings, EnrichSettings]:
    """Read every setting.

    Raises ImproperlyConfigured for an invalid value, and in development for an unknown name.
    """
    environment = with_secrets_from_files(environment)
    try:
        debug = ProjectSettings.from_environment(environment).debug
        project = ProjectSettings.from_environment(environment, is_development=debug)
        llm = LLMSettings.from_environment(environment, is_development=debug)
        enrich = EnrichSettings.from_environment(environment, is_development=debug)
    except InvalidSettings as error:
        raise ImproperlyConfigured(f"{error}.") from None
    if debug and (names := unknown_names(environment)):
        unknown = " ".join(f"Unknown setting {name}.{did_you_mean(name, known_names())}" for name in names)
        raise ImproperlyConfigured(f"{unknown} docs/settings.md lists all settings.")
    return project, llm, enrich


def with_secrets_from_files(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the secrets that NAME_FILE variables lead to. Raises ImproperlyConfigured."""
    values = dict(environment)
    for setting in SETTINGS:
        if setting.is_secret and (path := environment.get(setting.file_name, "").strip()):
            if environment.get(setting.name, "").strip():
                raise ImproperlyConfigured(f"{setting.name} and {setting.file_name} are both set. Unset one of them.")
            values[setting.name] = text_in(path)
            if not values[setting.name]:
                raise ImproperlyConfigured(f"{setting.file_name} must be the path of a readable text file, not empty.")
    return values


def unknown_names(environment: Mapping[str, str]) -> list[str]:
    """Return the names with our prefix that no setting has, which are most likely typing mistakes."""
    known = known_names()
    return sorted(name for name in environment if name.upper().startswith(PREFIX) and name not in known)


def known_names() -> set[str]:
    return {setting.name for setting in SETTINGS} | {setting.file_name for setting in SETTINGS if setting.is_secret}
