"""A stack's configuration as typed models: judged whole, before any resource is registered.

`judge` takes the project's part of the configuration as plain Python and gives `Settings`, or every fault at
once. One model per provider stands in `PROVIDERS`. A matter of shape is a fault; a matter of a list that
grows (regions, actions) is a warning. Left out: reading files (the command does, and so does Pulumi), and
whatever only a cloud can answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from components import aws, naming, trust
from components.faults import NOT_SET, Breach, ConfigurationError, Fault, did_you_mean, fault, listed, shown

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

LONGEST_RETENTION_DAYS: Final = 36500
"""A hundred years: a larger number is a slip of the finger."""

_LONGEST_DESTINATION_NAME: Final = 63

_Check = Callable[[str], tuple[Breach, ...]]
_Found = list[tuple[str, object, Breach]]
"""What a field's validator found: where inside the field ("", "[0]"), which value, which rule."""

_QUOTE_BOOLEAN: Final = "quote it: YAML reads an unquoted true or false as a boolean"
_QUOTE_NUMBER: Final = "quote it: YAML reads unquoted digits as a number"
_QUOTE_ACCOUNT: Final = (
    'quote it, as in "012345678901": YAML drops the leading zeros of an unquoted number, or reads it as octal'
)
_GIVE_VALUE: Final = "give it a value, or remove the key"


# --- fields ---------------------------------------------------------------------------------------


def _refused(found: _Found) -> PydanticCustomError:
    return PydanticCustomError("refused", "refused", {"found": found})


def _text_breaches(value: object, check: _Check, expected: str, number_mend: str) -> tuple[Breach, ...]:
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


def _text(check: _Check, expected: str, number_mend: str = _QUOTE_NUMBER) -> BeforeValidator:
    """Take a string that keeps to a rule."""

    def validate(value: object) -> object:
        if broken := _text_breaches(value, check, expected, number_mend):
            raise _refused([("", value, one) for one in broken])
        return value

    return BeforeValidator(validate)


def _texts(
    check: _Check, expected: str, number_mend: str = _QUOTE_NUMBER, *, least: int = 0
) -> BeforeValidator:
    """Take a list of different strings that keep to a rule, as a tuple."""

    def validate(value: object) -> object:
        if not isinstance(value, list):
            mend = "write it as a list: a hyphen before each" if value is not None else _GIVE_VALUE
            raise _refused([("", value, Breach(f"a list of strings, each {expected}", mend))])
        items = cast("list[object]", value)
        found: _Found = [
            (f"[{index}]", item, breach)
            for index, item in enumerate(items)
            for breach in _text_breaches(item, check, expected, number_mend)
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


def _whole(low: int, high: int, unit: str, mend: str) -> BeforeValidator:
    """Take a whole number within bounds, both included."""
    breach = Breach(f"a whole number of {unit} from {low} to {high}", mend)

    def validate(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _refused([("", value, breach)])
        return value

    return BeforeValidator(validate)


def _choice(options: Sequence[str]) -> _Check:
    def check(value: str) -> tuple[Breach, ...]:
        if value in options:
            return ()
        return (Breach(f"one of {listed(options)}", did_you_mean(value, options, "choose one of them")),)

    return check


def _file_breaches(value: str) -> tuple[Breach, ...]:
    path = PurePosixPath(value)
    if value and not path.is_absolute() and ".." not in path.parts:
        return ()
    return (Breach("a file's path inside the project", "write it relative to Pulumi.yaml"),)


_REGION: Final = "an AWS region, as in eu-west-1"
_DESTINATIONS: Final = "at least one destination: a mapping of names to their settings"

OnDestroy = Literal["protect", "retain", "delete"]
_ON_DESTROY: Final = ("protect", "retain", "delete")

_account = _text(aws.account_id_breaches, 'an AWS account id, as in "123456789012"', _QUOTE_ACCOUNT)
_external_id = _text(aws.external_id_breaches, "an external id, as in tavus")
_external_ids = _texts(aws.external_id_breaches, "an external id, as in tavus")
_role_arn = _text(aws.role_arn_breaches, "a role's ARN, as in arn:aws:iam::123456789012:role/name")
_role_arns = _texts(aws.role_arn_breaches, "a role's ARN, as in arn:aws:iam::123456789012:role/name")


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


# --- destinations ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class S3Names:
    """The physical names of an S3 destination."""

    bucket: str
    role: str


class S3Destination(_Model):
    """A bucket of the customer's, and the role through which the recording service writes into it.

    `region`: where the bucket is. `account`: the 12-digit account to deploy into; `deploy_role`: the role
    that Pulumi assumes there. `bucket_name`, `role_name`: instead of the derived ones. `role_path`,
    `permissions_boundary`: for accounts whose roles need them; `permissions_boundary_file`: where in the project
    its document is, for the rehearsal alone. `on_destroy`: `protect` refuses, `retain`
    leaves the storage, `delete` gives the recordings up. `retention_days`: readable that long; unset, nothing
    expires. `external_id`: handed over instead of the trust profile's; `additional_external_ids`,
    `additional_principals`: accepted beside. `readers`: roles that may read the bucket.
    """

    provider: Literal["s3"]
    region: Annotated[str, _text(aws.region_breaches, _REGION)] = Field(description=_REGION)
    account: Annotated[str | None, _account] = None
    deploy_role: Annotated[str | None, _role_arn] = None
    bucket_name: Annotated[str | None, _text(aws.bucket_name_breaches, "a bucket name, as in acme-calls")] = (
        None
    )
    role_name: Annotated[str | None, _text(aws.role_name_breaches, "a role name, as in recordings-acme")] = (
        None
    )
    role_path: Annotated[str, _text(aws.role_path_breaches, "an IAM path, as in /recordings/")] = "/"
    permissions_boundary: Annotated[
        str | None,
        _text(aws.policy_arn_breaches, "a policy's ARN, as in arn:aws:iam::123456789012:policy/name"),
    ] = None
    permissions_boundary_file: Annotated[
        str | None, _text(_file_breaches, "a file's path inside the project, as in stacks/boundary.json")
    ] = None
    on_destroy: Annotated[OnDestroy, _text(_choice(_ON_DESTROY), f"one of {listed(_ON_DESTROY)}")] = "protect"
    retention_days: Annotated[
        int | None,
        _whole(
            1,
            LONGEST_RETENTION_DAYS,
            "days",
            "write the number without quotes; remove the key to keep everything",
        ),
    ] = None
    external_id: Annotated[str | None, _external_id] = None
    additional_external_ids: Annotated[tuple[str, ...], _external_ids] = ()
    additional_principals: Annotated[
        tuple[str, ...],
        _texts(aws.principal_breaches, "an account id or a role's or user's ARN", _QUOTE_ACCOUNT),
    ] = ()
    readers: Annotated[tuple[str, ...], _role_arns] = ()

    @property
    def target_account(self) -> str | None:
        """The account to deploy into, where the configuration says: `account`, or the deploy role's."""
        arn = aws.iam_arn(self.deploy_role or "")
        return self.account or (arn.account if arn else None)

    def own_external_id(self, profile: trust.S3Trust) -> str:
        """Give the external id that the application hands over: the destination's own, or the profile's."""
        return self.external_id or profile.external_id

    def external_ids(self, profile: trust.S3Trust) -> tuple[str, ...]:
        """List every external id that the role accepts, the one that is handed over first."""
        return (self.own_external_id(profile), *self.additional_external_ids)

    def names(self, scope: naming.Scope, destination: str, account: str) -> S3Names:
        """Give the configured names, or the derived ones; `account` is the one that is deployed into."""
        return S3Names(
            bucket=self.bucket_name or naming.bucket_name(scope, destination, account, self.region),
            role=self.role_name or naming.role_name(scope, destination, account, self.region),
        )


Destination = S3Destination
"""Any provider's destination."""

PROVIDERS: Final[Mapping[str, type[Destination]]] = {"s3": S3Destination}
"""`provider` → its model."""


# --- trust profile --------------------------------------------------------------------------------


class S3TrustSettings(_Model):
    """The vendor's constants for S3 that the stack overrides; unset, the profile's stands."""

    account: Annotated[str | None, _account] = None
    session_seconds: Annotated[
        int | None,
        _whole(3600, 43200, "seconds", "write the session that the service asks for, without quotes"),
    ] = None
    actions: Annotated[
        tuple[str, ...] | None, _texts(aws.s3_action_breaches, "an action, as in s3:PutObject", least=1)
    ] = None
    external_id: Annotated[str | None, _external_id] = None

    @property
    def overrides(self) -> trust.S3Overrides:
        """Only what is set."""
        return cast("trust.S3Overrides", {name: getattr(self, name) for name in self.model_fields_set})


class TrustProfile(_Model):
    """Overrides per provider."""

    s3: S3TrustSettings = S3TrustSettings()


class _Document(_Model):
    """The top level by its keys; `judge` judges each value."""

    destinations: Any = Field(description=_DESTINATIONS)
    default: Any = None
    tags: Any = None
    trust_profile: Any = None


# --- the whole ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """A stack's configuration, judged. Destinations are in the order of their names."""

    scope: naming.Scope
    destinations: Mapping[str, Destination]
    default_name: str | None
    tags: Mapping[str, str]
    trust_profile: TrustProfile

    @property
    def s3_trust(self) -> trust.S3Trust:
        """The vendor's constants for S3, overrides in place."""
        return trust.effective_s3(self.trust_profile.s3.overrides)


@dataclass(frozen=True)
class Judgement:
    """Settings without a fault, and what someone should know about them."""

    settings: Settings
    warnings: tuple[Fault, ...]


def judge(config: Mapping[str, object], *, project: str, stack: str, organization: str) -> Judgement:
    """Judge a project's configuration.

    `config` has the project's keys without the namespace (`destinations`, `default`, `tags`, `trust_profile`)
    and plain Python as values. Raises `ConfigurationError` with every fault at once.
    """
    scope = naming.Scope(organization, project, stack)
    _, faults = _read(_Document, config, "")
    raw = _mapping(config.get("destinations"))
    if "destinations" in config and not raw:
        faults.append(
            fault(
                "destinations",
                config["destinations"],
                Breach(_DESTINATIONS, _FIRST_DESTINATION),
            )
        )
    destinations: dict[str, Destination] = {}
    for name in sorted(raw or {}):
        destination, found = _read_destination(name, (raw or {})[name])
        faults += found
        if destination is not None:
            destinations[name] = destination
    default, found = _read_default(config, list(raw or {}))
    faults += found
    tags, found = _read_tags(config)
    faults += found
    profile, found = _read_trust_profile(config)
    faults += found

    settings = Settings(scope, destinations, default, tags, profile)
    for check in _CROSS_CHECKS:
        faults += check(settings)
    if faults:
        raise ConfigurationError(faults, project)
    return Judgement(settings, tuple(_warnings(settings)))


_FIRST_DESTINATION: Final = "name one, as in calls: {provider: s3, region: eu-west-1}"


def _mapping(value: object) -> Mapping[str, object] | None:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else None


def _read_destination(name: str, raw: object) -> tuple[Destination | None, list[Fault]]:
    key = f"destinations.{name}"
    faults = [fault(key, name, breach) for breach in _destination_name_breaches(name)]
    given = _mapping(raw)
    if given is None:
        faults.append(fault(key, raw, Breach("a mapping with provider and its settings", _FIRST_DESTINATION)))
        return None, faults
    provider = given.get("provider")
    if not isinstance(provider, str) or provider not in PROVIDERS:
        value = shown(provider) if "provider" in given else NOT_SET
        mend = did_you_mean(str(provider), list(PROVIDERS), f"write provider: {next(iter(PROVIDERS))}")
        faults.append(Fault(f"{key}.provider", value, f"one of {listed(PROVIDERS)}", mend))
        return None, faults
    destination, found = _read(PROVIDERS[provider], given, key)
    return destination, faults + found


def _destination_name_breaches(name: str) -> tuple[Breach, ...]:
    rules = (
        (
            name[:1].isascii() and name[:1].islower() and all(c in _NAME_CHARACTERS for c in name),
            "a destination name of lower-case letters, digits and hyphens that begins with a letter",
            "write it as in calls or support-calls",
        ),
        (
            not name.endswith("-"),
            "a destination name that ends with a letter or digit",
            "remove the last hyphen",
        ),
        (
            len(name) <= _LONGEST_DESTINATION_NAME,
            f"a destination name of at most {_LONGEST_DESTINATION_NAME} characters; it has {len(name)}",
            "shorten it",
        ),
    )
    return tuple(Breach(expected, mend) for kept, expected, mend in rules if not kept)


_NAME_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def _read_default(config: Mapping[str, object], names: Sequence[str]) -> tuple[str | None, list[Fault]]:
    if "default" not in config:
        return (names[0] if len(names) == 1 else None), []
    value = config["default"]
    expected = f"the name of a destination: {listed(sorted(names))}" if names else "the name of a destination"

    def known(name: str) -> tuple[Breach, ...]:
        return (
            ()
            if name in names
            else (Breach(expected, did_you_mean(name, names, "name one, or remove default")),)
        )

    broken = _text_breaches(value, known, expected, _QUOTE_NUMBER)
    return (None if broken else cast("str", value)), [fault("default", value, one) for one in broken]


def _read_tags(config: Mapping[str, object]) -> tuple[Mapping[str, str], list[Fault]]:
    if "tags" not in config:
        return {}, []
    tags = _mapping(config["tags"])
    if tags is None:
        breach = Breach("a mapping of tag keys to values", "write it as in tags: {team: voice}")
        return {}, [fault("tags", config["tags"], breach)]
    faults: list[Fault] = []
    if len(tags) > aws.LARGEST_TAG_COUNT:
        breach = Breach(
            f"at most {aws.LARGEST_TAG_COUNT} tags: AWS allows 50, and some stay free", "remove some"
        )
        faults.append(Fault("tags", f"{len(tags)} tags", breach.expected, breach.mend))
    seen: dict[str, str] = {}
    for key in sorted(tags):
        value = tags[key]

        def kept(text: str, key: str = key) -> tuple[Breach, ...]:
            return aws.tag_breaches(key, text)

        broken = _text_breaches(value, kept, "a tag's value", _QUOTE_NUMBER)
        faults += [fault(f"tags.{key}", value, one) for one in broken]
        first = seen.setdefault(key.lower(), key)
        if first != key:
            # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
            breach = Breach(
                f"tag keys that differ in more than case, as IAM has it; {first} is one", "remove one"
            )
            faults.append(fault(f"tags.{key}", value, breach))
    return cast("Mapping[str, str]", {key: tags[key] for key in sorted(tags)}), faults


def _read_trust_profile(config: Mapping[str, object]) -> tuple[TrustProfile, list[Fault]]:
    if "trust_profile" not in config:
        return TrustProfile(), []
    given = _mapping(config["trust_profile"])
    if given is None:
        breach = Breach(
            "a mapping of providers to overrides", "write it as in trust_profile: {s3: {external_id: …}}"
        )
        return TrustProfile(), [fault("trust_profile", config["trust_profile"], breach)]
    profile, faults = _read(TrustProfile, given, "trust_profile")
    return (TrustProfile() if faults else profile), faults


# --- from pydantic's errors to faults -------------------------------------------------------------


_AnyModel = TypeVar("_AnyModel", bound=BaseModel)


def _read(model: type[_AnyModel], raw: Mapping[str, object], key: str) -> tuple[_AnyModel, list[Fault]]:
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
    path = [str(step) for step in detail["loc"]]
    where = ".".join([key, *path] if key else path)
    fields = _fields(model, path[:-1])
    value: object = detail["input"]
    if detail["type"] == "refused":
        found = cast("_Found", detail.get("ctx", {})["found"])
        return [fault(where + suffix, one, breach) for suffix, one, breach in found]
    if detail["type"] == "missing":
        return [Fault(where, NOT_SET, fields[path[-1]].description or "a value", "add the key")]
    if detail["type"] == "extra_forbidden":
        breach = Breach(
            f"one of the keys {listed(fields)}", did_you_mean(path[-1], list(fields), "remove it")
        )
        return [fault(where, value, breach)]
    return [fault(where, value, Breach("a mapping of keys to values", "write its keys below it, indented"))]


def _fields(model: type[BaseModel], path: Sequence[str]) -> Mapping[str, FieldInfo]:
    """Find the fields of the model, or of the one that stands at a path inside it."""
    for step in path:
        model = cast("type[BaseModel]", model.model_fields[step].annotation)
    return model.model_fields


# --- what concerns several fields or destinations -------------------------------------------------


def _account_faults(settings: Settings) -> Iterable[Fault]:
    """Ask that deploy role and permissions boundary belong to the account that is deployed into."""
    for name, one in settings.destinations.items():
        role = aws.iam_arn(one.deploy_role or "")
        if role and one.account and role.account != one.account:
            yield fault(
                f"destinations.{name}.deploy_role",
                one.deploy_role,
                Breach(
                    f"a role in account {one.account}, as account says; this one is in {role.account}",
                    "correct one of the two, or remove account",
                ),
            )
        boundary = aws.iam_arn(one.permissions_boundary or "")
        if boundary and one.target_account and boundary.account not in (one.target_account, "aws"):
            yield fault(
                f"destinations.{name}.permissions_boundary",
                one.permissions_boundary,
                Breach(
                    f"a policy in account {one.target_account}, where the role is made, or one that AWS "
                    f"keeps; this one is in {boundary.account}",
                    "name a policy of that account",
                ),
            )


def _boundary_faults(settings: Settings) -> Iterable[Fault]:
    """Ask for the boundary whose document is given."""
    for name, one in settings.destinations.items():
        if one.permissions_boundary_file and not one.permissions_boundary:
            yield fault(
                f"destinations.{name}.permissions_boundary_file",
                one.permissions_boundary_file,
                Breach(
                    "the document of permissions_boundary, which isn't set",
                    "set permissions_boundary, or remove it",
                ),
            )


def _ambient_faults(settings: Settings) -> Iterable[Fault]:
    """Ask for a role to assume in all accounts but one: Pulumi's own credential reaches one."""
    accounts = _ambient_accounts(settings)
    if len(accounts) < 2:
        return
    for name, one in settings.destinations.items():
        if one.account and not one.deploy_role:
            yield fault(
                f"destinations.{name}.account",
                one.account,
                Breach(
                    f"one account for all destinations without deploy_role, as one credential reaches one; "
                    f"found {listed(accounts)}",
                    "name a deploy_role for the destinations in other accounts",
                ),
            )


def _ambient_accounts(settings: Settings) -> list[str]:
    return sorted(
        {one.account for one in settings.destinations.values() if one.account and not one.deploy_role}
    )


def _trust_faults(settings: Settings) -> Iterable[Fault]:
    """Refuse to accept beside what is accepted anyway."""
    profile = settings.s3_trust
    for name, one in settings.destinations.items():
        own = one.own_external_id(profile)
        for field, values, already, what in (
            ("additional_external_ids", one.additional_external_ids, own, "the destination's external id"),
            (
                "additional_principals",
                one.additional_principals,
                profile.account,
                "the recording service's account",
            ),
        ):
            if already in values:
                yield fault(
                    f"destinations.{name}.{field}[{values.index(already)}]",
                    already,
                    Breach(f"only what is accepted beside {what}", "remove it: it is accepted already"),
                )


def _name_faults(settings: Settings) -> Iterable[Fault]:
    """Refuse two buckets by one name anywhere, and two roles by one name in an account.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html; a role's name is unique
    without regard to case: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    """
    ambient = _ambient_accounts(settings)
    ambient_account = ambient[0] if len(ambient) == 1 else ""
    buckets: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    roles: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for name, one in settings.destinations.items():
        account = one.target_account or ambient_account
        names = one.names(settings.scope, name, account)
        buckets[names.bucket].append((name, names.bucket))
        roles[account, names.role.lower()].append((name, names.role))
    for field, what, groups in (
        ("bucket_name", "a bucket name of its own, as they are global", buckets.values()),
        ("role_name", "a role name of its own in the account, case aside", roles.values()),
    ):
        for group in groups:
            for name, physical in group:
                others = listed(other for other, _ in group if other != name)
                if others:
                    breach = Breach(f"{what}; {others} has it too", f"set another {field} for one of them")
                    yield fault(f"destinations.{name}.{field}", physical, breach)


_CROSS_CHECKS: Final[tuple[Callable[[Settings], Iterable[Fault]], ...]] = (
    _account_faults,
    _boundary_faults,
    _ambient_faults,
    _trust_faults,
    _name_faults,
)


def _warnings(settings: Settings) -> Iterable[Fault]:
    """List what AWS takes, or may take, and someone should know."""
    for name, one in settings.destinations.items():
        for field, value, notes in (
            ("region", one.region, aws.region_notes),
            ("bucket_name", one.bucket_name, aws.bucket_name_notes),
        ):
            if value is not None:
                yield from (fault(f"destinations.{name}.{field}", value, note) for note in notes(value))
    for index, action in enumerate(settings.s3_trust.actions):
        key = f"trust_profile.s3.actions[{index}]"
        yield from (fault(key, action, note) for note in aws.s3_action_notes(action))
