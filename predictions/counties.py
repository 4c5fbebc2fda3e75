"""In which county of California a place lies, by the outlines that the page's map is drawn with."""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from django.conf import settings

from predictions.projection import map_x, map_y

_OUTLINES = Path(settings.BASE_DIR) / "templates" / "maps" / "_counties.html"
_COUNTY = re.compile(r'data-county="([^"]+)" d="([^"]+)"')
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")

Ring = tuple[tuple[float, float], ...]


def county_at(*, latitude: float, longitude: float) -> str | None:
    """The county's name; None out at sea, and in another state."""
    x, y = map_x(longitude), map_y(latitude)
    return next((name for name, rings in _counties().items() if sum(_winds(ring, x, y) for ring in rings) % 2), None)


@cache
def _counties() -> dict[str, list[Ring]]:
    return {name: list(_rings(drawn)) for name, drawn in _COUNTY.findall(_OUTLINES.read_text())}


def _rings(drawn: str) -> Iterator[Ring]:
    """The closed outlines of an SVG path that says where it begins and then only steps: `M x y l dx dy dx dy z`."""
    for outline in drawn.split("M")[1:]:
        numbers = [float(number) for number in _NUMBER.findall(outline)]
        x, y = numbers[:2]
        points = [(x, y)]
        for dx, dy in zip(numbers[2::2], numbers[3::2], strict=True):
            x, y = x + dx, y + dy
            points.append((x, y))
        yield (*points, points[0])


def _winds(ring: Ring, x: float, y: float) -> int:
    """How many edges of the outline a ray to the right of the point crosses."""
    return sum(
        (from_y > y) != (to_y > y) and x < from_x + (y - from_y) * (to_x - from_x) / (to_y - from_y)
        for (from_x, from_y), (to_x, to_y) in pairwise(ring)
    )
