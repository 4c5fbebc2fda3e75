"""Predictions as files: CSV and JSON, a piece at a time, so that a long history needs no long memory."""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from predictions.contract import FIELDS
from predictions.models import Prediction
from predictions.representation import represent

_PIECE = 500  # Rows that are read at once.
_COLUMNS = (
    "id", "status", "requested_at", "settled_at", "price", "low", "high", "model_id",
    *(field.name for field in FIELDS),
    "tags", "note", "sold_for", "sold_on",
)  # fmt: skip
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


def as_json(found: QuerySet[Prediction]) -> Iterator[str]:
    """A JSON array in pieces: predictions as everywhere, with note, tags and sale."""
    yield "["
    separator = "\n"
    for piece in _pieces(found):
        yield separator + ",\n".join(json.dumps(represent_kept(prediction)) for prediction in piece)
        separator = ",\n"
    yield "\n]\n"


def as_csv(found: QuerySet[Prediction]) -> Iterator[str]:
    """CSV in pieces (RFC 4180), with a line of names; prices in whole dollars of 1990, times in RFC 3339."""
    yield _lines([_COLUMNS])
    for piece in _pieces(found):
        yield _lines([_row(prediction) for prediction in piece])


def represent_kept(prediction: Prediction) -> dict[str, Any]:
    """`represent`, with what the owner keeps with it; `note` and `sale` should be loaded."""
    note, sale = getattr(prediction, "note", None), getattr(prediction, "sale", None)
    return {
        **represent(prediction),
        "note": note.text if note else "",
        "tags": note.tag_list if note else [],
        "sale": {"price": round(sale.price), "sold_on": sale.sold_on and sale.sold_on.isoformat()} if sale else None,
    }


def _pieces(found: QuerySet[Prediction]) -> Iterator[list[Prediction]]:
    """The rows in their order. The ids are read first: no cursor stays open while a slow reader takes the file."""
    ids = list(found.values_list("pk", flat=True))
    loaded = Prediction.objects.select_related("note", "sale")
    for start in range(0, len(ids), _PIECE):
        wanted = ids[start : start + _PIECE]
        rows = loaded.in_bulk(wanted)
        if piece := [rows[pk] for pk in wanted if pk in rows]:
            yield piece


def _row(prediction: Prediction) -> list[object]:
    kept = represent_kept(prediction)
    sale = kept["sale"] or {}
    return [
        *(kept[name] for name in _COLUMNS[:7]),
        _harmless(prediction.model_id),
        *(prediction.features[field.name] for field in FIELDS),
        _harmless(", ".join(kept["tags"])),
        _harmless(kept["note"]),
        sale.get("price"),
        sale.get("sold_on"),
    ]


def _harmless(text: str) -> str:
    """A spreadsheet runs a cell that begins like a formula; an apostrophe makes it text."""
    return f"'{text}" if text.startswith(_FORMULA_BEGINS) else text


def _lines(rows: list) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
