import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from streaming import kafka
from streaming.ledger import LedgerReport, read_report


class Command(BaseCommand):
    help = (
        "Show what became of every accepted prediction, and what waits on the topics. "
        "Ends with 1 when the sum does not hold."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of text")

    def handle(self, *args: Any, json: bool, **options: Any) -> None:
        report = read_report(kafka.admin_client())
        self.stdout.write(_as_json(report) if json else _as_text(report))
        if report.ledger.difference:
            raise CommandError(f"the sum does not hold: it is off by {report.ledger.difference}")


def _as_json(report: LedgerReport) -> str:
    return json.dumps(report.as_json(), indent=1)


def _as_text(report: LedgerReport) -> str:
    ledger = report.ledger
    accounts = [
        ("accepted ever", ledger.accepted),
        ("= answered", ledger.answered),
        ("+ rejected", ledger.rejected),
        ("+ failed", ledger.failed),
        ("+ in flight", ledger.in_flight),
        ("    in the outbox", ledger.in_outbox),
        ("    scored", report.scored),
        ("dead letters to handle", report.open_letters),
    ]
    lines = [f"{name:24}{_shown(count):>10}" for name, count in accounts]
    lines.append(f"{'oldest in flight':24}{report.oldest_seconds:>10.1f} s")
    if report.broker_problem:
        lines.append(f"what waits on the topics is not known: {report.broker_problem}")
    lines += [f"{lag.topic:30} {lag.group:28}{_shown(lag.records):>10}" for lag in report.lags]
    lines += [f"STOPPED: the {stop.consumer}, {stop.detail}" for stop in report.stopped]
    return "\n".join(lines)


def _shown(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"
