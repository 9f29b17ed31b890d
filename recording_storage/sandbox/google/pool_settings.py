"""What can be said of a workload identity pool and of its providers, and what Google refuses to store.

Source: https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools and its
`providers`: fields, their limits, the form of keys.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from recording_storage.sandbox.google import expressions
from recording_storage.sandbox.google.errors import invalid
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recording_storage.sandbox.rest import Request

Said = dict[str, Any]

COMMON = ("displayName", "description", "disabled")
OF_A_POOL = (*COMMON, "mode")
OF_A_PROVIDER = (*COMMON, "attributeMapping", "attributeCondition", "oidc")
OIDC = ("issuerUri", "allowedAudiences", "jwksJson")
OUTPUT_ONLY = ("name", "state", "expireTime")
NOT_JUDGED = (
    *("inlineCertificateIssuanceConfig", "inlineTrustConfig", "attestationRules"),
    *("aws", "saml", "x509", "actorProviders", "discoveryUri"),
)
FEDERATION = ("MODE_UNSPECIFIED", "FEDERATION_ONLY")
SUBJECT, GROUPS = "google.subject", "google.groups"
KEY_FIELDS = frozenset({"kty", "alg", "use", "kid", "n", "e", "x", "y", "crv"})
_LENGTHS = {"displayName": 32, "description": 256, "attributeCondition": 4096}
_ATTRIBUTE = re.compile(r"attribute\.[a-z0-9_]+")
_MAX_ATTRIBUTES, _MAX_KEY, _MAX_EXPRESSION = 50, 100, 2048
_MAX_AUDIENCES, _MAX_AUDIENCE = 10, 256
_ASSERTION = frozenset({"assertion"})
_MAPPED = frozenset({"assertion", "google", "attribute"})


def pool(body: Mapping[str, Any]) -> Said:
    """What is stored of a pool; raises `GoogleError` and `Undecided`."""
    said = _fields(body, OF_A_POOL)
    if said.get("mode", FEDERATION[0]) not in FEDERATION:
        raise Undecided(f"a pool of the mode {said['mode']}")
    return said


def provider(body: Mapping[str, Any]) -> Said:
    """What is stored of a provider; raises `GoogleError` and `Undecided`."""
    said = _fields(body, OF_A_PROVIDER)
    if not isinstance(said.get("oidc"), dict):
        raise invalid("Exactly one of the provider configurations must be set: aws, oidc, saml or x509.")
    said["oidc"] = _oidc(_fields(cast("Said", said["oidc"]), OIDC))
    _check_mapping(said.get("attributeMapping") or {})
    condition = said.get("attributeCondition", "")
    if condition:
        expressions.check(condition, _MAPPED)
    return said


def patched(said: Said, request: Request, known: tuple[str, ...]) -> Said:
    """`said` with what the request's mask names replaced by what its body says."""
    body, changed = request.json(), {name: _copy(value) for name, value in said.items()}
    paths = [_camel(path.strip()) for path in request.query.get("updateMask", "").split(",") if path.strip()]
    if not paths:
        raise invalid("The update_mask is required.")
    for path in known if paths == ["*"] else paths:
        name, _, inner = path.partition(".")
        if name in NOT_JUDGED:
            raise Undecided(f"the field {path}")
        if name not in known or (inner and (name, inner) not in [("oidc", one) for one in OIDC]):
            raise invalid(f"Invalid update_mask: {path} isn't a field that can be updated.")
        where, source = (changed.setdefault(name, {}), body.get(name) or {}) if inner else (changed, body)
        field = inner or name
        if field in source:
            where[field] = source[field]
        else:
            where.pop(field, None)
    return changed


def _fields(body: Mapping[str, Any], known: tuple[str, ...]) -> Said:
    """What is said, without what means nothing; names of fields may be in snake case (ProtoJSON)."""
    said: Said = {}
    for written, value in body.items():
        name = _camel(written)
        if name in NOT_JUDGED and value:
            raise Undecided(f"the field {name}")
        if name not in (*known, *OUTPUT_ONLY, *NOT_JUDGED):
            raise invalid(f'Invalid JSON payload received. Unknown name "{written}": Cannot find field.')
        if name in known and value not in (None, "", False, [], {}):
            said[name] = value
    for name, most in _LENGTHS.items():
        if len(str(said.get(name, ""))) > most:
            raise invalid(f"The {_snake(name)} must be less than or equal to {most} characters.")
    return said


def _oidc(oidc: Said) -> Said:
    issuer = urlsplit(str(oidc.get("issuerUri", "")))
    if issuer.scheme != "https" or not issuer.netloc:
        raise invalid("The issuer_uri must be a valid HTTPS URL.")
    audiences: Any = oidc.get("allowedAudiences", [])
    if not isinstance(audiences, list) or len(cast("list[Any]", audiences)) > _MAX_AUDIENCES:
        raise invalid(f"At most {_MAX_AUDIENCES} allowed_audiences can be configured.")
    if any(len(str(one)) > _MAX_AUDIENCE for one in cast("list[Any]", audiences)):
        raise invalid(f"An allowed audience must be less than or equal to {_MAX_AUDIENCE} characters.")
    if "jwksJson" in oidc:
        _check_keys(str(oidc["jwksJson"]))
    return oidc


def _check_keys(text: str) -> None:
    try:
        keys: list[dict[str, Any]] = json.loads(text)["keys"]
        wrong = [name for key in keys for name in key if name not in KEY_FIELDS]
        kinds = {key["kty"] for key in keys} - {"RSA", "EC"}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise invalid("Input JWK is not in a valid json format.") from None
    if wrong or kinds or not keys:
        because = f"a key has {', '.join([*wrong, *kinds])}" if keys else "there is no key"
        raise invalid("Input JWK is not in a valid json format.", because=because)


def _check_mapping(mapping: Mapping[str, Any]) -> None:
    if SUBJECT not in mapping:
        raise invalid("The attribute_mapping must include a mapping for google.subject.")
    for key, expression in mapping.items():
        if key not in (SUBJECT, GROUPS) and not _ATTRIBUTE.fullmatch(key):
            raise invalid(
                f"Invalid mapped attribute key: {key}. Custom mapped attributes must be in format "
                "'attribute.{custom_attribute}'."
            )
        if len(key) > _MAX_KEY or not isinstance(expression, str) or len(expression) > _MAX_EXPRESSION:
            raise invalid(f"The mapping of {key} is too long.")
        expressions.check(expression, _ASSERTION)
    if len([key for key in mapping if key.startswith("attribute.")]) > _MAX_ATTRIBUTES:
        raise invalid(f"At most {_MAX_ATTRIBUTES} custom attributes can be mapped.")


def _copy(value: Any) -> Any:
    return dict(cast("Said", value)) if isinstance(value, dict) else value


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)
