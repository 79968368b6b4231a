"""The settings of enrichment, with their types, defaults, ranges and descriptions.

Each field is read from the environment variable of the same name behind the prefix of its class:
``LLMSettings.concurrency`` is ``LITEVAULT_LLM_CONCURRENCY``.
The web side reads this module, so that it must not import a model library.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError

from enrichment.model_settings import Address, Mode, ModelName, ModelSettings, Temperature


def split_on_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


MAX_MODELS = 20
ModelNames = Annotated[tuple[ModelName, ...], BeforeValidator(split_on_commas)]


class InvalidSettings(ValueError):
    """Some variables have invalid values. The message has the name and the range of each."""


def text_in(path: str) -> str:
    """Return the text of a file without white space around it, or "" if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8-sig").strip()
    except (OSError, ValueError):
        return ""


class EnvironmentSettings(BaseModel):
    """Settings from environment variables that share a prefix."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    prefix: ClassVar[str]
    development_defaults: ClassVar[Mapping[str, object]] = {}

    @classmethod
    def variable(cls, field: str) -> str:
        return f"{cls.prefix}{field.upper()}"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], *, is_development: bool = False) -> Self:
        """Read the variables that are set and not empty.

        Raise InvalidSettings without the invalid values: one may be a secret in the wrong place.
        """
        variables = ((field, environment.get(cls.variable(field), "").strip()) for field in cls.model_fields)
        given = {field: value for field, value in variables if value}
        try:
            return cls.model_validate({**(cls.development_defaults if is_development else {}), **given})
        except ValidationError as error:
            fields = sorted({str(problem["loc"][0]) for problem in error.errors()})
        raise InvalidSettings("; ".join(f"{cls.variable(field)} must be {cls.accepts(field)}" for field in fields))

    @classmethod
    @cache
    def schema_of(cls, field: str) -> dict[str, Any]:
        schema: dict[str, Any] = cls.model_json_schema()["properties"][field]
        return schema

    @classmethod
    def accepts(cls, field: str) -> str:
        """Describe the valid values of a field, from its JSON schema."""
        schema = cls.schema_of(field)
        schema, ending = (schema["anyOf"][0], ", or none") if "anyOf" in schema else (schema, "")
        if "examples" in schema:
            return f"a value like {schema['examples'][0]}"
        if "enum" in schema:
            return "one of " + ", ".join(schema["enum"])
        if "minimum" in schema:
            kind = "a whole number" if schema["type"] == "integer" else "a number"
            return f"{kind} from {schema['minimum']} to {schema['maximum']}{ending}"
        if schema["type"] == "boolean":
            return "true or false"
        if schema["type"] == "array":
            return "names of up to 200 characters each, separated by commas"
        return f"a text of 1 to {schema['maxLength']} characters" if "maxLength" in schema else "a text"


class LLMSettings(EnvironmentSettings):
    """Settings of the provider."""

    prefix = "LITEVAULT_LLM_"
    development_defaults: ClassVar[Mapping[str, object]] = {"provider": "stub"}

    provider: Literal["litellm", "stub"] = Field(
        default="litellm",
        description="litellm calls a model. stub works offline, and drafts from the text's own words.",
    )
    model: ModelName = Field(
        default="openai/gpt-4o-mini",
        description="The model, as LiteLLM names it. Its key is read under its usual name, such as OPENAI_API_KEY.",
    )
    fallback_models: ModelNames = Field(
        default=(),
        description="Models to try in this order when the first gives no draft.",
    )
    api_base: Address = Field(
        default="",
        description="The address for the models of LITEVAULT_LLM_MODEL's provider, such as your own server. "
        "Empty: the provider's own.",
        examples=["http://127.0.0.1:11434/v1"],
    )
    models: str = Field(
        default="",
        description="A TOML file with several models, each with its own address, key, parameters and price, instead of "
        "LITEVAULT_LLM_MODEL, LITEVAULT_LLM_FALLBACK_MODELS and LITEVAULT_LLM_API_BASE: see docs/models.md.",
    )
    mode: Mode = Field(
        default="auto",
        description="How the model is made to reply in a given format. auto chooses what the model supports.",
    )
    max_input_tokens: int = Field(
        default=8000, ge=100, le=1000000, description="Longer texts are cut to this many tokens."
    )
    temperature: Temperature = Field(
        default=0.3, description="The sampling temperature of the model. none: the model's own."
    )
    max_tokens: int = Field(default=1024, ge=64, le=100000, description="The longest reply, in tokens.")
    timeout_seconds: float = Field(
        default=30,
        ge=0.1,
        le=600,
        description="How many seconds one try may take. An attempt may take this times the number of its tries, for "
        "each model.",
    )
    max_retries: int = Field(
        default=2,
        ge=0,
        le=10,
        description="How often a call that failed, or whose reply was not valid, is retried within one attempt.",
    )
    concurrency: int = Field(
        default=3, ge=1, le=1000, description="How many items one worker enriches at the same time."
    )
    daily_budget_usd: float = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="How many US dollars all attempts of a day may cost. Items then wait until midnight UTC. "
        "0: no limit. Set it alike for all listeners.",
    )
    daily_budget_per_owner_usd: float = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="How many US dollars the attempts of a day may cost for one owner. That owner's items then wait. "
        "0: no limit. Set it alike for all listeners.",
    )

    _chosen: ModelSettings | None = PrivateAttr(None)

    @property
    def seconds_per_model(self) -> float:
        """The longest time for one item at one model: every try at its full timeout."""
        return self.timeout_seconds * (self.max_retries + 1)

    @property
    def deadline_seconds(self) -> float:
        """The longest time for one item. Raises InvalidSettings, as `model_list` does."""
        return self.seconds_per_model * len(self.model_list)

    @property
    def _shared(self) -> dict[str, Any]:
        """The settings of models without settings of their own."""
        return {"mode": self.mode, "temperature": self.temperature, "max_tokens": self.max_tokens}

    @property
    def model_list(self) -> tuple[ModelSettings, ...]:
        """The models to try, in order. Raises InvalidSettings if the file of LITEVAULT_LLM_MODELS is not valid."""
        if self._chosen:
            return (self._chosen,)
        shared = self._shared
        if not self.models:
            return tuple(ModelSettings(model=name, **shared) for name in (self.model, *self.fallback_models))
        variable = self.variable("models")
        for field in ("model", "fallback_models", "api_base"):
            if getattr(self, field) != type(self).model_fields[field].default:
                raise InvalidSettings(f"{variable} replaces {self.variable(field)}: unset one of them")
        tables = _model_tables(self.models, variable=variable)
        return tuple(_model_of(shared | table, label=self.label_of(number)) for number, table in enumerate(tables))

    def with_one_model(self, name: str) -> Self:
        """Return the settings for this model alone, with its table in the file if there is one.

        The address is kept for models of the same provider only, so that no key travels to another provider's address.
        Raises InvalidSettings, as `model_list` does.
        """
        is_same_provider = name.partition("/")[0] == self.model.partition("/")[0]
        listed = [model for model in self.model_list if model.model == name]
        api_base = self.api_base if is_same_provider else ""
        copy = self.model_copy(update={"provider": "litellm", "api_base": api_base})
        chosen = listed[0] if listed else ModelSettings(model=name, **self._shared)
        copy._chosen = chosen  # noqa: SLF001  # its own
        return copy

    def label_of(self, number: int) -> str:
        """Return what users call the model at this place in `model_list`, for messages."""
        if self._chosen:
            return "--model"
        if self.models:
            return f"model {number + 1} of {self.variable('models')}"
        return self.variable("fallback_models" if number else "model")


def _model_tables(path: str, *, variable: str) -> list[dict[str, Any]]:
    try:
        content = tomllib.loads(text_in(path))
    except tomllib.TOMLDecodeError:
        content = {}
    match content:
        case {"model_list": [*tables], **others} if not others and all(isinstance(table, dict) for table in tables):
            if 1 <= len(tables) <= MAX_MODELS:
                return tables
    raise InvalidSettings(f"{variable} must be the path of a TOML file with 1 to {MAX_MODELS} [[model_list]] tables")


def _model_of(table: Mapping[str, Any], *, label: str) -> ModelSettings:
    try:
        return ModelSettings.model_validate(table)
    except ValidationError as error:
        fields = sorted({str((problem["loc"] or ("prices",))[0]) for problem in error.errors()})
    raise InvalidSettings(f"{label} is not valid. Look at {', '.join(fields)}: docs/models.md lists the fields")


class EnrichSettings(EnvironmentSettings):
    """Settings of the worker."""

    prefix = "LITEVAULT_ENRICH_"

    max_attempts: int = Field(default=3, ge=1, le=100, description="How many attempts an item has before it fails.")
    max_refunds: int = Field(
        default=100,
        ge=0,
        le=10000,
        description="How many attempts of an item do not count, because of an outage or a rate limit of the provider.",
    )
    lease_seconds: float = Field(
        default=45, ge=1, le=3600, description="How many seconds a silent worker keeps its items."
    )
    sweep_seconds: float = Field(
        default=15,
        ge=0.1,
        le=3600,
        description="How many seconds pass before the worker looks for due items without a notification.",
    )
    grace_seconds: float = Field(
        default=25,
        ge=0,
        le=3600,
        description="How many seconds a stopping worker has to finish the items in flight. make run sets 2.",
    )
    per_owner_concurrency: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="How many items of one owner are enriched at the same time. 0: no limit.",
    )
