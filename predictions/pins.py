"""Up to four predictions that lie side by side in this browser's session."""

from collections.abc import MutableMapping
from typing import Any
from uuid import UUID

from predictions.callers import Caller
from predictions.models import Prediction
from predictions.reading import own_predictions

MOST = 4
_KEY = "pinned"


class AllPinned(Exception):
    """There is no room for one more."""


def pinned_ids(session: MutableMapping[str, Any]) -> list[UUID]:
    """What is pinned, first pinned first; some of it may be deleted by now."""
    return [UUID(text) for text in session.get(_KEY, [])]


def pinned(session: MutableMapping[str, Any], caller: Caller) -> list[Prediction]:
    """What is pinned and still the caller's, first pinned first."""
    ids = pinned_ids(session)
    found = own_predictions(caller).select_related("note", "sale").in_bulk(ids) if ids else {}
    return [found[pk] for pk in ids if pk in found]


def pin(session: MutableMapping[str, Any], caller: Caller, prediction: Prediction) -> None:
    """Lay it beside the others.

    Raises:
        AllPinned: four lie there already.
    """
    kept = [other.pk for other in pinned(session, caller) if other.pk != prediction.pk]
    if len(kept) >= MOST:
        raise AllPinned
    session[_KEY] = [str(pk) for pk in (*kept, prediction.pk)]


def pin_pair(
    session: MutableMapping[str, Any], caller: Caller, first: Prediction, second: Prediction
) -> list[Prediction]:
    """Lay two side by side, before all others; the last of those, which made room for them."""
    others = [other for other in pinned(session, caller) if other.pk not in (first.pk, second.pk)]
    kept, gone = others[: MOST - 2], others[MOST - 2 :]
    session[_KEY] = [str(pk) for pk in (first.pk, second.pk, *(other.pk for other in kept))]
    return gone


def unpin(session: MutableMapping[str, Any], gone: UUID) -> None:
    """Take the one with this id away from the others."""
    session[_KEY] = [str(pk) for pk in pinned_ids(session) if pk != gone]
