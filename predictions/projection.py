"""Where a place lies on the map of California: degrees to the units of its SVG.

Equirectangular: latitude and longitude each count evenly, a degree of longitude shrunk to what it measures in
mid-California. One unit is a little more than a kilometre, north is up, and the way back is two divisions.
"""

from mlmodel.features import LONGITUDE_SHRINK

WEST, NORTH = -124.6, 42.15
WIDTH, HEIGHT = 684, 776
UNITS_PER_LATITUDE = 80.0
UNITS_PER_LONGITUDE = round(UNITS_PER_LATITUDE * LONGITUDE_SHRINK, 3)


def map_x(longitude: float) -> float:
    """Degrees east -> units from the left edge."""
    return round((longitude - WEST) * UNITS_PER_LONGITUDE, 2)


def map_y(latitude: float) -> float:
    """Degrees north -> units from the top edge."""
    return round((NORTH - latitude) * UNITS_PER_LATITUDE, 2)
