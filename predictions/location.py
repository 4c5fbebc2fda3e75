"""Where a house can be priced: near block groups whose prices are known. The door and the worker ask the same rule."""

from mlmodel.support import HARD_KM, SOFT_KM
from predictions.contract import FieldError

SPARSE = "sparse_location"
UNSUPPORTED = "unsupported_location"


def unsupported(km: float) -> FieldError | None:
    """The error of a place whose nearest known block group is `km` away; None where it can be priced.

    The coordinate box of the contract alone admits Reno, Las Vegas and the Pacific.
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
