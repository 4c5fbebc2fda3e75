"""Which transforms there are: the `transform.yaml` that `rpk transform deploy` reads, and the module beside it."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from django.conf import settings

TRANSFORMS = Path(settings.BASE_DIR) / "redpanda" / "transforms"

MAX_NAME_BYTES = 128
MAX_OUTPUT_TOPICS = 8
MAX_VARIABLES = 128
MAX_VARIABLE_BYTES = 2048
CONTROL_CHARACTERS = re.compile(r"[\x00-\x1f\x7f]")


class BadDeployment(Exception):
    """Redpanda would refuse to deploy this."""


@dataclass(frozen=True)
class Deployment:
    """A transform as it is deployed: where it reads, where it may write (the first topic by default)."""

    name: str
    input_topic: str
    output_topics: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= len(self.name.encode()) <= MAX_NAME_BYTES:
            raise BadDeployment(f"the name {self.name!r} must have 1 to {MAX_NAME_BYTES} bytes")
        if not 1 <= len(self.output_topics) <= MAX_OUTPUT_TOPICS:
            raise BadDeployment(f"{self.name} must have 1 to {MAX_OUTPUT_TOPICS} output topics")
        if len({self.input_topic, *self.output_topics}) != len(self.output_topics) + 1:
            raise BadDeployment(f"{self.name}: the topics must be different ones")
        if len(self.variables) > MAX_VARIABLES or not all(map(_is_variable, self.variables.items())):
            raise BadDeployment(f"{self.name}: the broker refuses its environment variables")

    @property
    def environment(self) -> dict[str, str]:
        """What the guest finds in its environment."""
        outputs = {f"REDPANDA_OUTPUT_TOPIC_{i}": topic for i, topic in enumerate(self.output_topics)}
        return {**self.variables, "REDPANDA_INPUT_TOPIC": self.input_topic, **outputs}


def _is_variable(variable: tuple[str, str]) -> bool:
    name, value = variable
    return (
        1 <= len(name.encode()) <= MAX_NAME_BYTES
        and "=" not in name
        and not name.startswith("REDPANDA_")
        and 1 <= len(value.encode()) <= MAX_VARIABLE_BYTES
        and not CONTROL_CHARACTERS.search(name + value)
    )


def read_deployments(folder: Path = TRANSFORMS) -> dict[str, Deployment]:
    """Every transform under `folder`, by name, in the order of the names."""
    found = [_read_deployment(path) for path in sorted(folder.glob("*/transform.yaml"))]
    return {deployment.name: deployment for deployment in found}


def _read_deployment(path: Path) -> Deployment:
    text = yaml.safe_load(path.read_text())
    return Deployment(
        name=text["name"],
        input_topic=text["input-topic"],
        output_topics=tuple(text["output-topics"]),
        variables=text.get("env", {}),
    )


def read_module(name: str, folder: Path = TRANSFORMS) -> bytes:
    """The WebAssembly of a transform.

    Raises:
        BadDeployment: it isn't the module that the manifest names.
    """
    binary = (folder / f"{name}.wasm").read_bytes()
    expected = json.loads((folder / "manifest.json").read_text())["modules"].get(name)
    if hashlib.sha256(binary).hexdigest() != expected:
        raise BadDeployment(f"{name}.wasm is not the module of manifest.json: run redpanda/transforms/build.py build")
    return binary
