"""The settings of enrichment, with their types, defaults, ranges and descriptions.

Each field is read from the environment variable of the same name behind the prefix of its class:
``LLMSettings.concurrency`` is ``LITEVAULT_LLM_CONCURRENCY``.
The web side reads this module, so that it must not import a model library.
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError


def split_on_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


ModelName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ModelNames = Annotated[tuple[ModelName, ...], BeforeValidator(split_on_commas)]


class InvalidSettings(ValueError):
    """Some variables have invalid values. The message has the name and the range of each."""


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
        if "examples" in schema:
            return f"a value like {schema['examples'][0]}"
        if "enum" in schema:
            return "one of " + ", ".join(schema["enum"])
        if "minimum" in schema:
            kind = "a whole number" if schema["type"] == "integer" else "a number"
            return f"{kind} from {schema['minimum']} to {schema['maximum']}"
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
    api_base: str = Field(
        default="",
        description="The address of an OpenAI-compatible server of your own, such as http://127.0.0.1:11434/v1. "
        "Empty: the provider's own.",
    )
    mode: Literal["auto", "tools", "json_schema", "json"] = Field(
        default="auto",
        description="How the model is made to reply in a given format. auto chooses what the model supports.",
    )
    max_input_tokens: int = Field(
        default=8000, ge=100, le=1000000, description="Longer texts are cut to this many tokens."
    )
    temperature: float = Field(default=0.3, ge=0, le=2, description="The sampling temperature of the model.")
    max_tokens: int = Field(default=1024, ge=64, le=100000, description="The longest reply, in tokens.")
    timeout_seconds: float = Field(
        default=30,
        ge=0.1,
        le=600,
        description="How many seconds one try may take. An attempt may take this times the number of its tries.",
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

    @property
    def deadline_seconds(self) -> float:
        """The longest time for one item: every try at its full timeout."""
        return self.timeout_seconds * (self.max_retries + 1)

    @property
    def models(self) -> tuple[str, ...]:
        """The models to try, in order."""
        return (self.model, *self.fallback_models)


class EnrichSettings(EnvironmentSettings):
    """Settings of the worker."""

    prefix = "LITEVAULT_ENRICH_"

    max_attempts: int = Field(default=3, ge=1, le=100, description="How many attempts an item has before it fails.")
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
