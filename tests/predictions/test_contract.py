"""What a question may say: names, ranges, and what is told of a bad one."""

import json
import random

import pytest

from predictions.contract import (
    FIELDS,
    MAX_BODY_BYTES,
    ContractError,
    FeatureErrors,
    normalise_features,
    parse_json,
)


def errors_of(features: object) -> list[tuple[str, str]]:
    with pytest.raises(FeatureErrors) as caught:
        normalise_features(features)
    return [(error.field, error.code) for error in caught.value.errors]


def code_of(body: bytes) -> str:
    with pytest.raises(ContractError) as caught:
        parse_json(body)
    assert str(caught.value), "a person reads it"
    return caught.value.code


# -- names ---------------------------------------------------------------------------------------------------------
def test_features_come_out_as_floats_in_the_order_of_the_contract(house):
    normalised = normalise_features(dict(reversed(house.items())))
    assert list(normalised.features) == [field.name for field in FIELDS]
    assert all(type(value) is float for value in normalised.features.values())
    assert normalised.features == house
    assert normalised.flags == []


def test_shuffled_keys_give_the_same_result(house):
    keys = list(house)
    results = set()
    for seed in range(20):
        random.Random(seed).shuffle(keys)
        body = json.dumps({key: house[key] for key in keys}).encode()
        results.add(json.dumps(normalise_features(parse_json(body)).features))
    assert len(results) == 1


@pytest.mark.parametrize(
    ("field", "alias", "divide_by"),
    [(field.name, name, by) for field in FIELDS for name, by in field.aliases],
)
def test_another_spelling_is_the_same_question(house, field, alias, divide_by):
    spelled = {alias if name == field else name: value for name, value in house.items()}
    spelled[alias] *= divide_by
    assert normalise_features(spelled).features == pytest.approx(house)


def test_the_data_sets_own_spelling_and_dollars_are_among_the_names(house):
    names = {name for field in FIELDS for name, _ in field.aliases}
    assert {"MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup"} <= names
    house["median_income_usd"] = house.pop("med_inc") * 10_000
    assert normalise_features(house).features["med_inc"] == pytest.approx(3.9)


def test_a_field_given_through_two_spellings_is_a_duplicate(house):
    assert errors_of(house | {"MedInc": 3}) == [("med_inc", "duplicate_field")]


def test_a_repeated_json_key_is_a_duplicate_and_not_the_last_one(house):
    body = json.dumps(house)[:-1] + ', "latitude": 34.0}'
    assert errors_of(parse_json(body.encode())) == [("latitude", "duplicate_field")]


def test_an_unknown_field_is_named_and_its_name_cut(house):
    assert errors_of(house | {"price": 1}) == [("price", "unknown_field")]
    assert errors_of(house | {"x" * 200: 1}) == [("x" * 64, "unknown_field")]


@pytest.mark.parametrize("name", [field.name for field in FIELDS])
def test_a_missing_field_is_named(house, name):
    del house[name]
    assert errors_of(house) == [(name, "missing_field")]


# -- values --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("value", [True, False, None, "3.9", [3.9], {"value": 3.9}, ""])
def test_what_is_no_json_number_is_a_wrong_type(house, value):
    body = json.dumps(house | {"ave_rooms": value}).encode()
    assert errors_of(parse_json(body)) == [("ave_rooms", "wrong_type")]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 400])
def test_a_number_that_is_not_finite_is_told(house, text):
    body = json.dumps(house | {"population": 1}).replace(": 1,", f": {text},").encode()
    assert errors_of(parse_json(body)) == [("population", "not_finite")]


def test_a_whole_number_too_long_for_a_float_is_not_finite_from_python_too(house):
    assert errors_of(house | {"population": 10**400}) == [("population", "not_finite")]


@pytest.mark.parametrize("text", ["-0", "-0.0", "-0e5"])
def test_minus_zero_is_plain_zero(house, text):
    body = json.dumps(house | {"ave_rooms": 1}).replace('"ave_rooms": 1', f'"ave_rooms": {text}').encode()
    with pytest.raises(FeatureErrors) as caught:
        normalise_features(parse_json(body))
    assert caught.value.errors[0].code == "out_of_range"
    assert caught.value.errors[0].detail.endswith("not 0")


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_the_ends_of_a_range_are_inside_and_a_step_further_is_not(house, field):
    lowest = field.hard.min if field.hard.min > float("-inf") else field.hard.above + 1e-9
    for inside in (lowest, field.hard.max):
        assert normalise_features(house | {field.name: inside}).features[field.name] == inside
    below = field.hard.min - 1e-9 if field.hard.min > float("-inf") else field.hard.above
    for outside in (below, field.hard.max + 1e-9):
        assert errors_of(house | {field.name: outside}) == [(field.name, "out_of_range")]


def test_a_detail_says_what_is_allowed_in_which_unit_and_what_was_given(house):
    with pytest.raises(FeatureErrors) as caught:
        normalise_features(house | {"med_inc": 99})
    assert str(caught.value) == "med_inc must be between 0.4999 and 15.0001 ($10,000 of 1990), not 99"


@pytest.mark.parametrize("field", [field for field in FIELDS if field.soft], ids=lambda field: field.name)
def test_a_value_outside_its_usual_range_is_accepted_with_a_flag(house, field):
    flagged = [
        value
        for value in (field.hard.min, field.hard.max, field.hard.above + 1e-9)
        if field.hard.hold(value) and not field.soft.hold(value)
    ]
    assert flagged, "the hard range is wider than the soft one"
    for value in flagged:
        flags = normalise_features(house | {field.name: value}).flags
        assert [flag for flag in flags if flag.startswith("unusual_")] == [f"unusual_{field.name}"]


def test_flags_stand_in_the_order_of_the_contract(house):
    unusual = {"ave_occup": 1000, "population": 30_000, "med_inc": 0.5}
    assert normalise_features(house | unusual).flags == ["unusual_med_inc", "unusual_population", "unusual_ave_occup"]


def test_more_bedrooms_than_rooms_are_accepted_with_a_flag(house):
    crowded = house | {"ave_rooms": 2.0, "ave_bedrms": 2.5}
    assert normalise_features(crowded).flags == ["ave_bedrms_above_ave_rooms"]
    assert normalise_features(crowded | {"ave_bedrms": 2.0}).flags == []


def test_every_fault_is_told_at_once_names_first(house):
    del house["house_age"]
    faulty = {"zip": 94110} | house | {"MedInc": 1, "ave_rooms": "five", "population": 1, "latitude": float("nan")}
    assert errors_of(faulty) == [
        ("zip", "unknown_field"),
        ("med_inc", "duplicate_field"),
        ("house_age", "missing_field"),
        ("ave_rooms", "wrong_type"),
        ("population", "out_of_range"),
        ("latitude", "not_finite"),
    ]


@pytest.mark.parametrize("features", [[], [1, 2], "house", 5, None, True])
def test_features_that_are_no_object_are_a_wrong_type(features):
    assert errors_of(parse_json(json.dumps(features).encode())) == [("features", "wrong_type")]


# -- bodies --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"med_inc=3", b"\xff\xfe{}", b'{"a": \xc3\x28}', b'{"a": 01}', "{}".encode("utf-16"), b"{} {}"],
)
def test_a_body_that_is_no_json_in_utf_8_is_told_as_such(body):
    assert code_of(body) == "bad_json"


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_body_nested_too_deeply_is_refused(opening):
    body = opening * (MAX_BODY_BYTES // len(opening))
    assert code_of(body) == "bad_json"


def test_a_body_over_the_limit_is_not_even_parsed():
    assert code_of(b"{" * (MAX_BODY_BYTES + 1)) == "too_large"
    padded = b"{}" + b" " * (MAX_BODY_BYTES - 2)
    assert parse_json(padded) == []


def test_a_body_full_of_unknown_names_is_not_answered_with_them_all():
    with pytest.raises(FeatureErrors) as refused:
        normalise_features({f"name{number}": 1 for number in range(5000)})
    assert len(refused.value.errors) == 20
