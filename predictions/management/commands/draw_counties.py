"""From the TopoJSON of the US counties to the template of California's."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from predictions.projection import map_x, map_y

TEMPLATE = Path(settings.BASE_DIR) / "templates" / "maps" / "_counties.html"
CALIFORNIA = "06"
TOLERANCE = 0.3  # Units of the map: what is less off the line than this isn't drawn.
SMALLEST_ISLAND = 4.0  # Square units.
_PROVENANCE = (
    "{# Drawn by `manage.py draw_counties` from counties-10m.json of npm us-atlas 3.0.1 (ISC licence),"
    " boundaries of the US Census Bureau, 2017 (public domain). #}"
)

Point = tuple[float, float]


class Command(BaseCommand):
    help = "Draw California's counties as SVG paths from counties-10m.json of the npm package us-atlas."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("topojson", type=Path, help="the package's counties-10m.json")

    def handle(self, *, topojson: Path, **options) -> None:
        text = counties_svg(json.loads(topojson.read_text()))
        TEMPLATE.parent.mkdir(exist_ok=True)
        TEMPLATE.write_text(text)
        self.stdout.write(f"{TEMPLATE}: {len(text):,} bytes")


def counties_svg(topology: dict) -> str:
    """A path per county, by name, with the provenance as a comment of the template."""
    counties = [
        (county["properties"]["name"], _path(topology, county))
        for county in topology["objects"]["counties"]["geometries"]
        if county["id"].startswith(CALIFORNIA)
    ]
    paths = [f'<path data-county="{name}" d="{path}" />' for name, path in sorted(counties)]
    return "\n".join([_PROVENANCE, *paths, ""])


def _path(topology: dict, county: dict) -> str:
    polygons = county["arcs"] if county["type"] == "MultiPolygon" else [county["arcs"]]
    rings = [_ring(topology, arcs) for polygon in polygons for arcs in polygon]
    largest = max(rings, key=_area)
    return "".join(_drawn(ring) for ring in rings if ring is largest or _area(ring) >= SMALLEST_ISLAND)


def _ring(topology: dict, arcs: list[int]) -> list[Point]:
    """The points of a closed line. Each arc is thinned alone, so that neighbours keep the same border."""
    points: list[Point] = []
    for number in arcs:
        arc = _thinned(list(_projected(topology, number if number >= 0 else ~number)))
        points += arc if number >= 0 else arc[::-1]
    return [(round(x, 1), round(y, 1)) for x, y in points]


def _projected(topology: dict, number: int) -> Iterator[Point]:
    (x_scale, y_scale), (x_start, y_start) = topology["transform"]["scale"], topology["transform"]["translate"]
    x = y = 0
    for dx, dy in topology["arcs"][number]:
        x, y = x + dx, y + dy
        yield map_x(x * x_scale + x_start), map_y(y * y_scale + y_start)


def _thinned(points: list[Point]) -> list[Point]:
    """Douglas and Peucker's: only points farther than TOLERANCE from the line without them."""
    if len(points) < 3:
        return points
    distances = [_distance(point, points[0], points[-1]) for point in points[1:-1]]
    farthest = max(range(len(distances)), key=distances.__getitem__)
    if distances[farthest] <= TOLERANCE:
        return [points[0], points[-1]]
    return _thinned(points[: farthest + 2])[:-1] + _thinned(points[farthest + 1 :])


def _distance(point: Point, start: Point, end: Point) -> float:
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = (dx * dx + dy * dy) ** 0.5
    if length == 0:
        return ((point[0] - start[0]) ** 2 + (point[1] - start[1]) ** 2) ** 0.5
    return abs(dx * (start[1] - point[1]) - dy * (start[0] - point[0])) / length


def _area(ring: list[Point]) -> float:
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise([*ring, ring[0]]))) / 2


def _drawn(ring: list[Point]) -> str:
    """The line in steps, which are shorter than points."""
    start = f"M{_short(ring[0][0])} {_short(ring[0][1])}"
    steps = [(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in pairwise(ring) if (x1, y1) != (x2, y2)]
    return f"{start}l{' '.join(f'{_short(dx)} {_short(dy)}' for dx, dy in steps).replace(' -', '-')}z"


def _short(number: float) -> str:
    text = f"{number:.1f}".removesuffix(".0")
    return text.replace("0.", ".", 1) if abs(number) < 1 else text
