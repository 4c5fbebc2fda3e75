"""The curve of a price over one moved input."""

import pytest

from predictions.inputs import inputs
from predictions.units import Units
from predictions.what_if import curve_of
from tests import making

pytestmark = pytest.mark.django_db
MOVABLE = [box.field.name for box in inputs(Units()) if box.slider]


def heights(points: str) -> list[float]:
    return [float(point.split(",")[1]) for point in points.split()]


@pytest.mark.parametrize("feature", MOVABLE)
def test_every_slider_has_a_curve_that_lies_in_its_range(champions_answer, feature):
    curve = curve_of(champions_answer, feature, Units())
    line, outline = heights(curve.line), heights(curve.band)
    low, high = outline[: len(line)], outline[: len(line) - 1 : -1]
    assert all(0 <= up <= price <= down <= 100 for up, price, down in zip(high, line, low, strict=True))
    assert 0 <= curve.here_x <= 100


def test_more_income_never_lowers_the_curve(champions_answer):
    line = heights(curve_of(champions_answer, "med_inc", Units()).line)
    assert line == sorted(line, reverse=True)
    assert line[-1] < line[0]


@pytest.mark.parametrize("feature", ["latitude", "", "nonsense"])
def test_what_no_slider_moves_has_no_curve(champions_answer, feature):
    assert curve_of(champions_answer, feature, Units()) is None


def test_without_an_answer_or_its_model_there_is_no_curve():
    assert curve_of(making.accepted(), "med_inc", Units()) is None
    assert curve_of(making.answered(), "med_inc", Units()) is None


def test_the_curve_comes_with_the_explanation_of_a_moved_input(signed_in, champions_answer):
    address = f"/predictions/{champions_answer.pk}/explanation"
    assert "rooms per home</strong>" in signed_in.get(address, {"moved": "ave_rooms"}).content.decode()
    assert "curve-line" not in signed_in.get(address).content.decode()
