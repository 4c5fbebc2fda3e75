"""What the cases came to: kept case by case as JSON lines, shown in docs/faults.md."""

import json
from collections.abc import Sequence
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


class Results:
    """A file of JSON lines, one a case; of two about the same case the later one counts."""

    def __init__(self, path: Path):
        self._path = path

    def keep(self, scene: Scene, case: Case, verdict: Verdict | None, problem: str = "") -> dict[str, Any]:
        """Add what a case came to; `problem` is why it could not be played to its end."""
        line = {
            "scene": scene.name,
            "case": case.name,
            "target": case.target,
            "fault": case.fault.name,
            "load": case.load.name,
            "lasted": case.fault.seconds,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            **(verdict.as_json() if verdict else {"figures": None, "complaints": [f"not played: {problem}"]}),
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return line

    def read(self) -> dict[tuple[str, str], dict[str, Any]]:
        """(scene, case) -> its last line."""
        if not self._path.exists():
            return {}
        lines = [json.loads(line) for line in self._path.read_text().splitlines()]
        return {(line["scene"], line["case"]): line for line in lines}


def write_page(results: Results, scenes: Sequence[Scene], page: Path = PAGE) -> None:
    """Write docs/faults.md from the cases that were played."""
    found = results.read()
    played = {
        scene.name: [line for case in scene.cases if (line := found.get((scene.name, case.name)))] for scene in scenes
    }
    lines = [line for of_scene in played.values() for line in of_scene]
    if lines:
        tables = [f"## {name.capitalize()}\n\n{_table(of_scene)}" for name, of_scene in played.items() if of_scene]
        page.write_text("\n".join([_introduction(lines), *tables, _shortfalls(lines)]))


def _introduction(lines: Sequence[dict[str, Any]]) -> str:
    kept = sum(not line["complaints"] for line in lines)
    days = sorted({datetime.fromisoformat(line["at"]).strftime("%-d %B %Y") for line in lines})
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


def _shortfalls(lines: Sequence[dict[str, Any]]) -> str:
    short = [f"* {line['case']}: {'; '.join(line['complaints'])}" for line in lines if line["complaints"]]
    if late := [line["figures"]["late"] for line in lines if line["figures"] and line["figures"]["late"]]:
        short.append(
            f"* In {len(late)} cases answers came after the deadline, when their owners had been told that there was"
            f" none yet: {max(late):,} at the most."
        )
    return "\n".join(["## What falls short", "", *(short or ["Nothing in these cases."]), ""])


def _figure(line: dict[str, Any], name: str) -> str:
    value = (line["figures"] or {}).get(name)
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.1f}"
