import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.transform_host.records import (
    BadPayload,
    Record,
    decode_payload,
    decode_varint,
    encode_payload,
    encode_varint,
)

contents = st.one_of(st.none(), st.binary(max_size=2000))


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_varint_comes_back(number: int):
    assert decode_varint(encode_varint(number), 0) == (number, len(encode_varint(number)))


def test_varints_are_those_of_kafka():
    assert [encode_varint(number) for number in (0, -1, 1, -64, 64, 300)] == [
        b"\x00",
        b"\x01",
        b"\x02",
        b"\x7f",
        b"\x80\x01",
        b"\xd8\x04",
    ]


@given(contents, contents, st.lists(st.tuples(contents, contents)))
def test_a_record_comes_back(key, value, headers):
    assert decode_payload(encode_payload(Record(key, value, headers))) == Record(key, value, headers)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x01",
        b"\x01\x01",
        b"\x01\x01\x01",  # -1 headers
        b"\x03\x01\x00",  # a key of -2 bytes
        b"\x08k\x01\x00",  # a key longer than the payload
        b"\x01\x01\x00\x00",  # a byte too many
        b"\x01\x01\x02\x01",  # half a header
        b"\xff" * 11,  # a varint without an end
    ],
)
def test_what_is_no_record_is_refused(payload: bytes):
    with pytest.raises(BadPayload):
        decode_payload(payload)
