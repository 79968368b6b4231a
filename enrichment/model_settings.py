"""The settings of one model: its own address, key, parameters, price and limits."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

ModelName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Mode = Literal["auto", "tools", "json_schema", "json"]


def none_as_null(value: object) -> object:
    """Read the text "none" as no value, because neither a variable nor TOML can express it."""
    return None if isinstance(value, str) and value.strip().lower() == "none" else value


def with_scheme(address: str) -> str:
    if address and not address.startswith(("http://", "https://")):
        raise ValueError("no http:// or https://")
    return address


Temperature = Annotated[Annotated[float, Field(ge=0, le=2)] | None, BeforeValidator(none_as_null)]
MaxTokens = Annotated[int, Field(ge=64, le=100_000)]
Address = Annotated[str, AfterValidator(with_scheme)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")]
HeaderText = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,1000}$")]
UsdPerMillion = Annotated[Decimal, Field(ge=0, le=10_000)]


class ModelSettings(BaseModel):
    """One model to try. The names are LiteLLM's where it has one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelName
    api_base: Address = ""
    """The address of this model. Empty: the provider's own."""
    api_key_env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=100)] | None = None
    """The variable that has the key for this model. None: the provider's own, but only for the provider's address."""
    api_version: str = ""
    mode: Mode = "auto"
    max_tokens: MaxTokens = 1024
    temperature: Temperature = 0.3
    """None: send none."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    extra_headers: dict[HeaderName, HeaderText] = Field(default={}, repr=False)
    input_usd_per_million: UsdPerMillion | None = None
    output_usd_per_million: UsdPerMillion | None = None
    """Both prices or none: without them, LiteLLM's price list counts."""
    requests_per_minute: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    tokens_per_minute: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None

    @model_validator(mode="after")
    def check_prices(self) -> Self:
        if (self.input_usd_per_million is None) != (self.output_usd_per_million is None):
            raise ValueError("only one price")
        return self
