"""What the census knows of a place, for programs and for the page."""

import pytest

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/block-groups/nearest"


def test_the_nearest_block_group_is_told_with_features_price_and_distance(client):
    found = client.get(ADDRESS, {"latitude": 37.77, "longitude": -122.42}).json()
    assert found["km"] < 1
    assert found["price"] == 250_000
    assert found["features"]["population"] == 589


def test_a_place_without_block_groups_near_is_not_found(client):
    response = client.get(ADDRESS, {"latitude": 36.17, "longitude": -115.14})
    assert response.status_code == 404
    assert "km away" in response.json()["detail"]


@pytest.mark.parametrize(
    "place",
    [{}, {"latitude": "north", "longitude": -122}, {"latitude": 91, "longitude": 0}],
)
def test_what_is_not_a_place_is_refused_by_field(client, place):
    response = client.get(ADDRESS, place)
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "latitude"


def test_not_a_number_is_near_nothing(client):
    assert client.get(ADDRESS, {"latitude": "nan", "longitude": "nan"}).status_code in (400, 404)
