"""What a person may set about enrichment, with its defaults and ranges.

Each field is read from the environment variable of the same name behind the prefix of its class:
``LLMSettings.concurrency`` is ``LITEVAULT_LLM_CONCURRENCY``.
The module is pure, so that the web side can read it without importing a model library.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError


def _split_on_commas(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


ModelName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ModelNames = Annotated[tuple[ModelName, ...], BeforeValidator(_split_on_commas)]


class InvalidSettings(ValueError):
    """Some variables have values that cannot be used; the message names each and its range."""


class EnvironmentSettings(BaseModel):
    """Settings that come from environment variables which share a prefix."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    prefix: ClassVar[str]

    @classmethod
    def variable(cls, field: str) -> str:
        return f"{cls.prefix}{field.upper()}"

    @classmethod
    def variables(cls) -> Iterator[tuple[str, str]]:
        """Each field with the environment variable that sets it."""
        return ((field, cls.variable(field)) for field in cls.model_fields)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], **defaults: object) -> Self:
        """Read the variables that are set and not empty.

        Raises InvalidSettings, which names the variable and what it accepts, but never its value:
        that may be a secret pasted in the wrong place.
        """
        given = {
            field: environment[name].strip() for field, name in cls.variables() if environment.get(name, "").strip()
        }
        try:
            return cls.model_validate({**defaults, **given})
        except ValidationError as error:
            fields = sorted({str(problem["loc"][0]) for problem in error.errors()})
        raise InvalidSettings("; ".join(f"{cls.variable(field)} must be {cls._accepts(field)}" for field in fields))

    @classmethod
    def _accepts(cls, field: str) -> str:
        """Say in words what a field takes, from its own JSON schema."""
        schema: dict[str, Any] = cls.model_json_schema()["properties"][field]
        if "enum" in schema:
            return "one of " + ", ".join(schema["enum"])
        if "minimum" in schema:
            kind = "a whole number" if schema["type"] == "integer" else "a number"
            return f"{kind} from {schema['minimum']:g} to {schema['maximum']:g}"
        if schema.get("type") == "array":
            return "names of up to 200 characters each, separated by commas"
        return f"a text of {schema.get('minLength', 0)} to {schema.get('maxLength', 'any number of')} characters"


class LLMSettings(EnvironmentSettings):
    """How a text is turned into a result."""

    prefix = "LITEVAULT_LLM_"

    provider: Literal["litellm", "stub"] = "litellm"
    model: ModelName = "openai/gpt-4o-mini"
    fallback_models: ModelNames = ()
    api_base: str = ""
    mode: Literal["auto", "tools", "json_schema", "json"] = "auto"
    max_input_tokens: int = Field(default=8000, ge=100, le=1000000)
    temperature: float = Field(default=0.3, ge=0, le=2)
    max_tokens: int = Field(default=1024, ge=64, le=100000)
    timeout_seconds: float = Field(default=30, ge=0.1, le=600)
    max_retries: int = Field(default=2, ge=0, le=10)
    concurrency: int = Field(default=3, ge=1, le=1000)

    @property
    def deadline_seconds(self) -> float:
        """The longest that one item may take: every try at its full timeout."""
        return self.timeout_seconds * (self.max_retries + 1)

    @property
    def models(self) -> tuple[str, ...]:
        """The models to try, in order."""
        return (self.model, *self.fallback_models)


class EnrichSettings(EnvironmentSettings):
    """How the worker treats the queue."""

    prefix = "LITEVAULT_ENRICH_"

    max_attempts: int = Field(default=3, ge=1, le=100)
    lease_seconds: float = Field(default=45, ge=1, le=3600)
    sweep_seconds: float = Field(default=15, ge=0.1, le=3600)
    grace_seconds: float = Field(default=25, ge=0, le=3600)
    per_owner_concurrency: int = Field(default=0, ge=0, le=1000)
