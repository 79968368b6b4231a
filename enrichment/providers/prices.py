"""The cost of a reply: by the price in the settings, else by LiteLLM's price list, else unknown."""

from decimal import Decimal

from enrichment.model_settings import ModelSettings

MILLION = 1_000_000
# A higher cost is a counting error of the provider.
MAX_COST_USD = Decimal(100)


def cost_of(
    model: ModelSettings, *, is_local: bool, prompt_tokens: int, completion_tokens: int, listed: float | None
) -> Decimal | None:
    """Return the cost of a reply in US dollars, or None if it is unknown.

    `listed` is the cost by LiteLLM's list. It makes up a price of 0 for unknown names of a known family, such as
    gpt-6-mini, so that 0 counts for local models only.
    """
    input_price, output_price = model.input_usd_per_million, model.output_usd_per_million
    if input_price is not None and output_price is not None:
        cost = (prompt_tokens * input_price + completion_tokens * output_price) / MILLION
    elif is_local:
        cost = Decimal(0)
    elif listed:
        cost = Decimal(str(listed))
    else:
        return None
    return cost.quantize(Decimal("1e-8")) if 0 <= cost <= MAX_COST_USD else None
