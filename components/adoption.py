"""Taking over what exists, without a change: what is there is compared with what is asked for, and must be the same.

Pulumi's `import` takes a resource over and then, where it differs, changes it to what the program says: `unchanged`
stops that, and says what differs. Where the stack has the resource already, under another id, `import` replaces it,
which deletes the old one, protected or not, though it is the same in the cloud: `unmanaged` stops that, and
`still_the_same` where the id is another one's. Left out: what doesn't exist, which the import itself refuses. Source:
https://github.com/pulumi/pulumi/blob/v3.259.0/pkg/resource/deploy/step_generator.go
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

import pulumi

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

READ_BACK_AS: Final = {"labels": "effectiveLabels"}
"""An input that an import leaves unset → the output that has what is there, as pulumi-gcp has it since version 9:
https://github.com/pulumi/pulumi-gcp/issues/3313"""
_TOLD: Final = frozenset(READ_BACK_AS.values())
_LONGEST = 160


def same(one: object, other: object) -> bool:
    """Whether two values of a property mean the same."""
    return _canonical(one) == _canonical(other)


def difference(found: Mapping[str, object], wanted: Mapping[str, object], setting: str = "adopt") -> str:
    """What of `wanted` is otherwise in `found`, in a sentence; empty where nothing is.

    Other properties of what was found are a provider's own: it fills them in, and wouldn't change them.
    """
    parts = [part for name in sorted(wanted) for part in _parts(name, found.get(name), wanted[name])]
    if not parts:
        return ""
    return (
        f"{setting}: it isn't as the configuration asks for, and stays as it is: {'; '.join(parts)}. "
        f"Change one of the two, and run `pulumi up --refresh`; or remove {setting}, if it is adopted already"
    )


def read_back(inputs: Mapping[str, object], outputs: Mapping[str, object]) -> dict[str, object]:
    """What an import found: its inputs, and those that it tells of as outputs only."""
    hidden = {
        name: outputs[output]
        for name, output in READ_BACK_AS.items()
        if output in outputs and not inputs.get(name)
    }
    return {**inputs, **hidden}


def unchanged(id_: str, setting: str = "adopt", *, is_exact: bool = False) -> pulumi.ResourceHookBinding:
    """What stops a change of what is imported as `id_`, in a preview already; likewise of another one in its place.

    `is_exact`: its provider takes away what isn't asked for, so that there may be nothing else either.
    """

    async def refuse(args: pulumi.ResourceHookArgs) -> None:
        outputs = args.old_outputs or {}
        # The provider marks some as secret, and those come as outputs.
        told = {
            name: await pulumi.Output.from_input(outputs[name]).future() for name in _TOLD & outputs.keys()
        }
        found, wanted = read_back(args.old_inputs or {}, told), args.new_inputs or {}
        differs = difference(found, wanted, setting)
        if is_exact and not differs:
            differs = difference(found, {**dict.fromkeys(found), **wanted}, setting)
        if differs:
            raise ValueError(differs)

    def refuse_another(args: pulumi.ResourceHookArgs) -> None:
        raise ValueError(
            f"{setting}: it isn't as the configuration asks for, and stays as it is: {args.name} would have to be made "
            "anew. Change one of the two, and run `pulumi up --refresh`"
        )

    made_anew = pulumi.ResourceHook(f"{setting} {id_} only", refuse_another, _IN_PREVIEWS)
    return pulumi.ResourceHookBinding.merge(
        _before_update(f"{setting} {id_}", refuse), pulumi.ResourceHookBinding(before_create=[made_anew])
    )


def unmanaged(id_: str) -> pulumi.ResourceHookBinding:
    """What stops a destination that the stack has already from adopting `id_`, in a preview already.

    The component says in its inputs what it adopts, so one that hadn't said so is changed by that. One that has begun
    to adopt something and got no further may turn to something else.
    """

    def refuse(args: pulumi.ResourceHookArgs) -> None:
        if "adopt" in (args.old_inputs or {}) and "bucketName" not in (args.old_outputs or {}):
            return
        raise ValueError(
            f"adopt: this stack has the destination {args.name} already, and would delete its bucket to adopt {id_}. "
            "Remove adopt; or, to adopt another bucket, write a destination of another name"
        )

    return _before_update(f"adopt {id_} anew", refuse)


def still_the_same(setting: str, id_: str, outputs: Mapping[str, str]) -> pulumi.ResourceHookBinding:
    """What stops a destination that has something else from adopting `id_`, in a preview already.

    `outputs` are those of the component that name what it has, each as it is of `id_`: the last part of a path, in any
    case. The component says in its inputs what it adopts, likewise; one that has got no further has no outputs yet.
    """

    async def refuse(args: pulumi.ResourceHookArgs) -> None:
        for output, wanted in outputs.items():
            had = await pulumi.Output.from_input((args.old_outputs or {}).get(output)).future()
            if had and str(had).rpartition("/")[2].lower() != wanted.lower():
                raise ValueError(
                    f"{setting}: this stack has the destination {args.name} already, with {had}, and would delete that "
                    f"to adopt {wanted}. Remove {setting}; or, to adopt another, write a destination of another name"
                )

    return _before_update(f"{setting} {id_} anew", refuse)


_IN_PREVIEWS: Final = pulumi.ResourceHookOptions(on_dry_run=True)


def _before_update(name: str, refuse: pulumi.ResourceHookFunction) -> pulumi.ResourceHookBinding:
    return pulumi.ResourceHookBinding(before_update=[pulumi.ResourceHook(name, refuse, _IN_PREVIEWS)])


def _canonical(value: object) -> object:
    """Bring a value into the one form that all its spellings share.

    What is unset, empty or false is left out. In a policy document (a string that holds a JSON object) the order of
    lists doesn't matter, and a list of one is that one.
    """
    if isinstance(value, str):
        document = _document(value)
        return value or None if document is None else ("document", _unordered(document))
    if isinstance(value, list):
        return [_canonical(item) for item in cast("list[object]", value)] or None
    if isinstance(value, dict):
        known = {key: _canonical(item) for key, item in cast("dict[str, object]", value).items()}
        return {key: item for key, item in known.items() if item is not None} or None
    return None if value is False else value


def _document(text: str) -> dict[str, object] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _unordered(value: object) -> str:
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        return json.dumps({key: _unordered(item) for key, item in items}, sort_keys=True)
    if isinstance(value, list):
        found = sorted({_unordered(item) for item in cast("list[object]", value)})
        return found[0] if len(found) == 1 else json.dumps(found)
    return json.dumps(value)


def _parts(path: str, found: object, wanted: object) -> Iterator[str]:
    """Every place in which the two differ, as deep down as it can be named."""
    if same(found, wanted):
        return
    found, wanted = _read(found), _read(wanted)
    if isinstance(found, dict) and isinstance(wanted, dict):
        ours, theirs = cast("dict[str, object]", wanted), cast("dict[str, object]", found)
        for name in sorted(ours.keys() | theirs.keys()):
            yield from _parts(f"{path}.{name}", theirs.get(name), ours.get(name))
    elif isinstance(found, list) and isinstance(wanted, list):
        ours, theirs = cast("list[object]", wanted), cast("list[object]", found)
        extra = [one for one in theirs if not any(_alike(one, other) for other in ours)]
        missing = [one for one in ours if not any(_alike(one, other) for other in theirs)]
        yield from (f"{path} has {_shown(one)}, which isn't asked for" for one in extra)
        yield from (f"{path} lacks {_shown(one)}" for one in missing)
    else:
        yield f"{path} is {_shown(found)}, and {_shown(wanted)} is asked for"


def _read(value: object) -> object:
    document = _document(value) if isinstance(value, str) else None
    return value if document is None else document


def _alike(one: object, other: object) -> bool:
    return same(one, other) or _unordered(one) == _unordered(other)


def _shown(value: Any) -> str:
    text = "unset" if value is None else json.dumps(value, default=lambda _: "not known yet")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
