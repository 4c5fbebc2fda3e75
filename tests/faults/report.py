"""What the cases came to: kept case by case as JSON lines, shown in docs/faults.md."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.faults.stage import Case, Scene, machine
from tests.faults.verdict import Verdict
from tests.stack import ROOT

PAGE = ROOT / "docs" / "faults.md"
_INTRODUCTION = Path(__file__).with_name("introduction.md")
_COLUMNS = {
    "struck": lambda line: line["target"],
    "how": lambda line: line["fault"],
    "load": lambda line: line["load"],
    "accepted": lambda line: _figure(line, "accepted"),
    "not accepted": lambda line: _figure(line, "refused"),
    "answered": lambda line: _figure(line, "answered"),
    "of them late": lambda line: _figure(line, "late"),
    "failed": lambda line: _figure(line, "failed"),
    "lost": lambda line: _figure(line, "lost"),
    "doubled": lambda line: _figure(line, "doubled"),
    "strangers": lambda line: _figure(line, "strangers"),
    "untold": lambda line: _figure(line, "untold"),
    "again, s": lambda line: _figure(line, "again"),
    "after its end, s": lambda line: _figure(line, "again_after_end") if line["lasted"] else "",
    "all told, s": lambda line: _figure(line, "settled"),
    "machine": lambda line: str(line["machine"]["load"][0]),
}


_OVERLOAD = """## Overload

{name}, the scoring worker being held back so that it is the path that
can't keep up and not the door ({day}, load average {load}).
{accepted:,} were accepted: {answered:,} answered, {failed} given up, {lost} lost,
{doubled} doubled; half of them after {p50:.1f} s, 99 % after {p99:.1f} s,
the last after {max:.1f} s. {refused:,} were refused with 429 and a
`Retry-After` of {retry_after:.1f} s on average, wrong by {error:.0f} % (bar 30 %);
{unanswered_posts} were neither accepted nor refused.
"""


class Results:
    """A file of JSON lines, one a case; of two about the same case the later one counts."""

    def __init__(self, path: Path):
        self._path = path
        self._overload = path.with_name("overload.json")

    def keep(self, scene: Scene, case: Case, verdict: Verdict | None, problem: str = "") -> dict[str, Any]:
        """Add what a case came to; `problem` is why it could not be played to its end."""
        line = {
            "scene": scene.name,
            "case": case.name,
            "target": case.target,
            "fault": case.fault.name,
            "load": case.load.name,
            "lasted": case.fault.seconds,
            "at": _now(),
            "machine": machine(),
            **(verdict.as_json() if verdict else {"figures": None, "complaints": [f"not played: {problem}"]}),
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return line

    def keep_overload(self, report: dict[str, Any]) -> None:
        """Keep what `tests.faults.overload.play` said, in the place of what it said before."""
        self._overload.parent.mkdir(parents=True, exist_ok=True)
        self._overload.write_text(json.dumps({**report, "at": _now()}))

    def read_overload(self) -> dict[str, Any] | None:
        return json.loads(self._overload.read_text()) if self._overload.exists() else None

    def has_complaints(self) -> bool:
        return any(line["complaints"] for line in (*self.read().values(), self.read_overload()) if line)

    def read(self) -> dict[tuple[str, str], dict[str, Any]]:
        """(scene, case) -> its last line."""
        if not self._path.exists():
            return {}
        lines = [json.loads(line) for line in self._path.read_text().splitlines()]
        return {(line["scene"], line["case"]): line for line in lines}


def write_page(results: Results, scenes: Sequence[Scene], *, not_played: Mapping[str, str], page: Path = PAGE) -> None:
    """Write docs/faults.md from the cases that were played; `not_played`: scenes that could not be, and why."""
    found = results.read()
    played = {
        scene.name: [line for case in scene.cases if (line := found.get((scene.name, case.name)))] for scene in scenes
    }
    lines = [line for of_scene in played.values() for line in of_scene]
    overload = results.read_overload()
    if lines:
        parts = [f"## {name.capitalize()}\n\n{_table(of_scene)}" for name, of_scene in played.items() if of_scene]
        if overload and "accepted" in overload:
            parts.append(_overload(overload))
        page.write_text("\n".join([_introduction(lines), *parts, _shortfalls(lines, overload, not_played)]))


def _introduction(lines: Sequence[dict[str, Any]]) -> str:
    kept = sum(not line["complaints"] for line in lines)
    days = sorted({_day(line["at"]) for line in lines})
    return _INTRODUCTION.read_text().format(
        outcome=f"{kept} of {len(lines)} kept every promise.",
        dates=", ".join(days),
        cores=lines[-1]["machine"]["cores"],
        memory=lines[-1]["machine"]["memory_gib"],
    )


def _table(lines: Sequence[dict[str, Any]]) -> str:
    rows = [list(_COLUMNS), ["---"] * len(_COLUMNS)]
    rows += [[column(line) for column in _COLUMNS.values()] for line in lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _overload(report: dict[str, Any]) -> str:
    told = {
        "name": report["name"].capitalize(),
        "day": _day(report["at"]),
        "load": report["machine"]["load"][0],
        "error": math.nan if (error := report["retry_after_error"]) is None else 100 * error,
    }
    figures = {name: math.nan if value is None else value for name, value in report.items()}
    return _OVERLOAD.format(**{**figures, **told})


def _day(moment: str) -> str:
    return datetime.fromisoformat(moment).strftime("%-d %B %Y")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _shortfalls(lines: Sequence[dict[str, Any]], overload: dict[str, Any] | None, not_played: Mapping[str, str]) -> str:
    short = [f"* {line['case']}: {'; '.join(line['complaints'])}" for line in lines if line["complaints"]]
    if overload and overload["complaints"]:
        short.append(f"* overload: {'; '.join(overload['complaints'])}")
    if late := [line["figures"]["late"] for line in lines if line["figures"] and line["figures"]["late"]]:
        short.append(
            f"* In {len(late)} cases answers came after the deadline, when their owners had been told that there was"
            f" none yet: {max(late):,} at the most."
        )
    left_out = [f"* Not played here: {scene} ({why})." for scene, why in not_played.items()]
    return "\n".join(["## What falls short", "", *(short or ["Nothing in these cases."]), *left_out, ""])


def _figure(line: dict[str, Any], name: str) -> str:
    value = (line["figures"] or {}).get(name)
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.1f}"
