"""The drop folder: lines become requests, bad ones dead letters that say where, and a file is never asked twice."""

import json

from streaming.topics import Topic
from streaming.transform_host.deployments import read_deployments, read_module
from streaming.transform_host.guest import Guest
from streaming.transform_host.modules import compile_module
from streaming.transform_host.records import Record
from tests.making import FEATURES
from tests.redpanda.connect.doors import GOOD_LINE, HEADER, Folders
from tests.redpanda.connect.log import Log, headers_of
from tests.stack import wait_until


def test_a_file_becomes_requests_of_its_account_and_is_moved(log: Log, folders: Folders, start_feed):
    start_feed()
    folders.put("houses.csv", f"{HEADER}\n{GOOD_LINE}\n{GOOD_LINE}\n")
    [done] = folders.wait_moved("houses.csv")
    assert done.read_text() == f"{HEADER}\n{GOOD_LINE}\n{GOOD_LINE}\n"
    first, second = sorted(log.records(Topic.REQUESTS), key=lambda record: headers_of(record)["feed-line"])
    value = json.loads(first.value())
    assert value["features"] == FEATURES
    assert value["id"].encode() == first.key() != second.key()
    headers = headers_of(first)
    assert (headers["source"], headers["feed-file"], headers["feed-line"]) == ("bank", "houses.csv", "2")
    assert headers["at-published"].isdigit()


def test_a_bad_line_is_a_dead_letter_with_its_file_and_line_and_stops_no_other(log: Log, folders: Folders, start_feed):
    start_feed()
    bad = GOOD_LINE.replace(str(FEATURES["house_age"]), "old")
    folders.put("houses.csv", "\n".join([HEADER, GOOD_LINE, bad, "1,2", GOOD_LINE]))
    folders.wait_moved("houses.csv")
    assert log.count(Topic.REQUESTS) == 2
    letters = {headers_of(letter)["feed-line"]: letter for letter in log.records(Topic.DEAD_LETTERS)}
    assert set(letters) == {"3", "4"}
    headers = headers_of(letters["3"])
    assert letters["3"].value().decode() == bad
    assert (headers["stage"], headers["error"], headers["source"]) == ("feed", "bad_line", "bank")
    assert headers["error-detail"] == "houses.csv line 3: house_age is not a number"


def test_what_the_transform_refuses_still_names_its_file_and_line(log: Log, folders: Folders, start_feed):
    start_feed()
    folders.put("houses.ndjson", json.dumps(FEATURES | {"med_inc": 99}) + "\n")
    folders.wait_moved("houses.ndjson")
    [record] = log.records(Topic.REQUESTS)
    deployment = read_deployments()["prepare-request"]
    guest = Guest(deployment, compile_module(read_module("prepare-request")))
    try:
        raw = [(name.encode(), value) for name, value in record.headers()]
        [output] = guest.transform([Record(record.key(), record.value(), raw, timestamp=1)])
    finally:
        guest.stop()
    assert output.topic == Topic.DEAD_LETTERS
    headers = {name.decode(): value.decode() for name, value in output.record.headers}
    assert (headers["error"], headers["feed-file"], headers["feed-line"]) == ("out_of_range", "houses.ndjson", "1")


def test_a_file_that_is_dropped_again_has_the_same_ids(log: Log, folders: Folders, start_feed):
    start_feed()
    for _ in range(2):
        folders.put("houses.csv", f"{HEADER}\n{GOOD_LINE}\n{GOOD_LINE}\n")
        done = folders.wait_moved("houses.csv")
    assert len(done) == 1
    assert log.count(Topic.REQUESTS) == 4
    assert len({record.key() for record in log.records(Topic.REQUESTS)}) == 2


def test_a_file_under_another_name_is_another_question(log: Log, folders: Folders, start_feed):
    start_feed()
    for name in ("november.csv", "december.csv"):
        folders.put(name, f"{HEADER}\n{GOOD_LINE}\n")
        folders.wait_moved(name)
    assert len({record.key() for record in log.records(Topic.REQUESTS)}) == 2


def test_a_large_file_is_taken_and_one_that_is_too_large_is_set_aside(log: Log, folders: Folders, start_feed):
    start_feed()
    folders.put("many.csv", "\n".join([HEADER, *[GOOD_LINE] * 5000]))
    folders.wait_moved("many.csv", 60)
    assert len({record.key() for record in log.records(Topic.REQUESTS)}) == 5000
    folders.put("huge.csv", HEADER + "\n" + "x" * (16 * 1024 * 1024))
    folders.wait_moved("huge.csv", 60)
    [letter] = log.records(Topic.DEAD_LETTERS)
    assert headers_of(letter)["error"] == "too_large"
    assert len(letter.value()) == 1024


def test_files_of_other_names_and_other_bytes_do_no_harm(log: Log, folders: Folders, start_feed):
    start_feed()
    (folders.drop / "notes.txt").write_text("mine")
    (folders.drop / "binary.csv").write_bytes(bytes(range(256)))
    (folders.drop / "empty.csv").touch()
    folders.put("houses.csv", f"{HEADER}\n{GOOD_LINE}\n")
    for name in ("houses.csv", "binary.csv", "empty.csv"):
        folders.wait_moved(name)
    assert (folders.drop / "notes.txt").exists()
    assert log.count(Topic.REQUESTS) == 1


def test_killed_in_the_middle_it_reads_the_file_again_with_the_same_ids(log: Log, folders: Folders, start_feed):
    pipeline = start_feed()
    for number in range(6):
        folders.put(f"houses-{number}.csv", "\n".join([HEADER, *[GOOD_LINE] * 800]))
    for count in (1, 1600, 3200):
        wait_until(lambda goal=count: log.count(Topic.REQUESTS) >= goal, 60, f"{count} requests")
        pipeline.kill()
        pipeline.start()
    for number in range(6):
        folders.wait_moved(f"houses-{number}.csv", 60)
    assert len({record.key() for record in log.records(Topic.REQUESTS)}) == 4800
