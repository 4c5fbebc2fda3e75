"""Paging of the predictions list: stable while new ones arrive."""

from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from predictions.filters import EARLIEST, LATEST


class PredictionPagination(CursorPagination):
    """Newest first, by a cursor; `page_size` is 1 to 200."""

    ordering = "-requested_at"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def decode_cursor(self, request: Request) -> Cursor | None:
        try:
            cursor = super().decode_cursor(request)
        except NotFound as error:
            raise _not_a_cursor() from error
        if cursor is not None and cursor.position is not None and not _is_moment(cursor.position):
            raise _not_a_cursor()
        return cursor


def _not_a_cursor() -> ValidationError:
    return ValidationError({"cursor": ["take cursors from `next` and `previous` of a page"]}, code="invalid")


def _is_moment(position: object) -> bool:
    try:
        moment = parse_datetime(str(position))
    except ValueError:
        return False
    return moment is not None and moment.tzinfo is not None and EARLIEST <= moment <= LATEST
