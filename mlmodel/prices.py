"""The unit of the models' prices, and where the census stopped counting."""

DOLLARS = 100_000
"""What 1 of the models' prices is in dollars of 1990."""
TOP_DOLLARS = 500_001
"""Dollars of 1990; no block group is priced higher by the census."""


def in_dollars(price: float) -> int:
    """A model's price in whole dollars of 1990."""
    return round(price * DOLLARS)
