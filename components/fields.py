"""Fields of a configuration: what a value must be, and how a model is read with every fault in this project's words.

Pydantic does the reading; each error of its own becomes faults that name key, value, what was expected and the mend.
Left out: which fields there are (`settings`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from components.faults import NOT_SET, Breach, Fault, did_you_mean, fault, listed

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Check = Callable[[str], tuple[Breach, ...]]
Found = list[tuple[str, object, Breach]]
"""What a field's validator found: where inside the field ("", "[0]"), which value, which rule."""

_QUOTE_BOOLEAN: Final = "quote it: YAML reads an unquoted true or false as a boolean"
QUOTE_NUMBER: Final = "quote it: YAML reads unquoted digits as a number"
QUOTE_ACCOUNT: Final = (
    'quote it, as in "012345678901": YAML drops the leading zeros of an unquoted number, or reads it as octal'
)
_GIVE_VALUE: Final = "give it a value, or remove the key"


class Model(BaseModel):
    """What is read strictly, knows its keys, and never changes; what isn't read needs no validator."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)


def _refused(found: Found) -> PydanticCustomError:
    return PydanticCustomError("refused", "refused", {"found": found})


def text_breaches(value: object, check: Check, expected: str, number_mend: str) -> tuple[Breach, ...]:
    """List the rules that a value breaks which has to be a string."""
    if isinstance(value, str):
        return check(value)
    mends: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, _QUOTE_BOOLEAN),
        ((int, float), number_mend),
        (type(None), _GIVE_VALUE),
    )
    mend = next((mend for kind, mend in mends if isinstance(value, kind)), "write one string")
    return (Breach(f"a string: {expected}", mend),)


def text(check: Check, expected: str, number_mend: str = QUOTE_NUMBER) -> BeforeValidator:
    """Take a string that keeps to a rule."""

    def validate(value: object) -> object:
        if broken := text_breaches(value, check, expected, number_mend):
            raise _refused([("", value, one) for one in broken])
        return value

    return BeforeValidator(validate)


def texts(check: Check, expected: str, number_mend: str = QUOTE_NUMBER, *, least: int = 0) -> BeforeValidator:
    """Take a list of different strings that keep to a rule, as a tuple."""

    def validate(value: object) -> object:
        if not isinstance(value, list):
            mend = "write it as a list: a hyphen before each" if value is not None else _GIVE_VALUE
            raise _refused([("", value, Breach(f"a list of strings, each {expected}", mend))])
        items = cast("list[object]", value)
        found: Found = [
            (f"[{index}]", item, breach)
            for index, item in enumerate(items)
            for breach in text_breaches(item, check, expected, number_mend)
        ]
        found += [
            (f"[{index}]", item, Breach("each value once", f"remove it: it repeats [{items.index(item)}]"))
            for index, item in enumerate(items)
            if isinstance(item, str) and items.index(item) < index
        ]
        if len(items) < least:
            found.append(("", items, Breach(f"at least {least}: {expected}", _GIVE_VALUE)))
        if found:
            raise _refused(found)
        return tuple(items)

    return BeforeValidator(validate)


def whole(low: int, high: int, unit: str, mend: str) -> BeforeValidator:
    """Take a whole number within bounds, both included."""
    breach = Breach(f"a whole number of {unit} from {low} to {high}", mend)

    def validate(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _refused([("", value, breach)])
        return value

    return BeforeValidator(validate)


def truth() -> BeforeValidator:
    """Take true or false."""
    breach = Breach("true or false", "write true or false, without quotes")

    def validate(value: object) -> object:
        if not isinstance(value, bool):
            raise _refused([("", value, breach)])
        return value

    return BeforeValidator(validate)


def choice(options: Sequence[str]) -> Check:
    """Take one of a few words."""

    def check(value: str) -> tuple[Breach, ...]:
        if value in options:
            return ()
        return (Breach(f"one of {listed(options)}", did_you_mean(value, options, "choose one of them")),)

    return check


def file_breaches(value: str) -> tuple[Breach, ...]:
    """Judge the path of a file that must be inside the project."""
    path = PurePosixPath(value)
    if value and not path.is_absolute() and ".." not in path.parts:
        return ()
    return (Breach("a file's path inside the project", "write it relative to Pulumi.yaml"),)


_AnyModel = TypeVar("_AnyModel", bound=BaseModel)


def read(model: type[_AnyModel], raw: Mapping[str, object], key: str) -> tuple[_AnyModel, list[Fault]]:
    """Make a model, and list the faults in what it was made from.

    Where there are faults, the model holds the fields without one, and nothing in those that must be there, so that
    what concerns several fields or several destinations is judged in the same run.
    """
    try:
        return model.model_validate(dict(raw)), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    faulty = {detail["loc"][0] for detail in details}
    sound: dict[str, Any] = {name: "" for name, field in model.model_fields.items() if field.is_required()}
    sound |= {name: value for name, value in raw.items() if name in model.model_fields and name not in faulty}
    return model.model_construct(**sound), [one for detail in details for one in _faults(model, detail, key)]


def _faults(model: type[BaseModel], detail: ErrorDetails, key: str) -> list[Fault]:
    """Say one of pydantic's errors in this project's words."""
    name = str(detail["loc"][0])
    where, fields = f"{key}.{name}", model.model_fields
    if detail["type"] == "refused":
        found = cast("Found", detail.get("ctx", {})["found"])
        return [fault(where + suffix, one, breach) for suffix, one, breach in found]
    if detail["type"] == "missing":
        return [Fault(where, NOT_SET, fields[name].description or "a value", "add the key")]
    return [unknown_key(where, name, detail["input"], list(fields))]


def unknown_key(where: str, key: str, value: object, known: Sequence[str]) -> Fault:
    """Refuse a key, with the nearest of those that are known."""
    meant = did_you_mean(key, known, "")
    every = f"one of the keys {listed(known)}"
    return fault(where, value, Breach("a key that is known" if meant else every, meant or "remove it"))
