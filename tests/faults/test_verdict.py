"""The judge of the fault tests sees what it must see; with records made up here."""

import pytest

from tests.faults.books import Account, Records, Row, Told
from tests.faults.crowd import Client, Heard
from tests.faults.verdict import Verdict, judge

ANNA, BERT = Account(1, "u1", "a"), Account(2, "u2", "b")


def client(account: Account, *heard: Heard, accepted: tuple[str, ...] = ()) -> Client:
    return Client(account, accepted=dict.fromkeys(accepted, 9.0), heard=list(heard))


def records(
    *rows: Row, events: tuple[Told, ...] = (), settled_twice: tuple[str, ...] = (), complaint: str = ""
) -> Records:
    ledger = {"complaint": complaint, "in_flight": 0}
    return Records({row.id: row for row in rows}, list(events), list(settled_twice), ledger)


def verdict(clients: list[Client], found: Records, within: float | None = None) -> Verdict:
    return judge(clients, found, struck_at=10.0, over_at=10.0, within=within, restless="")


def a_good_end() -> tuple[list[Client], Records]:
    """Anna's x is answered 2 s after the fault."""
    found = records(Row("x", "u1", "answered", 1), events=(Told(1, "u1", "x", "answered"),))
    return [client(ANNA, Heard(1, "x", "answered", 12.0), accepted=("x",)), client(BERT)], found


def test_a_question_answered_once_to_its_owner_is_no_complaint() -> None:
    judged = verdict(*a_good_end())
    judged.check()
    assert (judged.figures.accepted, judged.figures.answered, judged.figures.again) == (1, 1, 2.0)


def test_an_accepted_question_that_never_ended_is_lost_and_named() -> None:
    clients, _ = a_good_end()
    judged = verdict(clients, records(Row("x", "u1", "published", 2)))
    assert judged.figures.lost == 1
    with pytest.raises(AssertionError, match=r"1 lost: x \(published, published 2 times\)[\s\S]*ledger: in_flight = 0"):
        judged.check()


def test_a_202_without_a_row_is_lost() -> None:
    clients, found = a_good_end()
    clients[1].accepted["y"] = 11.0
    assert verdict(clients, found).complaints == ["1 lost: y (no row)"]


@pytest.mark.parametrize("kinds", [("answered", "answered"), ("answered", "failed"), ("rejected", "answered")])
def test_a_second_end_is_a_double(kinds: tuple[str, str]) -> None:
    found = records(
        Row("x", "u1", "answered", 1), events=tuple(Told(at, "u1", "x", kind) for at, kind in enumerate(kinds))
    )
    heard = [Heard(at, "x", kind, 11.0 + at) for at, kind in enumerate(kinds)]
    assert verdict([client(ANNA, *heard)], found).figures.doubled == 1


def test_failed_and_then_answered_is_late_and_no_double() -> None:
    found = records(
        Row("x", "u1", "answered", 3), events=(Told(1, "u1", "x", "failed"), Told(2, "u1", "x", "answered"))
    )
    judged = verdict([client(ANNA, Heard(1, "x", "failed", 40.0), Heard(2, "x", "answered", 41.0))], found)
    judged.check()
    assert (judged.figures.late, judged.figures.failed, judged.figures.doubled) == (1, 0, 0)


def test_the_same_event_heard_twice_is_a_double() -> None:
    clients, found = a_good_end()
    clients[0].heard.append(clients[0].heard[0])
    assert verdict(clients, found).figures.doubled == 1


def test_a_double_anywhere_in_the_run_is_a_complaint() -> None:
    clients, found = a_good_end()
    found.settled_twice.append("older")
    assert verdict(clients, found).complaints == ["1 doubled: older (no row)"]


def test_an_answer_heard_by_somebody_else_is_told_to_a_stranger() -> None:
    clients, found = a_good_end()
    clients[1].heard.append(Heard(1, "x", "answered", 12.0))
    judged = verdict(clients, found)
    assert judged.figures.strangers == 1
    assert judged.complaints == ["1 told to somebody else: x (answered, published 1 times)"]


def test_a_stored_answer_that_its_owner_did_not_hear_is_untold() -> None:
    clients, found = a_good_end()
    found.rows["y"] = Row("y", "u2", "answered", 1)
    found.events.append(Told(2, "u2", "y", "answered"))
    assert verdict(clients, found).figures.untold == 1


def test_answers_heard_in_another_order_are_a_complaint() -> None:
    found = records(
        *(Row(one, "u1", "answered", 1) for one in "xy"),
        events=(Told(1, "u1", "x", "answered"), Told(2, "u1", "y", "answered")),
    )
    judged = verdict([client(ANNA, Heard(2, "y", "answered", 12.0), Heard(1, "x", "answered", 12.0))], found)
    assert judged.figures.untold == 1


def test_the_end_of_the_longest_silence_after_the_fault_is_when_answers_came_again() -> None:
    at = [9.0, 10.1, 24.5, 24.6, 26.0]
    found = records(
        *(Row(str(moment), "u1", "answered", 1) for moment in at),
        events=tuple(Told(cursor, "u1", str(moment), "answered") for cursor, moment in enumerate(at)),
    )
    clients = [client(ANNA, *(Heard(cursor, str(moment), "answered", moment) for cursor, moment in enumerate(at)))]
    assert verdict(clients, found, within=15).complaints == []
    assert verdict(clients, found, within=14).complaints == ["answers came again after 14.5 s, more than 14"]
    assert verdict(clients, found).figures.again == 14.5


def test_a_ledger_whose_sum_does_not_hold_is_a_complaint() -> None:
    clients, found = a_good_end()
    found.ledger["complaint"] = "off by 1"
    assert verdict(clients, found).complaints == ["the ledger: off by 1"]


def test_a_run_that_never_comes_to_rest_is_a_complaint() -> None:
    clients, found = a_good_end()
    [complaint] = judge(clients, found, struck_at=10.0, over_at=10.0, restless="prediction_topic: 3").complaints
    assert complaint.startswith("it never came to rest")


def test_a_question_given_up_and_never_answered_is_a_complaint() -> None:
    found = records(Row("x", "u1", "failed", 3), events=(Told(1, "u1", "x", "failed"),))
    complaints = verdict([client(ANNA, Heard(1, "x", "failed", 40.0), accepted=("x",))], found).complaints
    assert complaints[0] == "1 given up and not answered later: x (failed, published 3 times)"


def test_more_refusals_than_another_door_allows_are_a_complaint() -> None:
    clients, found = a_good_end()
    clients[0].refused["503"] = 1
    judged = judge(clients, found, struck_at=10.0, over_at=10.0, restless="", most_refused=0.25)
    assert judged.complaints == ["1 were refused: {'503': 1}"]
    assert verdict(clients, found).complaints == []


def test_a_post_without_an_answer_was_accepted_if_its_row_is_there() -> None:
    clients, found = a_good_end()
    clients[0].accepted.clear()
    clients[0].refused["no answer"] = 2
    figures = verdict(clients, found).figures
    assert (figures.accepted, figures.refused) == (1, 1)
