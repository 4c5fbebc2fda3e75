"""A question that is sent twice under one key is asked once: a double click, or a retry after a lost response.

The header is the IETF's (draft-ietf-httpapi-idempotency-key-header). A key belongs to its caller: the account, or the
visitor that a cookie names. Two requests of a stranger without a cookie have nothing in common.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone

from predictions.answers import CORRECTED
from predictions.callers import Caller
from predictions.contract import Normalised
from predictions.forgetting import forget
from predictions.models import IdempotencyKey, Prediction

KEY_HEADER = "Idempotency-Key"
KEPT = timedelta(hours=24)
LONGEST_KEY = 100
# Visible characters, as they are or as the draft's quoted string, in which a backslash stands before " and \.
_BARE = re.compile(rf"[!#-+\--\[\]-~]{{1,{LONGEST_KEY}}}")
_QUOTED = re.compile(rf'"((?:[ !#-\[\]-~]|\\["\\]){{1,{LONGEST_KEY}}})"')


class BadKey(Exception):
    """What was sent as a key is none."""

    def __init__(self) -> None:
        super().__init__(
            f'{KEY_HEADER} is one quoted string of 1 to {LONGEST_KEY} visible characters, such as "8e03978e-40d5"'
        )


class KeyReused(Exception):
    """The caller sent another question under this key before."""

    def __init__(self) -> None:
        super().__init__(f"another question was asked under this {KEY_HEADER}; send each question under its own")


def read_key(header: str | None) -> str:
    """The key that the header `Idempotency-Key` says, with or without the draft's quotes; "" without a header.

    Raises:
        BadKey: it is empty, too long, or has other characters.
    """
    if header is None:
        return ""
    if (quoted := _QUOTED.fullmatch(header)) is not None:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    if _BARE.fullmatch(header) is None:
        raise BadKey
    return header


def fresh_form_key() -> str:
    """What the page gives to a form that asks, to be sent with it."""
    return secrets.token_urlsafe(16)


def form_key(sent: str, features: Mapping[str, float]) -> str:
    """The key of a form that the page gave the key `sent`: the same numbers again are a double submit.

    Other numbers are another question, from a page that the browser's history brought back. A form without a key that
    is one has none.
    """
    if _BARE.fullmatch(sent) is None:
        return ""
    numbers = json.dumps(features, sort_keys=True).encode()
    return hashlib.sha256(sent.encode() + numbers).hexdigest()


def asked_before(*, caller: Caller, key: str) -> Prediction | None:
    """What `caller` asked under this key, if anything."""
    kept = IdempotencyKey.objects.select_related("prediction").filter(feed_key=caller.feed_key, key=key).first()
    return kept.prediction if kept else None


def check_same(prediction: Prediction, question: Normalised) -> None:
    """That `question` is what was asked: the same numbers, whatever their order and spelling.

    What was asked is no longer known where an operator corrected it.

    Raises:
        KeyReused: it is another one.
    """
    if prediction.features != question.features and CORRECTED not in prediction.flags:
        raise KeyReused


def forget_old_keys(*, seconds: float) -> int:
    """Drop the keys that were kept long enough, as many as the time allows; how many."""
    return forget(IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT), seconds=seconds)
