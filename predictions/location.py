"""Where a house can be priced: near block groups whose prices are known. The door and the worker ask the same rule."""

import math

from mlmodel.block_groups import nearest_block_group
from mlmodel.prices import in_dollars
from mlmodel.support import HARD_KM, SOFT_KM
from predictions.contract import FieldError

SPARSE = "sparse_location"
UNSUPPORTED = "unsupported_location"


def unsupported(km: float) -> FieldError | None:
    """The error of a place whose nearest known block group is `km` away; None where it can be priced.

    The coordinate box of the contract alone admits Las Vegas and the Pacific.
    """
    if km <= HARD_KM:
        return None
    detail = (
        f"latitude and longitude: the nearest block group with a known price is {km:.0f} km away;"
        f" places farther than {HARD_KM:.0f} km can't be priced"
    )
    return FieldError("latitude", UNSUPPORTED, detail)


def location_flags(km: float, flags: list[str]) -> list[str]:
    """`flags`, with SPARSE where known block groups are far but not too far."""
    return [*flags, SPARSE] if km > SOFT_KM and SPARSE not in flags else flags


# -- what is known of a place ----------------------------------------------------------------------------------------
class NoBlockGroup(Exception):
    """No block group of the data lies near enough to be priced."""


def block_group_near(latitude: float, longitude: float) -> dict:
    """The nearest block group of the census as JSON-ready values: features, price in whole dollars, km away.

    Raises:
        NoBlockGroup: none within HARD_KM, or not a place at all.
    """
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        raise NoBlockGroup("a place has a latitude and a longitude")
    found = nearest_block_group(latitude=latitude, longitude=longitude)
    if found.km > HARD_KM:
        raise NoBlockGroup(f"the nearest block group with a known price is {found.km:.0f} km away")
    return {"features": found.features, "price": in_dollars(found.price), "km": round(found.km, 2)}
