"""The map of California: where degrees lie on it, and how its counties are drawn."""

import numpy as np
import pytest

from mlmodel.features import kilometres
from predictions.management.commands.draw_counties import TEMPLATE, counties_svg
from predictions.projection import HEIGHT, WIDTH, map_x, map_y


def topology(*, arcs: list, counties: list) -> dict:
    """A TopoJSON of a hundredth of a degree, from 120 degrees west and 37 north on."""
    return {
        "transform": {"scale": [0.01, 0.01], "translate": [-120, 37]},
        "arcs": arcs,
        "objects": {"counties": {"geometries": counties}},
    }


SQUARE = topology(
    arcs=[[[0, 0], [100, 0], [0, 100]], [[0, 0], [0, 100], [50, 0], [50, 0]]],
    counties=[
        {"type": "Polygon", "arcs": [[0, -2]], "id": "06001", "properties": {"name": "Square"}},
        {"type": "Polygon", "arcs": [[0, -2]], "id": "32001", "properties": {"name": "Of Nevada"}},
    ],
)


def test_a_county_is_drawn_from_its_arcs_forwards_and_back():
    assert '<path data-county="Square" d="M295.8 412l64.3 0 0-80-64.3 0 0 80z" />' in counties_svg(SQUARE)


def test_only_californias_counties_are_drawn():
    assert "Of Nevada" not in counties_svg(SQUARE)


def test_a_point_on_a_straight_line_is_left_out():
    assert counties_svg(SQUARE).count(" 0-80") == 1
    assert "-32.1" not in counties_svg(SQUARE)


def test_the_committed_map_has_every_county_and_stays_small():
    text = TEMPLATE.read_text()
    assert text.count("<path") == text.count("data-county=") == 58
    assert "us-atlas" in text
    assert len(text) < 40_000


@pytest.mark.parametrize(("latitude", "longitude"), [(42.0, -124.41), (32.54, -117.12), (34.3, -114.13)])
def test_the_corners_of_california_lie_on_the_map(latitude, longitude):
    assert 0 < map_x(longitude) < WIDTH
    assert 0 < map_y(latitude) < HEIGHT


def test_a_kilometre_is_as_long_to_the_east_as_to_the_north():
    east, north = kilometres(np.array([1.0]), np.array([1.0]))[0]
    assert (map_x(-119) - map_x(-120)) / east == pytest.approx((map_y(36) - map_y(37)) / north, rel=1e-3)
