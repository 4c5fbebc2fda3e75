"""The eight inputs of every model, and the location columns made from them. No Django in here."""

from collections.abc import Iterable, Mapping
from operator import itemgetter

import numpy as np

FEATURES = (
    "med_inc",  # $10,000 of 1990
    "house_age",  # years; 52 means 52 or more
    "ave_rooms",  # per household
    "ave_bedrms",  # per household
    "population",  # people in the block group
    "ave_occup",  # people per household
    "latitude",  # degrees
    "longitude",  # degrees
)
MED_INC, HOUSE_AGE, AVE_ROOMS, AVE_BEDRMS, POPULATION, AVE_OCCUP, LATITUDE, LONGITUDE = range(8)

KM_PER_DEGREE = 111.32
LONGITUDE_SHRINK = float(np.cos(np.radians(36.5)))  # a degree of longitude against one of latitude, mid-California

_CITIES = {  # latitude, longitude
    "Los Angeles": (34.05, -118.24),
    "San Francisco": (37.77, -122.42),
    "San Diego": (32.72, -117.16),
    "San Jose": (37.34, -121.89),
    "Sacramento": (38.58, -121.49),
    "Santa Barbara": (34.42, -119.70),
    "Monterey": (36.60, -121.89),
}
_SHORE = np.array(  # latitude, longitude, from the border with Oregon to the one with Mexico
    [
        (41.99, -124.21), (41.05, -124.15), (40.44, -124.41), (39.30, -123.80), (38.31, -123.05), (37.99, -122.97),
        (37.78, -122.51), (37.10, -122.28), (36.95, -122.03), (36.80, -121.79), (36.60, -121.89), (36.30, -121.89),
        (35.67, -121.28), (35.14, -120.64), (34.58, -120.65), (34.45, -120.47), (34.41, -119.69), (34.27, -119.29),
        (34.00, -118.81), (34.01, -118.50), (33.74, -118.41), (33.72, -118.11), (33.60, -117.90), (33.19, -117.39),
        (32.84, -117.28), (32.53, -117.12),
    ]
)  # fmt: skip
_ANGLES = np.radians([15, 30, 45, 60, 75])

GEOGRAPHY_COLUMNS = (
    *FEATURES,
    "bedrooms_per_room",
    "rooms_per_person",
    "log_households",
    "shore_km",
    *(f"axis_{angle}" for angle in (15, 30, 45, 60, 75)),
    *(f"{city.lower().replace(' ', '_')}_km" for city in _CITIES),
)

_values_of = itemgetter(*FEATURES)


def matrix(rows: Iterable[Mapping[str, float]]) -> np.ndarray:
    """The eight features of each row as an (n, 8) float64 array; key order never matters.

    Raises KeyError when a row lacks a feature, TypeError or ValueError when one is not a number.
    """
    return np.array([_values_of(row) for row in rows], dtype=np.float64).reshape(-1, len(FEATURES))


def kilometres(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Degrees (n,) each -> (n, 2) float64, km east and north on a flat California (errors below 6 % at its ends)."""
    return np.column_stack([longitude * (LONGITUDE_SHRINK * KM_PER_DEGREE), latitude * KM_PER_DEGREE])


def places(X: np.ndarray) -> np.ndarray:
    """(n, 8) features -> (n, 2) km east and north."""
    return kilometres(X[:, LATITUDE], X[:, LONGITUDE])


_SHORE_KM = kilometres(*_SHORE.T)
_SHORE_START, _SHORE_STEP = _SHORE_KM[:-1], np.diff(_SHORE_KM, axis=0)
_SHORE_LENGTH2 = (_SHORE_STEP**2).sum(axis=1)
_CITIES_KM = kilometres(*np.array(list(_CITIES.values())).T)
_ROTATION = np.vstack([np.cos(_ANGLES), np.sin(_ANGLES)])


def shore_km(at: np.ndarray) -> np.ndarray:
    """(n, 2) km places -> (n,) km to the nearest point of a 25-piece outline of the shore."""
    offset = at[:, None] - _SHORE_START
    along = np.clip((offset * _SHORE_STEP).sum(axis=2) / _SHORE_LENGTH2, 0, 1)
    away = offset - along[:, :, None] * _SHORE_STEP
    return np.sqrt((away * away).sum(axis=2).min(axis=1))


def log_households(X: np.ndarray) -> np.ndarray:
    """(n, 8) features -> (n,) natural log of the number of households, at least 0."""
    return np.log(np.maximum(X[:, POPULATION] / X[:, AVE_OCCUP], 1))


def geography(X: np.ndarray) -> np.ndarray:
    """(n, 8) features -> (n, 24) float32, the columns of `GEOGRAPHY_COLUMNS`.

    float32 because ONNX serves float32: a model trained on float64 columns moves 3-10 % of rows when served. Only the
    first column holds the income, so one monotone constraint is enough. Distances to cities, the shore and rotated
    axes let axis-parallel trees follow California's diagonal coast.
    """
    at = places(X)
    columns = np.empty((len(X), len(GEOGRAPHY_COLUMNS)), np.float32)
    columns[:, :8] = X
    columns[:, 8] = X[:, AVE_BEDRMS] / X[:, AVE_ROOMS]
    columns[:, 9] = X[:, AVE_ROOMS] / X[:, AVE_OCCUP]
    columns[:, 10] = log_households(X)
    columns[:, 11] = shore_km(at)
    columns[:, 12:17] = at @ _ROTATION
    columns[:, 17:] = np.sqrt(((at[:, None] - _CITIES_KM) ** 2).sum(axis=2))
    return columns
