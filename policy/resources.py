"""What the engine hands over of a stack's resources, as plain data: what was asked for, and what refers to what.

A resource is judged by its inputs, in the words in which its program wrote them. The engine hands those over when a
resource is registered, and at the end the whole stack with the outputs of each, which `Book` brings together. A value
that isn't known in a preview is `UNKNOWN`; whoever needs it gets `NotKnown`, never another value in its place.

Left out: `retainOnDelete`, which the engine tells no policy
(https://github.com/pulumi/pulumi/blob/master/proto/pulumi/analyzer.proto, AnalyzerResourceOptions).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from pulumi_policy.proxy import UnknownValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pulumi_policy import PolicyResource, ResourceValidationArgs


class Unknown:
    """A value that isn't known before the resource is made."""

    def __repr__(self) -> str:
        return "(not known yet)"


UNKNOWN: Final = Unknown()

Properties = dict[str, Any]

_VERSIONED = re.compile(r"^(azure-native:\w+)/v\w+:")


class NotKnown(Exception):  # noqa: N818 - an answer, not an error
    """Something can't be told of a resource: a value isn't known yet, or the stack doesn't say it."""

    def __init__(self, one: Resource, why: str) -> None:
        super().__init__(f"{one.name}: {why}")
        self.resource = one
        self.why = why


@dataclass(frozen=True, eq=False)
class Resource:
    """One resource of a stack. `type` is without the version of Azure's API; `above` are the components it is in.

    `reads`: a property, and the resources from whose outputs it is made.
    """

    urn: str
    type: str
    name: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    protect: bool = False
    above: tuple[Resource, ...] = ()
    reads: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def value(self, *path: str, otherwise: Any = None) -> Any:
        """An input, or a part of it; `otherwise` where it isn't set. Raises `NotKnown`, for any part of it."""
        found: Any = self.inputs
        for depth, name in enumerate(path, 1):
            found = cast("Mapping[str, Any]", found).get(name) if isinstance(found, Mapping) else None
            if found is UNKNOWN:
                raise NotKnown(self, f"{'.'.join(path[:depth])} isn't known yet")
            if found is None:
                return otherwise
        if not is_whole(found):
            raise NotKnown(self, f"{'.'.join(path)} isn't known yet in every part")
        return found

    def is_set(self, *path: str) -> bool:
        """Whether an input is given at all, known or not."""
        found: Any = self.inputs
        for name in path:
            found = cast("Mapping[str, Any]", found).get(name) if isinstance(found, Mapping) else None
            if found is UNKNOWN:
                return True
        return found is not None

    def known(self, *names: str) -> set[str]:
        """The texts by which it goes, as far as they are known, among its inputs and outputs of these names."""
        given = [source.get(name) for source in (self.inputs, self.outputs) for name in names]
        return {one for one in given if isinstance(one, str) and one}

    def named(self, names: Iterable[str]) -> bool:
        """Whether it, or a component that it is in, goes by one of these: a URN or a logical name."""
        own = {text for one in (self, *self.above) for text in (one.urn, one.name)}
        return not own.isdisjoint(names)


def is_whole(value: object) -> bool:
    """Whether nothing in it is unknown."""
    if isinstance(value, Mapping):
        return all(map(is_whole, cast("Mapping[str, object]", value).values()))
    if isinstance(value, list):
        return all(map(is_whole, cast("list[object]", value)))
    return value is not UNKNOWN


def part(of: object, name: str) -> Mapping[str, Any]:
    """What stands under a name in an object; nothing where there is no such object."""
    found = cast("Mapping[str, Any]", of).get(name) if isinstance(of, Mapping) else None
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


def refers(one: Resource, path: str, target: Resource, identifiers: Iterable[str]) -> bool | None:
    """Whether an input names another resource; None where that isn't known.

    It does where its value is one of the target's identifiers. Where the value isn't known yet, what it is made from
    says it; made from nothing that the stack has, it may be anything.
    """
    value = one.inputs.get(path)
    if isinstance(value, str):
        return value in set(identifiers)
    if value is UNKNOWN:
        made_from = one.reads.get(path)
        return target.urn in made_from if made_from else None
    return False


@dataclass
class Book:
    """The inputs of each resource, noted when it is registered."""

    inputs: dict[str, Properties] = field(default_factory=dict[str, Properties])
    notes: int = 0
    """How many were taken: more, and the stack isn't what it was."""

    def note(self, args: ResourceValidationArgs) -> None:
        """Note what was asked for."""
        self.inputs[args.urn] = _plain(args.props)
        self.notes += 1

    def stack(self, resources: Sequence[PolicyResource]) -> list[Resource]:
        """The stack as the engine has it in the end; where no inputs were noted, the outputs stand for them."""
        parents = {one.urn: one for one in resources}
        made: dict[str, Resource] = {}

        def make(one: PolicyResource) -> Resource:
            if one.urn not in made:
                outputs = _plain(one.props)
                parent = one.parent or parents.get(one.opts.parent or "")
                above = make(parent) if parent is not None else None
                made[one.urn] = Resource(
                    urn=one.urn,
                    type=_VERSIONED.sub(r"\1:", one.resource_type),
                    name=one.name,
                    inputs=self.inputs.get(one.urn, outputs),
                    outputs=outputs,
                    protect=one.opts.protect,
                    above=(above, *above.above) if above else (),
                    reads={
                        name: frozenset(target.urn for target in targets)
                        for name, targets in one.property_dependencies.items()
                    },
                )
            return made[one.urn]

        return [make(one) for one in resources]


def _plain(props: Mapping[str, Any]) -> Properties:
    return dict(_entries(props))


def _entries(props: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in props:
        try:
            value = props[name]
        except UnknownValueError:
            value = UNKNOWN
        yield name, _value(value)


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _plain(cast("Mapping[str, Any]", value))
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return list(_elements(cast("Sequence[Any]", value)))
    return value


def _elements(values: Sequence[Any]) -> Iterator[Any]:
    for index in range(len(values)):
        try:
            yield _value(values[index])
        except UnknownValueError:
            yield UNKNOWN
