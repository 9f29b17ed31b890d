"""Cloud KMS: roles on a key. Source: https://docs.cloud.google.com/kms/docs/reference/rest."""

from __future__ import annotations

from recording_storage.resources.gcp.grants import Member
from recording_storage.resources.gcp.policies import Target

MEMBER = Member(
    Target(
        input="cryptoKeyId",
        api="https://cloudkms.googleapis.com/v1/",
        forms=(
            "projects/{project}/locations/{location}/keyRings/{ring}/cryptoKeys/{key}",
            "{project}/{location}/{ring}/{key}",
            "{location}/{ring}/{key}",
        ),
    )
)
