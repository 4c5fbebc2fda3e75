"""How fast pages appear and how still they stand, by Chromium's own performance entries: `python -m tests.paint`.

Starts a real run, opens every page with an empty cache, asks, and writes `docs/paint.md`. Ends with 1 where a bar is
missed.
"""

import os
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, Response, expect, sync_playwright

from tests.e2e.browsing import ANSWER_MS, expect_connection, expect_explained, layout_shift, weight
from tests.e2e.site import EVERY_PAGE, Site, furnished_site, with_empty_cache
from tests.requisites import chromium_path
from tests.stack import ROOT, RunningStack, running_stack

FILE = ROOT / "docs" / "paint.md"
LOADS = 3
ANSWERS = 10
WIDTHS = (390, 1440)
MOST_PAINT_MS, MOST_BYTES, MOST_SHIFT = 1000, 150 * 1024, 0.005
_HAND_MS = 700  # What shifts within half a second of a click counts as wanted.


@dataclass(frozen=True)
class Painted:
    """A page: first contentful paints in ms, bytes over the wire, layout shift."""

    name: str
    paints: list[float]
    weight: int
    shift: float

    @property
    def is_good(self) -> bool:
        return (
            statistics.median(self.paints) <= MOST_PAINT_MS and self.weight <= MOST_BYTES and self.shift <= MOST_SHIFT
        )

    def row(self) -> str:
        paints = f"{statistics.median(self.paints):.0f} | {max(self.paints):.0f}"
        return f"| {self.name} | {paints} | {self.weight / 1024:.0f} | {self.shift:.4f} |"


@dataclass(frozen=True)
class Answered:
    """Answers on the page at one width: ms from the click to the price, and the layout shift of one that came late."""

    width: int
    waits: list[float]
    shift: float

    @property
    def is_good(self) -> bool:
        return self.shift <= MOST_SHIFT

    def row(self) -> str:
        waits = f"{statistics.median(self.waits):.0f} | {max(self.waits):.0f}"
        return f"| {self.width} px | {waits} | {self.shift:.4f} |"


# -- pages -----------------------------------------------------------------------------------------------------------
def paint(site: Site, name: str) -> Painted:
    paints, shifts, weights = [], [], []
    for _ in range(LOADS):
        heard: list[Response] = []
        with with_empty_cache(site, name) as page:
            page.on("response", lambda response, heard=heard: heard.append(response))
            page.goto(site.address_of(name), wait_until="networkidle")
            paints.append(_first_contentful_paint(page))
            shifts.append(layout_shift(page))
            weights.append(weight(heard))
    return Painted(name, paints, max(weights), max(shifts))


def _first_contentful_paint(page: Page) -> float:
    """Milliseconds from the start of the navigation; the entry may come after everything is loaded."""
    found = page.wait_for_function("performance.getEntriesByName('first-contentful-paint')[0]?.startTime")
    return found.json_value()


# -- answers ---------------------------------------------------------------------------------------------------------
def answers(running: RunningStack, browser: Browser, width: int) -> Answered:
    context = browser.new_context(base_url=running.base_url, viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto("/")
    expect_connection(page, "Live")
    waits = [_wait_for_answer(page) for _ in range(ANSWERS)]
    page.reload()
    expect_connection(page, "Live")
    shift = _shift_of_late_answer(page, running)
    context.close()
    return Answered(width, waits, shift)


def _wait_for_answer(page: Page) -> float:
    """Milliseconds from the click to the frame that shows the price."""
    return page.evaluate(
        """async () => {
          const answer = document.querySelector("[data-answer]");
          const answered = new Promise((resolve) => {
            const watch = new MutationObserver(() => {
              if (answer.dataset.state !== "answered" || answer.ariaBusy === "true") return;
              watch.disconnect();
              requestAnimationFrame(() => resolve(performance.now()));
            });
            watch.observe(answer, { attributes: true });
          });
          const asked = performance.now();
          document.querySelector("form[data-question]").requestSubmit();
          const waited = (await answered) - asked;
          await new Promise((resolve) => setTimeout(resolve, 1000)); // The page spaces its questions.
          return waited;
        }"""
    )


def _shift_of_late_answer(page: Page, running: RunningStack) -> float:
    publisher = running.kill("publisher", signal.SIGSTOP)
    try:
        page.get_by_role("button", name="Estimate").click()
        page.wait_for_timeout(_HAND_MS)
    finally:
        os.kill(publisher, signal.SIGCONT)
    expect_explained(page)
    return layout_shift(page)


# -- the report ------------------------------------------------------------------------------------------------------
def report(painted: list[Painted], answered: list[Answered], version: str, load: float) -> str:
    return "\n".join(_report(painted, answered, version, load)) + "\n"


def _report(painted: list[Painted], answered: list[Answered], version: str, load: float) -> Iterator[str]:
    yield "# How fast pages appear, and how still they stand\n"
    yield "Written by `make paint`: a real run and Chromium on one machine, every page with an empty cache, by"
    yield "Chromium's own performance entries. The bars: a first contentful paint of 1 s, in the middle of all; 150 kB"
    yield "over the wire without fonts; no layout shift, neither on the way to the page nor when an answer arrives.\n"
    yield f"{datetime.now(UTC):%Y-%m-%d}, Chromium {version}, {os.cpu_count()} cores, load average before {load:.1f}.\n"
    yield f"| page | first contentful paint, ms: median of {LOADS} | most | kB | layout shift |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    yield from (page.row() for page in painted)
    yield f"\n| window | click to price, ms: median of {ANSWERS} | most | layout shift of an answer |"
    yield "| --- | ---: | ---: | ---: |"
    yield from (one.row() for one in answered)


def main() -> int:
    expect.set_options(timeout=ANSWER_MS)
    load = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="housevalue-paint-") as var_dir,
        running_stack(Path(var_dir), env={"VISITOR_RATE": "0/m", "ACCOUNT_RATE": "0/h"}) as running,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"])
        with furnished_site(running, browser) as site:
            painted = [paint(site, name) for name in EVERY_PAGE]
        answered = [answers(running, browser, width) for width in WIDTHS]
        FILE.write_text(report(painted, answered, browser.version, load))
        browser.close()
    print(FILE.read_text())
    measured: list[Painted | Answered] = [*painted, *answered]
    missed = [one.row() for one in measured if not one.is_good]
    print(f"over the bar: {missed}" if missed else "every bar holds")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
