"""What a fault did: the database's records against what the crowd remembers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from tests.faults.books import Records
from tests.faults.crowd import Client

_ENDS = [["answered"], ["rejected"], ["failed"], ["failed", "answered"], ["failed", "rejected"]]
_SHOWN = 5


@dataclass(frozen=True)
class Figures:
    """The outcome of one case; seconds count from the fault, None where it never came to it."""

    accepted: int
    """Stored questions: those answered with 202 and those whose answer was lost with its connection."""
    refused: int
    """Questions that got another answer than 202, or none, and no row: their owners know that they must ask again."""
    refusals: dict[str, int]
    """What all got that were not answered with 202: a status, or what else; some of them may have been stored."""
    answered: int
    rejected: int
    failed: int
    """Given up at the deadline and not answered later."""
    late: int
    """Given up at the deadline, answered later."""
    repeated: int
    """Published more than once."""
    lost: int
    """Accepted, and neither answered nor told why not."""
    doubled: int
    """Stored or told an end more than once; anywhere in the run."""
    strangers: int
    """Told to somebody else."""
    untold: int
    """Stored events that a connected client was not told, or in the wrong order."""
    again: float | None
    """Until answers came again: the end of the longest silence after the fault."""
    again_after_end: float | None
    """The same, from the end of a fault that lasted."""
    settled: float | None
    """Until the last of the crowd's events was heard."""


@dataclass(frozen=True)
class Verdict:
    figures: Figures
    broken: list[str]
    """Promises that were broken, of whom; empty where all were kept."""
    slow: list[str] = field(default_factory=list)
    """What was kept, and took too long."""
    ledger: dict[str, Any] = field(default_factory=dict)

    @property
    def complaints(self) -> list[str]:
        return self.broken + self.slow

    def check(self) -> None:
        """Raises: AssertionError: a promise was broken; says which, of whom, and where they are by the ledger."""
        assert not self.complaints, "\n".join([*self.complaints, f"figures: {self.figures}", *_shown(self.ledger)])

    def as_json(self) -> dict[str, Any]:
        return {"figures": asdict(self.figures), "complaints": self.complaints}


def judge(
    clients: Sequence[Client],
    records: Records,
    *,
    struck_at: float,
    over_at: float,
    within: float | None = None,
    restless: str,
    most_refused: float = 1.0,
) -> Verdict:
    """Compare what was stored with what was heard; moments are `time.monotonic`'s.

    `within`: in so many seconds after the fault (after its end, where it lasted) answers must come again.
    `restless`: why the run did not come to rest in time; a topic on which records wait for ever is a fault of its own.
    `most_refused`: the part of all questions that may be refused.
    """
    told: dict[str, list[str]] = {}
    for event in records.events:
        told.setdefault(event.prediction, []).append(event.kind)
    accepted = records.rows.keys() | {prediction for client in clients for prediction in client.accepted}
    lost = [prediction for prediction in accepted if not told.get(prediction)]
    doubled = _doubled(clients, records, told)
    strangers = _strangers(clients, records)
    untold = _untold(clients, records)
    answered_at = sorted(heard.at for client in clients for heard in client.heard if heard.kind == "answered")
    ends = Counter(kinds[-1] for kinds in told.values())
    again = _end_of_silence(answered_at, struck_at)
    figures = Figures(
        accepted=len(accepted),
        refused=_refused(clients, records),
        refusals=dict(sum((client.refused for client in clients), Counter())),
        answered=ends["answered"],
        rejected=ends["rejected"],
        failed=ends["failed"],
        late=sum(kinds[0] == "failed" and kinds[-1] == "answered" for kinds in told.values()),
        repeated=sum(row.attempts > 1 for row in records.rows.values()),
        lost=len(lost),
        doubled=len(doubled),
        strangers=len(strangers),
        untold=len(untold),
        again=_seconds(again, struck_at),
        again_after_end=_seconds(again, over_at),
        settled=_seconds(max((heard.at for client in clients for heard in client.heard), default=None), struck_at),
    )
    given_up = [prediction for prediction, kinds in told.items() if kinds[-1] == "failed"]
    broken = [
        *_complaint("lost", lost, records),
        *_complaint("given up and not answered later", given_up, records),
        *_complaint("doubled", doubled, records),
        *_complaint("told to somebody else", strangers, records),
        *_complaint("stored and not told once, in order, to its owner", untold, records),
        *_complaint(
            "rejected, though it can be answered", [i for i, kinds in told.items() if "rejected" in kinds], records
        ),
    ]
    if records.ledger.get("complaint"):
        broken.append(f"the ledger: {records.ledger['complaint']}")
    if restless:
        broken.append(f"it never came to rest: {restless}")
    if figures.refused > most_refused * (figures.accepted + figures.refused):
        broken.append(f"{figures.refused} were refused: {figures.refusals}")
    if again is None:
        broken.append("nobody was answered after the fault")
    return Verdict(figures, broken, _too_slow(figures, within), records.ledger)


def _too_slow(figures: Figures, within: float | None) -> list[str]:
    again = figures.again_after_end
    if within is None or again is None or again <= within:
        return []
    return [f"answers came again after {again:.1f} s, more than {within:g}"]


def _doubled(clients: Sequence[Client], records: Records, told: dict[str, list[str]]) -> list[str]:
    heard = Counter((client.account.feed_key, heard.cursor) for client in clients for heard in client.heard)
    by_cursor = {event.cursor: event.prediction for event in records.events}
    again = {by_cursor.get(cursor, str(cursor)) for (_, cursor), times in heard.items() if times > 1}
    return sorted({*again, *records.settled_twice, *(one for one, kinds in told.items() if kinds not in _ENDS)})


def _strangers(clients: Sequence[Client], records: Records) -> list[str]:
    return [
        heard.prediction
        for client in clients
        for heard in client.heard
        if (row := records.rows.get(heard.prediction)) is None or row.feed_key != client.account.feed_key
    ]


def _untold(clients: Sequence[Client], records: Records) -> list[str]:
    """Events that are missing in what their owner heard, or that came before an earlier one."""
    missing = []
    for client in clients:
        heard = [event.cursor for event in client.heard]
        known = set(heard)
        missing += [
            event.prediction
            for event in records.events
            if event.feed_key == client.account.feed_key and event.cursor not in known
        ]
        missing += [client.heard[at].prediction for at in range(1, len(heard)) if heard[at] < heard[at - 1]]
    return missing


def _refused(clients: Sequence[Client], records: Records) -> int:
    """Questions without a 202, less the rows that are there without one."""
    unasked = {prediction for client in clients for prediction in client.accepted}
    asked_at_the_door = sum(client.refused.total() for client in clients)
    silent = sum(row.id not in unasked for row in records.rows.values()) if asked_at_the_door else 0
    return max(0, asked_at_the_door - silent)


def _end_of_silence(answered_at: Sequence[float], struck_at: float) -> float | None:
    """When the longest time without an answer ended, of those after `struck_at`."""
    moments = [struck_at, *(at for at in answered_at if at > struck_at)]
    silences = [(later - earlier, later) for earlier, later in pairwise(moments)]
    return max(silences)[1] if silences else None


def _seconds(moment: float | None, since: float) -> float | None:
    return None if moment is None else round(max(0.0, moment - since), 2)


def _complaint(what: str, predictions: Sequence[str], records: Records) -> list[str]:
    if not predictions:
        return []
    shown = [_shown_row(one, records) for one in predictions[:_SHOWN]]
    return [f"{len(predictions)} {what}: {', '.join(shown)}"]


def _shown_row(prediction: str, records: Records) -> str:
    row = records.rows.get(prediction)
    return f"{prediction} ({row.status}, published {row.attempts} times)" if row else f"{prediction} (no row)"


def _shown(ledger: dict[str, Any]) -> list[str]:
    return [f"ledger: {name} = {value}" for name, value in ledger.items()]
