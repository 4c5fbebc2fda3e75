"""Which components and fields a pipeline uses, read with the engine's own description of its configuration."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Type of a field that holds components -> where the engine lists components of that type.
LISTS = {
    "input": "inputs",
    "output": "outputs",
    "processor": "processors",
    "metrics": "metrics",
    "rate_limit": "rate-limits",
    "scanner": "scanners",
}
# What may stand beside the name of a component, and is not its own.
BESIDE = ("label", "processors")


@dataclass(frozen=True)
class Field:
    """A field in use; `component` is such as output/redpanda, `path` is dotted from there."""

    component: str
    path: str


class Schema:
    """The engine's `list --format json-full`."""

    def __init__(self, description: dict[str, Any]):
        self._description = description

    def component(self, name: str) -> dict[str, Any]:
        """The specification of, for instance, output/redpanda."""
        kind, _, name = name.partition("/")
        return next(spec for spec in self._description[LISTS[kind]] if spec["name"] == name)

    def field(self, field: Field) -> dict[str, Any]:
        spec = self._root_of(field.component)
        for name in field.path.split(".") if field.path else ():
            spec = next(child for child in spec["children"] if child["name"] == name)
        return spec

    def used_in(self, pipeline: dict[str, Any]) -> Iterator[Field]:
        """Every field of a pipeline's YAML."""
        yield from self._walk(self._root_of("service"), pipeline, "service", "")

    def _root_of(self, component: str) -> dict[str, Any]:
        if component == "service":
            return {"children": self._description["config"]}
        return self.component(component)["config"]

    def _walk(self, spec: dict[str, Any], value: Any, component: str, path: str) -> Iterator[Field]:
        children = {child["name"]: child for child in spec.get("children") or ()}
        for name, inner in value.items():
            child = children[name]
            where = f"{path}.{name}".lstrip(".")
            yield Field(component, where)
            for one in inner if isinstance(inner, list) else [inner]:
                if child["type"] in LISTS:
                    yield from self._component(child["type"], one)
                elif isinstance(one, dict) and child.get("kind") != "map":
                    yield from self._walk(child, one, component, where)

    def _component(self, kind: str, value: dict[str, Any]) -> Iterator[Field]:
        for beside in value.get("processors", ()) if kind != "processor" else ():
            yield from self._component("processor", beside)
        [name] = [key for key in value if key not in BESIDE]
        component, inner = f"{kind}/{name}", value[name]
        yield Field(component, "")
        spec = self.component(component)["config"]
        if spec["type"] in LISTS:
            # The component is itself one or more components, as in `fallback` or `try`.
            for one in inner if isinstance(inner, list) else [inner]:
                yield from self._component(spec["type"], one)
        elif isinstance(inner, dict):
            yield from self._walk(spec, inner, component, "")
