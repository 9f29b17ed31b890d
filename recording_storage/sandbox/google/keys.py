"""Cloud KMS: key rings, keys, versions and who may use them; and what Cloud Storage asks of a key.

Nothing is encrypted here: `encrypt` and `decrypt` are undecided, and what Cloud Storage encrypts is only marked.
Leaves out import jobs, key handles, EKM, filters and orders of lists.

Sources: https://docs.cloud.google.com/kms/docs/reference/rest,
https://docs.cloud.google.com/kms/docs/reference/permissions-and-roles and https://docs.cloud.google.com/kms/docs/key-states.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.google.errors import (
    already_exists,
    failed_precondition,
    forbidden,
    invalid,
    not_found,
)
from recording_storage.sandbox.google.http import Routes
from recording_storage.sandbox.google.key_rings import (
    ALGORITHM,
    DISABLED,
    ENABLED,
    KEY_NAME,
    PURPOSE,
    SCHEDULED,
    SERVICE,
    CryptoKey,
    KeyRing,
    KeyVersion,
)
from recording_storage.sandbox.google.place import Place
from recording_storage.sandbox.google.policy_methods import PolicyMethods
from recording_storage.sandbox.journal import Outcome
from recording_storage.sandbox.rest import ANY, Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.access import Access
    from recording_storage.sandbox.google.world import World
    from recording_storage.sandbox.rest import Request, Response

ENCRYPT = "cloudkms.cryptoKeyVersions.useToEncrypt"
DECRYPT = "cloudkms.cryptoKeyVersions.useToDecrypt"
DISABLED_KEY, NO_KEY = "disabled", "missing"
"""Why a key can't be used by whoever may use it: `GoogleError.reason` of `Keys.use`."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,63}")
_LOCATION = re.compile(r"global|us|europe|asia|(nam|eur|asia)\d{1,2}|[a-z]+-[a-z]+\d{1,2}")
_DURATION = re.compile(r"(\d+)(?:\.\d+)?s")
_DAY = timedelta(days=1)
_MUTABLE = ("labels", "rotationPeriod", "nextRotationTime")
_RING = "/v1/projects/{project}/locations/{location}/keyRings"
_KEY = _RING + "/{ring}/cryptoKeys"
_VERSION = _KEY + "/{key}/cryptoKeyVersions"
_NUMBER = re.compile(r"[1-9]\d*")


class Keys:
    """The service at cloudkms.googleapis.com."""

    def __init__(self, world: World, access: Access) -> None:
        self._world = world
        self._access = access
        self._rings: dict[str, KeyRing] = {}
        self._routes = Routes(
            ("GET", _RING, self._list_rings),
            ("POST", _RING, self._create_ring),
            ("GET", _RING + "/{ring}", self._get_ring),
            *PolicyMethods(access, "cloudkms.keyRings").routes(_RING + "/{ring}", self._found_ring, ("GET",)),
            ("GET", _KEY, self._list_keys),
            ("POST", _KEY, self._create_key),
            ("GET", _KEY + "/{key}", self._get_key),
            ("PATCH", _KEY + "/{key}", self._patch_key),
            *PolicyMethods(access, "cloudkms.cryptoKeys").routes(_KEY + "/{key}", self._found_key, ("GET",)),
            ("POST", _KEY + "/{key}:updatePrimaryVersion", self._update_primary),
            ("GET", _VERSION, self._list_versions),
            ("POST", _VERSION, self._create_version),
            ("GET", _VERSION + "/{version}", self._get_version),
            ("PATCH", _VERSION + "/{version}", self._patch_version),
            ("POST", _VERSION + "/{version}:destroy", self._destroy),
            ("POST", _VERSION + "/{version}:restore", self._restore),
            (ANY, "/v1/{rest=**}", None),
        )

    def answer(self, request: Request, who: Principal) -> Response:
        """Answer one request; raises `GoogleError` and `Undecided`."""
        return self._routes.answer(request, who)

    # What others ask

    def use(self, name: str, who: Principal, permission: str) -> str:
        """Let `who` encrypt with a key, or decrypt with a version of it; gives the version's name.

        Raises `GoogleError`: 403 for who may not; with `NO_KEY` or `DISABLED_KEY` for its reason, where nobody could.
        """
        key, number = self._named(name)
        self._access.require(who, permission, key)
        version, reason, because = self._usable(key, number)
        if version is None:
            self._access.write(Outcome.REFUSED, who, permission, key.full_name, because)
            error = forbidden(because, reason=reason)
            error.is_written = True
            raise error
        return version.name

    def is_usable(self, name: str, who: Principal, permission: str) -> bool:
        """Whether `use` would succeed; writes nothing."""
        key, number = self._named(name)
        return self._access.allowed(who, permission, key) and self._usable(key, number)[0] is not None

    def add(self, name: str) -> CryptoKey:
        """Let a key with this name exist, and its key ring; nobody asked for it."""
        found = KEY_NAME.fullmatch(name)
        if found is None:
            raise ValueError(f"not the name of a key: {name}")
        project, now = self._world.project(found["project"]), self._world.now()
        ring = KeyRing(project, found["location"], found["ring"], self._world.policy(), now)
        ring = self._rings.setdefault(ring.name, ring)
        key = CryptoKey(ring, found["key"], self._world.policy(), now)
        key.primary = key.add_version(now).number
        ring.keys[key.id] = key
        return key

    def _named(self, name: str) -> tuple[CryptoKey | Place, int]:
        """What a key's or version's name means: a key, or where it would be, and the version's number or 0."""
        path, _, number = name.partition("/cryptoKeyVersions/")
        found = KEY_NAME.fullmatch(path)
        if found is None:
            raise invalid(f"Invalid Cloud KMS key name: {name}")
        project = self._world.find(found["project"])
        owner = project.id if project else found["project"]
        ring = self._rings.get(f"projects/{owner}/locations/{found['location']}/keyRings/{found['ring']}")
        key = ring.keys.get(found["key"]) if ring else None
        return key or Place(f"//{SERVICE}/{path}", f"{SERVICE}/CryptoKey", ring or project), int(number or 0)

    def _usable(self, key: CryptoKey | Place, number: int) -> tuple[KeyVersion | None, str, str]:
        """The version that whoever may use the key uses, or why there is none."""
        if isinstance(key, Place):
            return None, NO_KEY, f"there is no key {key.full_name}"
        if SERVICE not in key.ring.project.services:
            return None, "", f"{SERVICE} isn't enabled in the key's project {key.ring.project.id}"
        version = key.version(number or key.primary)
        if version is None:
            return None, NO_KEY, f"{key.name} has no version that encrypts"
        state = version.state(self._world.now())
        if state != ENABLED:
            return None, DISABLED_KEY, f"the state of {version.name} is {state}"
        return version, "", ""

    # Key rings

    def _place(self, names: Mapping[str, str]) -> Place:
        project = self._world.project(names["project"])
        if not _LOCATION.fullmatch(names["location"]):
            raise not_found(f"The location {names['location']} does not exist.")
        name = f"projects/{project.id}/locations/{names['location']}"
        return Place(f"//{SERVICE}/{name}", f"{SERVICE}/Location", project)

    def _found_ring(self, names: Mapping[str, str]) -> KeyRing:
        name = f"{_path(self._place(names))}/keyRings/{names['ring']}"
        ring = self._rings.get(name)
        if ring is None:
            raise not_found(f"KeyRing {name} not found.")
        return ring

    def _ring(self, names: Mapping[str, str], who: Principal, permission: str) -> KeyRing:
        ring = self._found_ring(names)
        self._access.require(who, permission, ring)
        return ring

    def _create_ring(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        place = self._place(names)
        self._access.require(who, "cloudkms.keyRings.create", place)
        ring_id = _id(request, "keyRingId")
        project = self._world.project(names["project"])
        made = KeyRing(project, names["location"], ring_id, self._world.policy(), self._world.now())
        if made.name in self._rings:
            raise already_exists(f"KeyRing {made.name} already exists.")
        self._rings[made.name] = made
        return made.to_json()

    def _get_ring(self, _request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        return self._ring(names, who, "cloudkms.keyRings.get").to_json()

    def _list_rings(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        place = self._place(names)
        self._access.require(who, "cloudkms.keyRings.list", place)
        at = f"{_path(place)}/keyRings/"
        found = [one.to_json() for name, one in sorted(self._rings.items()) if name.startswith(at)]
        return _listed(request, "keyRings", found)

    # Keys

    def _found_key(self, names: Mapping[str, str]) -> CryptoKey:
        ring = self._found_ring(names)
        key = ring.keys.get(names["key"])
        if key is None:
            raise not_found(f"CryptoKey {ring.name}/cryptoKeys/{names['key']} not found.")
        return key

    def _key(self, names: Mapping[str, str], who: Principal, permission: str) -> CryptoKey:
        key = self._found_key(names)
        self._access.require(who, permission, key)
        return key

    def _create_key(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        ring = self._ring(names, who, "cloudkms.cryptoKeys.create")
        key_id, said, now = _id(request, "cryptoKeyId"), request.json(), self._world.now()
        if key_id in ring.keys:
            raise already_exists(f"CryptoKey {ring.name}/cryptoKeys/{key_id} already exists.")
        _check_kind(said)
        made = CryptoKey(ring, key_id, self._world.policy(), now, _settings(said))
        made.protection = said.get("versionTemplate", {}).get("protectionLevel") or made.protection
        if "destroyScheduledDuration" in said:
            made.kept = _duration(said["destroyScheduledDuration"], "destroyScheduledDuration")
        if request.query.get("skipInitialVersionCreation", "") != "true":
            made.primary = made.add_version(now).number
        ring.keys[key_id] = made
        return made.to_json(now)

    def _get_key(self, _request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        return self._key(names, who, "cloudkms.cryptoKeys.get").to_json(self._world.now())

    def _list_keys(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        ring = self._ring(names, who, "cloudkms.cryptoKeys.list")
        found = [one.to_json(self._world.now()) for _, one in sorted(ring.keys.items())]
        return _listed(request, "cryptoKeys", found)

    def _patch_key(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        key = self._key(names, who, "cloudkms.cryptoKeys.update")
        mask = [one for one in request.query.get("updateMask", "").split(",") if one]
        if not mask:
            raise invalid("The field mask must be set.")
        for one in mask:
            if one not in _MUTABLE:
                raise Undecided(f"a change of {one} of a key")
        said = {name: value for name, value in request.json().items() if name in mask}
        key.said = _settings({name: value for name, value in key.said.items() if name not in mask} | said)
        return key.to_json(self._world.now())

    def _update_primary(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        key = self._key(names, who, "cloudkms.cryptoKeys.update")
        version = self._existing(key, str(request.json().get("cryptoKeyVersionId", "")))
        if version.state(self._world.now()) != ENABLED:
            raise failed_precondition(f"{version.name} is not enabled.")
        key.primary = version.number
        return key.to_json(self._world.now())

    # Versions

    def _existing(self, key: CryptoKey, number: str) -> KeyVersion:
        found = key.version(int(number)) if _NUMBER.fullmatch(number) else None
        if found is None:
            raise not_found(f"CryptoKeyVersion {key.name}/cryptoKeyVersions/{number} not found.")
        return found

    def _version(self, names: Mapping[str, str], who: Principal, verb: str) -> KeyVersion:
        key = self._key(names, who, f"cloudkms.cryptoKeyVersions.{verb}")
        return self._existing(key, names["version"])

    def _list_versions(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        key = self._key(names, who, "cloudkms.cryptoKeyVersions.list")
        found = [one.to_json(self._world.now()) for one in key.versions]
        return _listed(request, "cryptoKeyVersions", found)

    def _create_version(self, _request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        key = self._key(names, who, "cloudkms.cryptoKeyVersions.create")
        return key.add_version(self._world.now()).to_json(self._world.now())

    def _get_version(self, _request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        return self._version(names, who, "get").to_json(self._world.now())

    def _patch_version(self, request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        version = self._version(names, who, "update")
        wanted = request.json().get("state")
        if request.query.get("updateMask") != "state" or wanted not in (ENABLED, DISABLED):
            raise invalid("Only the state of a version can be updated, to ENABLED or DISABLED.")
        self._check_state(version, ENABLED, DISABLED)
        version.stored_state = wanted
        return version.to_json(self._world.now())

    def _destroy(self, _request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        version = self._version(names, who, "destroy")
        self._check_state(version, ENABLED, DISABLED)
        version.stored_state, version.destroyed_at = SCHEDULED, self._world.now() + version.key.kept
        return version.to_json(self._world.now())

    def _restore(self, _request: Request, who: Principal, names: Mapping[str, str]) -> Any:
        version = self._version(names, who, "restore")
        self._check_state(version, SCHEDULED)
        version.stored_state, version.destroyed_at = DISABLED, None
        return version.to_json(self._world.now())

    def _check_state(self, version: KeyVersion, *possible: str) -> None:
        state = version.state(self._world.now())
        if state not in possible:
            raise failed_precondition(
                f"{version.name} is in state {state}, and not in {' or '.join(possible)}."
            )


def _path(place: Place) -> str:
    return place.full_name.removeprefix(f"//{SERVICE}/")


def _id(request: Request, parameter: str) -> str:
    given = request.query.get(parameter, "")
    if not _ID.fullmatch(given):
        raise invalid(f"Invalid {parameter}: it must match [a-zA-Z0-9_-]{{1,63}}.")
    return given


def _check_kind(said: Mapping[str, Any]) -> None:
    """Only keys that Cloud Storage can use are made here."""
    purpose: object = said.get("purpose")
    template: dict[str, Any] = said.get("versionTemplate") or {}
    if not purpose:
        raise invalid("The purpose of the key must be set.")
    if (
        purpose != PURPOSE
        or template.get("algorithm", ALGORITHM) != ALGORITHM
        or template.get("protectionLevel", "SOFTWARE") not in ("SOFTWARE", "HSM")
        or said.get("importOnly")
        or said.get("cryptoKeyBackend")
    ):
        raise Undecided("a key that isn't one of Cloud KMS's own for symmetric encryption")


def _settings(said: Mapping[str, Any]) -> dict[str, Any]:
    """Labels and rotation, as they are kept; raises `GoogleError` where they don't fit together."""
    period, following = said.get("rotationPeriod"), said.get("nextRotationTime")
    if period:
        _duration(period, "rotationPeriod")
        if not following:
            raise invalid("If rotation_period is set, next_rotation_time must also be set.")
    kept = {"labels": said.get("labels"), "rotationPeriod": period, "nextRotationTime": following}
    return {name: value for name, value in kept.items() if value}


def _duration(text: object, name: str) -> timedelta:
    found = _DURATION.fullmatch(str(text))
    value = timedelta(seconds=int(found[1])) if found else timedelta(0)
    if value < _DAY:
        raise invalid(f"{name} must be a duration of at least 24 hours.")
    return value


def _listed(request: Request, what: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """All that there are on one page, which nobody in a sandbox outgrows."""
    if request.query.get("filter") or request.query.get("pageToken"):
        raise Undecided(f"a filter or a page of {what}")
    return ({what: found} if found else {}) | {"totalSize": len(found)}
