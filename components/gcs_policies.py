"""The words by which Google Cloud is told whom to trust: roles, the provider's condition, the principal, audiences.

Pure: plain text, from the trust profile and the customer's settings. Left out: the resources that carry them
(`gcs_identity`, `gcs_bucket`).
"""

from __future__ import annotations

import json
from typing import Final

from components.gcp import IAM_HOST, RESOURCE_PREFIXES

TRUST_ROLE: Final = "roles/iam.workloadIdentityUser"
READER_ROLE: Final = "roles/storage.objectViewer"
WRITER_ROLE: Final = "roles/storage.objectCreator"
"""Creates objects, and can't read, replace or delete one:
https://docs.cloud.google.com/storage/docs/access-control/iam-roles"""
OVERWRITER_ROLE: Final = "roles/storage.objectUser"
"""The narrowest predefined role that may replace an object, which needs `storage.objects.delete`; it also lists, reads
and deletes."""
KEY_ROLE: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"

DISPLAY_NAME: Final = "Recording service"


def pool_description(destination: str) -> str:
    """Say what a destination's pool is for."""
    return f"The recording service of {destination}, and nobody else"


def condition(workspace_id: str) -> str:
    """The provider's condition, in CEL: one subject and no other.

    A string literal of CEL is escaped as JSON's is. Source:
    https://github.com/google/cel-spec/blob/master/doc/langdef.md#string-and-bytes-values
    """
    return f"google.subject == {json.dumps(workspace_id, ensure_ascii=False)}"


def mapping(subject_mapping: str) -> dict[str, str]:
    """The provider's attribute mapping."""
    return {"google.subject": subject_mapping}


def principal(pool_name: str, workspace_id: str) -> str:
    """The one principal that the service's tokens become; `pool_name` has the project's number.

    Source: https://docs.cloud.google.com/iam/docs/principal-identifiers
    """
    return f"principal://{IAM_HOST}/{pool_name}/subject/{workspace_id}"


def audiences(own: str, additional: list[str], pool_name: str, provider_id: str) -> list[str]:
    """The audiences that the provider lists; none: Google then accepts the provider's own full name.

    `own` is the service's, where it isn't that name. Source:
    https://docs.cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers#Oidc
    """
    if own:
        return [own, *additional]
    if not additional:
        return []
    return [*(f"{prefix}{pool_name}/providers/{provider_id}" for prefix in RESOURCE_PREFIXES), *additional]
