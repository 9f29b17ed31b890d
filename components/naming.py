"""Physical names: readable, inside each cloud's rules, and the same on every run.

A name is what people recognise (stack and destination), shortened where it must be, and then six characters
of a hash that make it unique, which are never shortened. Left out: names that the configuration sets itself,
and logical names of Pulumi resources.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from components import gcp
from components.aws import RESERVED_BUCKET_PREFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence

BUCKET_LIMIT: Final = 63
"""Characters in a bucket's name: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html and
https://docs.cloud.google.com/storage/docs/buckets#naming"""

ROLE_LIMIT: Final = 64
"""Characters in a role's name: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"""

POOL_LIMIT: Final = 32
"""Characters in a workload identity pool's id:
https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools/create"""

SERVICE_ACCOUNT_LIMIT: Final = 30
"""Characters before the `@`: https://docs.cloud.google.com/iam/docs/service-accounts-create"""

STORAGE_ACCOUNT_LIMIT: Final = 24
RESOURCE_GROUP_LIMIT: Final = 90
AZURE_IDENTITY_LIMIT: Final = 64
"""Characters in a storage account's name, in a resource group's and, shorter than either of them may be, in an
application's or a managed identity's:
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules"""

GOOGLE_RESERVED_PREFIXES: Final = (*gcp.RESERVED_BUCKET_PREFIXES, *gcp.RESERVED_POOL_PREFIXES)
"""How no name on Google Cloud begins."""

_SUFFIX_LENGTH: Final = 6
_LEAD: Final = "r"


@dataclass(frozen=True)
class Scope:
    """Where a stack stands: Pulumi organisation, project and stack."""

    organization: str
    project: str
    stack: str

    @property
    def seed(self) -> tuple[str, ...]:
        """What tells one stack from any other."""
        return (self.organization, self.project, self.stack)


def physical_name(
    *words: str, seed: Sequence[str], limit: int, reserved: tuple[str, ...] = RESERVED_BUCKET_PREFIXES
) -> str:
    """Join `words` by hyphens, and add a suffix that depends on `seed` alone: `acme-calls-3f9c2a`.

    Only `[a-z0-9-]`, no two adjacent hyphens, a letter first, at most `limit` characters. Where the words
    don't fit, the longest is cut first, so that each stays recognisable. A name that would begin with a
    digit, or with what is `reserved`, is led by `r-`; the suffix holds no hyphen, so that none of S3's reserved
    suffixes can arise.
    """
    digest = hashlib.sha256("\0".join(seed).encode()).digest()
    suffix = base64.b32encode(digest).decode().lower()[:_SUFFIX_LENGTH]
    room = limit - len(suffix) - 1
    human = _shortened(words, room)
    if not human[:1].isalpha() or (reserved and f"{human}-".startswith(reserved)):
        human = _shortened((_LEAD, *words), room)
    return f"{human}-{suffix}"


def _shortened(words: Sequence[str], room: int) -> str:
    """Join the words in `[a-z0-9-]`, at most `room` characters."""
    parts = [part for part in (re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") for word in words) if part]
    while len("-".join(parts)) > room:
        longest = max(range(len(parts)), key=lambda index: len(parts[index]))
        parts[longest] = parts[longest][:-1].rstrip("-")
        parts = [part for part in parts if part]
    return "-".join(parts)


def bucket_name(scope: Scope, destination: str, account: str, region: str) -> str:
    """Name a destination's bucket: `<stack>-<destination>-<suffix>`, at most 63 characters.

    The account is part of the seed because bucket names are global, while a self-managed Pulumi backend calls
    every organisation `organization`: two companies with a stack `prod` and a destination `calls` must not
    collide. It may be known only at deployment, so it is an argument. The region is part of it because a bucket
    can't move: in another region it is another bucket, and its name can't be taken from the old one.
    """
    seed = (*scope.seed, destination, account, region)
    return physical_name(scope.stack, destination, seed=seed, limit=BUCKET_LIMIT)


def role_name(scope: Scope, destination: str, account: str, region: str) -> str:
    """Name a destination's role: `recordings-<stack>-<destination>-<suffix>`, at most 64 characters.

    The suffix is the bucket's.
    """
    seed = (*scope.seed, destination, account, region)
    return physical_name("recordings", scope.stack, destination, seed=seed, limit=ROLE_LIMIT)


def gcs_bucket_name(scope: Scope, destination: str, project: str, location: str) -> str:
    """Name a destination's bucket on Google Cloud: `<stack>-<destination>-<suffix>`, at most 63 characters.

    The project and the location are part of the seed as account and region are of S3's.
    """
    return _google_name(
        scope.stack, destination, seed=(scope, destination, project, location), limit=BUCKET_LIMIT
    )


def pool_id(scope: Scope, destination: str, project: str, location: str) -> str:
    """Name a destination's workload identity pool: `<stack>-<destination>-<suffix>`, at most 32 characters.

    The suffix is the bucket's.
    """
    return _google_name(
        scope.stack, destination, seed=(scope, destination, project, location), limit=POOL_LIMIT
    )


def service_account_id(scope: Scope, destination: str, project: str, location: str) -> str:
    """Name a destination's service account: `rec-<stack>-<destination>-<suffix>`, at most 30 characters.

    The suffix is the bucket's.
    """
    seed = (scope, destination, project, location)
    return _google_name("rec", scope.stack, destination, seed=seed, limit=SERVICE_ACCOUNT_LIMIT)


def _google_name(*words: str, seed: tuple[Scope, str, str, str], limit: int) -> str:
    scope, *place = seed
    return physical_name(*words, seed=(*scope.seed, *place), limit=limit, reserved=GOOGLE_RESERVED_PREFIXES)


def storage_account(scope: Scope, destination: str, subscription: str, location: str) -> str:
    """Name a destination's storage account: `<stack><destination><suffix>`, at most 24 letters and digits.

    Subscription and location are part of the seed as account and region are of S3's.
    """
    seed = (*scope.seed, destination, subscription, location)
    name = physical_name(scope.stack, destination, seed=seed, limit=STORAGE_ACCOUNT_LIMIT, reserved=())
    return name.replace("-", "")


def resource_group(scope: Scope, destination: str, subscription: str, location: str) -> str:
    """Name a destination's resource group: `<stack>-<destination>-<suffix>`; the suffix is the account's."""
    seed = (*scope.seed, destination, subscription, location)
    return physical_name(scope.stack, destination, seed=seed, limit=RESOURCE_GROUP_LIMIT, reserved=())


def azure_identity(scope: Scope, destination: str, subscription: str, location: str) -> str:
    """Name the identity that writes: `recordings-<stack>-<destination>-<suffix>`; the suffix is the account's."""
    seed = (*scope.seed, destination, subscription, location)
    return physical_name(
        "recordings", scope.stack, destination, seed=seed, limit=AZURE_IDENTITY_LIMIT, reserved=()
    )
