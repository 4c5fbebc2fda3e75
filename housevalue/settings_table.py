"""The README's table of settings, written from `.env.example` so that the two can't disagree."""

import re
from pathlib import Path

from django.conf import settings

EXAMPLE = Path(settings.BASE_DIR) / ".env.example"
README = Path(settings.BASE_DIR) / "README.md"
BEGIN, END = "<!-- settings: written by manage.py write_settings_table -->", "<!-- end of settings -->"
_VARIABLE = re.compile(r"((?:^# (?!--).*\n)+)^#([A-Z_]+)=(.*)$", re.MULTILINE)


def table() -> str:
    """A Markdown table: variable, default, what it does."""
    rows = [
        f"| `{name}` | {f'`{default}`' if default else ''} | {_sentence(comment)} |"
        for comment, name, default in _VARIABLE.findall(EXAMPLE.read_text())
    ]
    return "\n".join(["| variable | default | what it does |", "| --- | --- | --- |", *rows])


def readme_with_table() -> str:
    """The README as it should be.

    Raises:
        ValueError: the marks between which the table stands are missing.
    """
    before, begin, rest = README.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{README.name} lacks {BEGIN} or {END}")
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def _sentence(comment: str) -> str:
    return " ".join(line.removeprefix("# ") for line in comment.splitlines()).replace("|", "\\|")
