"""The example files of `redpanda/contracts/examples`, one folder per topic."""

import json
from dataclasses import dataclass

from predictions.contract import CONTRACTS


@dataclass(frozen=True)
class Example:
    topic: str
    name: str
    content: dict

    def __str__(self) -> str:
        return f"{self.topic}/{self.name}"

    @property
    def value(self) -> bytes | None:
        """What a record's value would be."""
        if "input" in self.content:
            return json.dumps(self.content["input"]).encode()
        text = self.content["input_text"]
        return None if text is None else text.encode()

    @property
    def is_good(self) -> bool:
        return self.name.startswith("good")


def examples(*topics: str) -> list[Example]:
    return [
        Example(path.parent.name, path.stem, json.loads(path.read_text()))
        for path in sorted((CONTRACTS / "examples").glob("*/*.json"))
        if not topics or path.parent.name in topics
    ]
