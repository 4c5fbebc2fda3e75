"""`python -m tests.faults`: play the kill matrix and an overload, and write docs/faults.md.

Ends with 1 when a promise was broken.
"""

import argparse
import fnmatch
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from django.utils.text import slugify

from tests.faults import overload
from tests.faults.overload import LONG
from tests.faults.report import Results, write_page
from tests.faults.scenes import NOT_PLAYED, SCENES
from tests.faults.stage import Case, Scene, Stage
from tests.stack import ROOT

_HELP = "Play the kill matrix on real runs, keep what each case came to, and write docs/faults.md."


def main() -> int:
    arguments = _arguments()
    # The run that is up must end with this process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    results = Results(arguments.folder / "results.jsonl")
    end = time.monotonic() + 60 * arguments.minutes
    try:
        for scene in SCENES:
            _play(scene, _chosen(scene, arguments, results), arguments.folder, results, end)
        _play_overload(arguments, results, end)
    finally:
        write_page(results, SCENES, not_played=NOT_PLAYED)
    return int(results.has_complaints())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=_HELP)
    parser.add_argument(
        "--only", metavar="PATTERN", default="*", help="cases with this in 'scene: name', * and ? allowed"
    )
    parser.add_argument("--again", action="store_true", help="also those whose outcome is kept from an earlier run")
    parser.add_argument("--failed", action="store_true", help="of those kept only the ones that broke a promise, again")
    parser.add_argument("--minutes", type=float, default=90, help="begin no case after so many (default %(default)s)")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "var" / "faults", help="where outcomes and state are kept (%(default)s)"
    )
    return parser.parse_args()


def _chosen(scene: Scene, arguments: argparse.Namespace, results: Results) -> list[Case]:
    kept = results.read()
    named = [case for case in scene.cases if fnmatch.fnmatch(f"{scene.name}: {case.name}", f"*{arguments.only}*")]
    if arguments.failed:
        return [case for case in named if kept.get((scene.name, case.name), {}).get("complaints")]
    return [case for case in named if arguments.again or (scene.name, case.name) not in kept]


def _play_overload(arguments: argparse.Namespace, results: Results, end: float) -> None:
    kept = results.read_overload()
    is_due = bool(kept and kept["complaints"]) if arguments.failed else kept is None or arguments.again
    if not is_due or not fnmatch.fnmatch(f"overload: {LONG.name}", f"*{arguments.only}*"):
        return
    if time.monotonic() > end:
        print("out of time: start again to play the overload")
        return
    try:
        report = overload.play(LONG, arguments.folder / f"overload-{time.strftime('%H%M%S')}")
    except Exception as error:
        report = overload.not_played(LONG, f"{type(error).__name__}: {error}")
    results.keep_overload(report)
    print(f"overload, {LONG.name}: {'; '.join(report['complaints']) or 'kept'}", flush=True)


def _play(scene: Scene, cases: Iterable[Case], folder: Path, results: Results, end: float) -> None:
    with closing(Stage(scene, folder / f"{slugify(scene.name)}-{time.strftime('%H%M%S')}")) as stage:
        for case in cases:
            if time.monotonic() > end:
                print("out of time: start again to play the rest")
                return
            begun = time.monotonic()
            try:
                line = results.keep(scene, case, stage.play(case))
            # One case that can't be played, whatever it is, must not cost the others.
            except Exception as error:
                line = results.keep(scene, case, None, f"{type(error).__name__}: {error}")
            outcome = "; ".join(line["complaints"]) or "kept"
            print(f"{time.monotonic() - begun:5.0f} s  {case.name}: {outcome}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
