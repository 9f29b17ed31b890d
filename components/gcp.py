"""Google Cloud's rules for what a configuration and the handed-over object name: locations, names, members, keys.

Pure, for settings, contract and policies alike. `…_breaches` is what Google would refuse; `…_notes` is what Google
takes but someone should know. Left out: anything that needs a credential or the network (whether a name is taken, a
project exists, an API is enabled).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from components.faults import Breach, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

LOCATIONS_DATE: Final = "2026-11-20"
MULTI_REGIONS: Final = ("ASIA", "EU", "US")
DUAL_REGIONS: Final = ("ASIA1", "EUR4", "EUR5", "EUR7", "EUR8", "NAM4")
REGIONS: Final = (
    "AFRICA-SOUTH1",
    "ASIA-EAST1",
    "ASIA-EAST2",
    "ASIA-NORTHEAST1",
    "ASIA-NORTHEAST2",
    "ASIA-NORTHEAST3",
    "ASIA-SOUTH1",
    "ASIA-SOUTH2",
    "ASIA-SOUTHEAST1",
    "ASIA-SOUTHEAST2",
    "ASIA-SOUTHEAST3",
    "AUSTRALIA-SOUTHEAST1",
    "AUSTRALIA-SOUTHEAST2",
    "EUROPE-CENTRAL2",
    "EUROPE-NORTH1",
    "EUROPE-NORTH2",
    "EUROPE-SOUTHWEST1",
    "EUROPE-WEST1",
    "EUROPE-WEST10",
    "EUROPE-WEST12",
    "EUROPE-WEST2",
    "EUROPE-WEST3",
    "EUROPE-WEST4",
    "EUROPE-WEST6",
    "EUROPE-WEST8",
    "EUROPE-WEST9",
    "ME-CENTRAL1",
    "ME-CENTRAL2",
    "ME-WEST1",
    "NORTHAMERICA-NORTHEAST1",
    "NORTHAMERICA-NORTHEAST2",
    "NORTHAMERICA-SOUTH1",
    "SOUTHAMERICA-EAST1",
    "SOUTHAMERICA-WEST1",
    "US-CENTRAL1",
    "US-EAST1",
    "US-EAST4",
    "US-EAST5",
    "US-SOUTH1",
    "US-WEST1",
    "US-WEST2",
    "US-WEST3",
    "US-WEST4",
)
LOCATIONS: Final = (*MULTI_REGIONS, *DUAL_REGIONS, *REGIONS)
"""Where a bucket can be, as of `LOCATIONS_DATE`: https://docs.cloud.google.com/storage/docs/locations. The list grows,
so a location that isn't on it is noted, not refused."""

KEY_LOCATIONS: Final = {"EU": "europe"}
"""Bucket's location → where its key must be, where that isn't the same word in lower case:
https://docs.cloud.google.com/storage/docs/encryption/customer-managed-keys#key-resources"""

RESERVED_BUCKET_PREFIXES: Final = ("goog",)
RESERVED_POOL_PREFIXES: Final = ("gcp-",)
LARGEST_LABEL_COUNT: Final = 54
"""Labels a stack may set: Google allows 64 on a bucket, and ten stay free for labelling policies."""

IAM_HOST: Final = "iam.googleapis.com"
RESOURCE_PREFIXES: Final = (f"//{IAM_HOST}/", f"https://{IAM_HOST}/")
"""What stands before a provider's name in an audience; the recording service puts it there itself."""
LONGEST_SUBJECT: Final = 127
"""Bytes in `google.subject`: https://docs.cloud.google.com/iam/docs/workload-identity-federation#mapping"""

_LOCATION = re.compile(r"[A-Z]+[0-9]*|[A-Z]+-[A-Z]+[0-9]+")
_PROJECT_ID = re.compile(r"([a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
_NUMBER = re.compile(r"[0-9]{4,20}")
_POOL_ID = re.compile(r"[a-z0-9-]{4,32}")
_ACCOUNT_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_EMAIL = re.compile(r"[^@\s:/]+@[^@\s:/]+\.[^@\s:/]+")
_SERVICE_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9-]*@([a-z0-9.-]+\.)?(gserviceaccount\.com)")
_PROVIDER = re.compile(
    r"projects/(?P<project>[^/]+)/locations/global/workloadIdentityPools/(?P<pool>[^/]+)"
    r"(?:/providers/(?P<provider>[^/]+))?"
)
_KEY = re.compile(
    r"projects/(?P<project>[^/]+)/locations/(?P<location>[a-z0-9-]+)/keyRings/[A-Za-z0-9_-]{1,63}"
    r"/cryptoKeys/[A-Za-z0-9_-]{1,63}"
)
_PRINCIPAL = re.compile(r"principal://iam\.googleapis\.com/[^*\s]+/subject/[^*\s]+")
_LABEL = re.compile(r"[\w-]*")


def location_breaches(location: str) -> tuple[Breach, ...]:
    """Judge a bucket's location by its shape, in either case; whether it is known is for `location_notes`."""
    if _LOCATION.fullmatch(location.upper()):
        return ()
    return (
        Breach(
            "a Cloud Storage location, as in europe-west1 (a region), EUR4 (a dual-region) or EU (a multi-region)",
            _location_mend(location, "write the location's code, not its name"),
        ),
    )


def location_notes(location: str) -> tuple[Breach, ...]:
    """Say whether the location is on the list of `LOCATIONS_DATE`."""
    if location.upper() in LOCATIONS:
        return ()
    return (
        Breach(
            f"one of the {len(LOCATIONS)} locations known on {LOCATIONS_DATE}",
            _location_mend(location, "nothing, if the location is newer than that"),
        ),
    )


def _location_mend(location: str, otherwise: str) -> str:
    known = [one.lower() for one in LOCATIONS]
    return did_you_mean(location.lower(), known, otherwise) if re.search(r"[0-9]", location) else otherwise


def bucket_name_breaches(name: str) -> tuple[Breach, ...]:
    """List every rule for a bucket's name that this one breaks.

    https://docs.cloud.google.com/storage/docs/buckets#naming
    """
    longest = 222 if "." in name else 63
    rules = (
        (
            3 <= len(name) <= longest and all(len(part) <= 63 for part in name.split(".")),
            f"3 to 63 characters (with dots 222, and 63 between two); it has {len(name)}",
            "lengthen or shorten it",
        ),
        (
            re.fullmatch(r"[a-z0-9._-]*", name) is not None,
            "lower-case letters, digits, hyphens, underscores and dots only",
            "write it in lower case, with hyphens for anything else",
        ),
        (
            re.fullmatch(r"[A-Za-z0-9](.*[A-Za-z0-9])?", name, re.DOTALL) is not None,
            "a letter or a digit at the beginning and at the end",
            "remove what stands before the first or after the last letter or digit",
        ),
        (
            re.fullmatch(r"[0-9]+(\.[0-9]+){3}", name) is None,
            "a name that isn't formatted as an IP address",
            "write a word",
        ),
        (
            not name.startswith(RESERVED_BUCKET_PREFIXES) and re.search(r"g[o0]{2}gle", name) is None,
            "no name that begins with goog or holds google, which Cloud Storage reserves",
            "choose other words",
        ),
    )
    return tuple(Breach(expected, mend) for kept, expected, mend in rules if not kept)


def bucket_name_notes(name: str) -> tuple[Breach, ...]:
    """Warn of dots: such a name is a domain, which the deployer must have proven to own.

    https://docs.cloud.google.com/storage/docs/domain-name-verification
    """
    if "." not in name:
        return ()
    breach = Breach(
        "a name without dots: one with dots is a domain that must be verified", "write hyphens for the dots"
    )
    return (breach,)


def project_id_breaches(project: str) -> tuple[Breach, ...]:
    """Ask for a project's id, not its number nor its name:
    https://docs.cloud.google.com/resource-manager/docs/creating-managing-projects.
    """
    if _PROJECT_ID.fullmatch(project):
        return ()
    mend = "copy the project's ID from the console, or from `gcloud projects list`"
    if project.isdigit():
        mend = f"write its ID instead: `gcloud projects describe {project} --format='value(projectId)'`"
    return (Breach("a project's ID, as in acme-prod: 6 to 30 lower-case letters, digits and hyphens", mend),)


def pool_id_breaches(id_: str) -> tuple[Breach, ...]:
    """Ask for the id of a workload identity pool or of its provider.

    https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools/create
    """
    broken: list[Breach] = []
    if not _POOL_ID.fullmatch(id_):
        broken.append(
            Breach(
                f"4 to 32 lower-case letters, digits and hyphens; it has {len(id_)} characters",
                "write the id alone, as in recordings, without the path before it",
            )
        )
    if id_.startswith(RESERVED_POOL_PREFIXES):
        broken.append(
            Breach("no id that begins with gcp-, which Google reserves", "begin it with another word")
        )
    return tuple(broken)


def workload_identity_provider_breaches(value: str) -> tuple[Breach, ...]:
    """Judge the provider's name as the recording service takes it: with the project's number, without a prefix.

    https://docs.tavus.io/api-reference/conversations/create-conversation
    """
    broken: list[Breach] = []
    for prefix in RESOURCE_PREFIXES:
        if value.startswith(prefix):
            value = value.removeprefix(prefix)
            breach = Breach(
                f"the name without {prefix}: the recording service puts it in front itself",
                f"remove {prefix}",
            )
            broken.append(breach)
    match = _PROVIDER.fullmatch(value)
    if match is None or match["provider"] is None:
        what = "this names a pool, not its provider" if match else "copy the provider's name"
        mend = f"{what}: `gcloud iam workload-identity-pools providers describe … --format='value(name)'`"
        return (*broken, Breach(_PROVIDER_SHAPE, mend))
    if not _NUMBER.fullmatch(match["project"]):
        mend = f"look it up: `gcloud projects describe {match['project']} --format='value(projectNumber)'`"
        broken.append(Breach("the project's number, not its ID, as in projects/123456789012/…", mend))
    broken += [breach for id_ in (match["pool"], match["provider"]) for breach in pool_id_breaches(id_)]
    return tuple(broken)


_PROVIDER_SHAPE: Final = (
    "a provider's name, as in "
    "projects/123456789012/locations/global/workloadIdentityPools/POOL/providers/PROVIDER"
)


def pool_path(project: str, pool: str) -> str:
    """Name a pool as an import does: with the project's id, where Google itself writes its number."""
    return f"projects/{project}/locations/global/workloadIdentityPools/{pool}"


def service_account_id_breaches(id_: str) -> tuple[Breach, ...]:
    """Ask for what stands before the `@`:
    https://docs.cloud.google.com/iam/docs/service-accounts-create.
    """
    if _ACCOUNT_ID.fullmatch(id_):
        return ()
    return (
        Breach(
            "a service account's id: 6 to 30 lower-case letters, digits and hyphens, a letter first",
            "write what stands before the @ of its address",
        ),
    )


def service_account_email_breaches(email: str) -> tuple[Breach, ...]:
    """Ask for a service account's address, without a member's prefix."""
    if _SERVICE_ACCOUNT.fullmatch(email):
        return ()
    mend = "copy the address from `gcloud iam service-accounts list`"
    if email.startswith("serviceAccount:"):
        mend = "remove serviceAccount: in front of it"
    return (Breach("a service account's address, as in recordings@acme-prod.iam.gserviceaccount.com", mend),)


def subject_breaches(subject: str) -> tuple[Breach, ...]:
    """Judge the customer's Workspace ID, which is the subject of the recording service's tokens: its form isn't
    published, so any non-empty one is taken that Google can map and that means one workspace only.
    """
    rules = (
        (subject.strip() != "", "the Workspace ID of your account with Tavus", _WHERE),
        (subject == subject.strip(), "no white space around it", "remove it: the subject must match exactly"),
        (
            len(subject.encode()) <= LONGEST_SUBJECT,
            f"at most {LONGEST_SUBJECT} bytes, as Google maps a subject; it has {len(subject.encode())}",
            "copy the Workspace ID alone",
        ),
        ("*" not in subject, "one workspace, without a wildcard", _WHERE),
        (
            all(character.isprintable() for character in subject.strip()),
            "printable characters only",
            "remove the others",
        ),
    )
    return tuple(Breach(expected, mend) for kept, expected, mend in rules if not kept)


_WHERE: Final = "copy it from your account with Tavus, or ask their support for it"


def member_breaches(member: str) -> tuple[Breach, ...]:
    """Ask for one principal whom to grant something: nobody's whole domain, no pool as a whole, not the public.

    https://docs.cloud.google.com/iam/docs/principal-identifiers
    """
    kind, _, who = member.partition(":")
    if (kind in ("user", "group", "serviceAccount") and _EMAIL.fullmatch(who)) or _PRINCIPAL.fullmatch(
        member
    ):
        return ()
    mend = "write its kind in front, as in user:, group: or serviceAccount:"
    if kind in ("allUsers", "allAuthenticatedUsers", "domain", "principalSet"):
        mend = "name each one, or a group: this would let in more than you see"
    return (
        Breach(
            "one principal, as in group:players@example.com or "
            "serviceAccount:player@acme-prod.iam.gserviceaccount.com",
            mend,
        ),
    )


def issuer_breaches(url: str) -> tuple[Breach, ...]:
    """Ask for an OIDC issuer: https://openid.net/specs/openid-connect-core-1_0.html#IssuerIdentifier."""
    if re.fullmatch(r"https://[^/?#\s@]+(/[^?#\s]*)?", url):
        return ()
    return (
        Breach(
            "an issuer's URL, as in https://issuer.example.com", "write it exactly as the token's iss has it"
        ),
    )


def subject_mapping_breaches(expression: str) -> tuple[Breach, ...]:
    """Ask for an expression over the token's claims; whether it is sound CEL is Google's to say, and the rehearsal's.

    https://docs.cloud.google.com/iam/docs/workload-identity-federation#mapping
    """
    if "assertion" in expression and len(expression) <= 2048:
        return ()
    return (
        Breach("a CEL expression over the token's claims, as in assertion.sub", "write assertion.<claim>"),
    )


def audience_breaches(audience: str) -> tuple[Breach, ...]:
    """Ask for 1 to 256 characters, as the provider takes each of at most ten.

    https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers#Oidc
    """
    if 1 <= len(audience) <= 256 and audience == audience.strip():
        return ()
    return (Breach("an audience of 1 to 256 characters", "write it exactly as the token's aud has it"),)


@dataclass(frozen=True)
class KeyName:
    """The parts of a Cloud KMS key's name."""

    project: str
    location: str


def key_name(value: str) -> KeyName | None:
    """Give the parts of a key's name; None where it isn't one."""
    match = _KEY.fullmatch(value)
    return KeyName(match["project"], match["location"]) if match else None


def key_name_breaches(value: str) -> tuple[Breach, ...]:
    """Ask for a key's name, not a version's: https://docs.cloud.google.com/kms/docs/getting-resource-ids."""
    if _KEY.fullmatch(value):
        return ()
    mend = "copy it from `gcloud kms keys list`"
    if "/cryptoKeyVersions/" in value:
        mend = "remove /cryptoKeyVersions/… : Cloud Storage takes the key's primary version itself"
    return (
        Breach("a key's name, as in projects/acme-keys/locations/europe/keyRings/RING/cryptoKeys/KEY", mend),
    )


def key_location(bucket_location: str) -> str:
    """Where a key must be that encrypts a bucket in `bucket_location`."""
    place = bucket_location.upper()
    return KEY_LOCATIONS.get(place, place.lower())


def label_breaches(key: str, value: str) -> tuple[Breach, ...]:
    """Ask for what Cloud Storage takes as a label: https://docs.cloud.google.com/storage/docs/tags-and-labels."""
    return tuple(_label_breaches(key, value))


def _label_breaches(key: str, value: str) -> Iterable[Breach]:
    for what, text, least in (("key", key, 1), ("value", value, 0)):
        if not least <= len(text) <= 63 or not _LABEL.fullmatch(text) or text != text.lower():
            yield Breach(
                f"a label's {what} for Google Cloud: {least} to 63 lower-case letters, digits, underscores and hyphens",
                "write it so; on AWS it may stay so too",
            )
    if key and not key[0].isalpha():
        yield Breach("a label's key that begins with a letter", "begin it with a letter")
