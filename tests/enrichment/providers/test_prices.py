"""The cost of a reply: a price of the settings, of the list, none, or 0 for local models."""

from decimal import Decimal
from typing import Any

import pytest

from enrichment.model_settings import ModelSettings
from enrichment.providers.prices import cost_of

OWN_PRICE = {"input_usd_per_million": "0.15", "output_usd_per_million": "0.6"}
FREE = {"input_usd_per_million": 0, "output_usd_per_million": 0}


@pytest.mark.parametrize(
    ("price", "is_local", "listed", "cost"),
    [
        ({}, False, None, None),
        ({}, False, -0.1, None),
        ({}, False, 0, None),
        ({}, False, 0.0, None),
        ({}, False, 0.1, Decimal("0.1")),
        ({}, False, 0.0000000149, Decimal("1e-8")),
        ({}, False, 100, Decimal(100)),
        ({}, False, 100.1, None),
        ({}, True, None, Decimal(0)),
        ({}, True, 0.1, Decimal(0)),
        (OWN_PRICE, False, 0.1, Decimal("0.00027")),
        (OWN_PRICE, False, 0, Decimal("0.00027")),
        (OWN_PRICE, True, None, Decimal("0.00027")),
        (FREE, False, 0.1, Decimal(0)),
        ({"input_usd_per_million": 10_000, "output_usd_per_million": 10_000}, False, None, Decimal(12)),
    ],
)
def test_cost_is_known_or_none(
    price: dict[str, Any], is_local: bool, listed: float | None, cost: Decimal | None
) -> None:
    model = ModelSettings(model="openai/any", **price)

    assert cost_of(model, is_local=is_local, prompt_tokens=1000, completion_tokens=200, listed=listed) == cost


def test_implausible_own_cost_is_dropped() -> None:
    model = ModelSettings(model="openai/any", input_usd_per_million=10_000, output_usd_per_million=0)

    assert cost_of(model, is_local=False, prompt_tokens=10_000_000, completion_tokens=0, listed=None) is None
