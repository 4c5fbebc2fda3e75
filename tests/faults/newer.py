"""The programs of the path as they are after one change of the messages: each has an optional member more.

`python -m tests.faults.newer <program> <its command, without the interpreter>`. Everything that it publishes to the
path carries the member, and so does each item of a scoring batch; everything that it reads may lack it. Which shapes
a program has met is left as files under `shapes/` of the state folder.
"""

import json
import os
import runpy
import sys
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housevalue.settings")
django.setup()

from django.conf import settings  # noqa: E402  (needs the app registry)

from streaming import messages  # noqa: E402  (needs the app registry)
from streaming.kafka import Publisher  # noqa: E402  (needs the app registry)
from streaming.topics import Topic  # noqa: E402  (needs the app registry)

_MEMBER = "hint"
_publish, _object = Publisher.publish, messages._object
_read_features, _score_message = messages.read_features, messages.score_message


def main() -> None:
    program = sys.argv.pop(1)
    _change_messages(program)
    del sys.argv[0]
    if sys.argv[0] == "-m":
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(sys.argv[0], run_name="__main__")


def _change_messages(program: str) -> None:
    def publish(self: Publisher, topic: str, *, value: bytes | None, **more: Any) -> None:
        if topic != Topic.DEAD_LETTERS and value is not None:
            value = json.dumps({**json.loads(value), _MEMBER: program}).encode()
        _publish(self, topic, value=value, **more)

    def read_object(message: messages.Readable) -> dict:
        value = _object(message)
        _note(program, value)
        return value

    def read_features(message: messages.Readable) -> dict:
        return _read_features(message) | {_MEMBER: program}

    def score_message(item: dict, **more: Any) -> tuple:
        _note(program, item)
        return _score_message(item, **more)

    Publisher.publish = publish  # type: ignore[method-assign, assignment]
    messages._object = read_object
    messages.read_features = read_features
    messages.score_message = score_message


def _note(program: str, value: dict) -> None:
    path = settings.VAR_DIR / "shapes" / f"{program}-{'new' if _MEMBER in value else 'old'}"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.touch()


if __name__ == "__main__":
    main()
