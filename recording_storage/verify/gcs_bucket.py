"""The bucket as a place for recordings: not public, with a key that works, nothing kept for ever by mistake."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from components.gcp import key_location
from recording_storage.evaluation.google.allow import Asked, Grant
from recording_storage.evaluation.google.principals import ALL_AUTHENTICATED, ALL_USERS, service_account
from recording_storage.verify.checks import CouldNotTell, NothingThere, failed, passed, warned, worst
from recording_storage.verify.gcs_policies import KEY, Policies, bindings, grants, now, project_name
from recording_storage.verify.gcs_rest import Refused
from recording_storage.verify.said import items, part

if TYPE_CHECKING:
    from concurrent.futures import Future

    from recording_storage.verify.checks import Finding
    from recording_storage.verify.gcs_reading import Reading

    Json = dict[str, Any]

PUBLIC = (ALL_USERS, ALL_AUTHENTICATED)
USES = ("cloudkms.cryptoKeyVersions.useToEncrypt", "cloudkms.cryptoKeyVersions.useToDecrypt")
KEY_ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
NARROW = (
    "matchesPrefix",
    "matchesSuffix",
    "matchesStorageClass",
    "createdBefore",
    "customTimeBefore",
    "daysSinceCustomTime",
)
"""Conditions by which a lifecycle rule leaves some objects out."""
OLD_ONLY = ("daysSinceNoncurrentTime", "noncurrentTimeBefore", "numNewerVersions")
_KEY = re.compile(
    r"(?P<ring>projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+)/keyRings/[^/]+)/cryptoKeys/[^/]+"
)


class Place:
    """The deciders of one destination that concern its bucket."""

    def __init__(self, reading: Reading, policies: Policies) -> None:
        self._reading = reading
        self._policies = policies

    @property
    def _bucket(self) -> Json:
        found = self._reading.value(self._reading.bucket)
        if found is None:
            raise NothingThere(f"the bucket {self._reading.bucket_name}", "G6")
        return found

    @property
    def _url(self) -> str:
        return f"gs://{self._reading.bucket_name}"

    # Who reads it

    def private(self) -> Finding:
        """G14."""
        reading = self._reading
        access = part(self._bucket, "iamConfiguration")
        is_prevented = access.get("publicAccessPrevention") == "enforced"
        places = (
            (self._url, reading.value(reading.bucket_policy)),
            (reading.project_id, reading.value(reading.project_policy(reading.project_id))),
        )
        public = [
            f"{member} has {binding['role']} on {where}"
            for where, policy in places
            for binding in bindings(policy)
            for member in binding["members"]
            if member in PUBLIC
        ]
        enforce = f"gcloud storage buckets update {self._url} --public-access-prevention"
        if public and not is_prevented:
            return failed("; ".join(public), enforce)
        if public:
            return warned(
                f"{'; '.join(public)}: without effect while public access is prevented", "remove it"
            )
        uniform = f"gcloud storage buckets update {self._url} --uniform-bucket-level-access"
        found = [passed("nobody but named members has access, and public access is prevented")]
        if not is_prevented:
            found.append(warned("nothing is public, but the bucket doesn't prevent it", enforce))
        if not part(access, "uniformBucketLevelAccess").get("enabled"):
            found.append(warned("single objects can be made public, by their access control lists", uniform))
        return worst(*found)

    # Its key

    def key(self) -> Finding:
        """G15."""
        bucket, wanted = self._bucket, self._reading.target.known.kms_key
        encryption = part(bucket, "encryption")
        name = str(encryption.get("defaultKmsKeyName") or "")
        mend = f"gcloud storage buckets update {self._url} --default-encryption-key={wanted or 'KEY'}"
        if not name:
            if wanted:
                return failed(f"the bucket has no key, instead of {wanted}", mend)
            if _forbids_googles_own(encryption):
                return failed(
                    "the bucket takes nothing without a customer's key, and has none for its default", mend
                )
            return passed("Google's own keys encrypt it")
        if wanted and not self._is_same(name, wanted):
            return failed(f"the bucket's key is {name}, instead of {wanted}", mend)
        parts = _KEY.fullmatch(name)
        if parts is None:
            return failed(f"the bucket's key isn't the name of one: {name}", mend)
        place = key_location(str(bucket.get("location", "")))
        if parts["location"] != place:
            return failed(f"the key {name} isn't in {place}, where the bucket is", mend)
        found = self._found_key(name)
        return found if found is not None else self._agent(name, parts, str(bucket.get("projectNumber")))

    def _found_key(self, name: str) -> Finding | None:
        """What is wrong with the key itself."""
        mend = f"enable its primary version: gcloud kms keys versions enable … --key={name}"
        future = self._reading.key(name)
        self._reading.key_policy(name)  # both at once
        try:
            found = self._reading.value(future)
        except CouldNotTell:
            if self._is_off_where_the_key_is(future, name):
                what = f"Cloud KMS is off in the key's project, so {name} can't be used"
                return failed(what, "gcloud services enable cloudkms.googleapis.com")
            raise
        if found is None:
            return failed(f"there is no key {name}", "restore it, or give the bucket another key")
        if found.get("purpose", "ENCRYPT_DECRYPT") != "ENCRYPT_DECRYPT":
            return failed(f"the key {name} is for {found['purpose']}", "give the bucket a symmetric key")
        primary = part(found, "primary")
        state = primary.get("state", "")
        if state != "ENABLED":
            what = f"its primary version is {state}" if primary else "it has no primary version"
            if state == "DESTROY_SCHEDULED":
                mend = f"restore it: gcloud kms keys versions restore … --key={name}"
            return failed(f"the key {name} can't encrypt: {what}", mend)
        return None

    def _is_off_where_the_key_is(self, read: Future[Json | None], name: str) -> bool:
        """Whether Cloud KMS is what is off, in the key's own project."""
        error, project = read.exception(), name.split("/")[1]
        if not isinstance(error, Refused) or error.disabled[0] != "cloudkms.googleapis.com":
            return False
        own = {project}
        if project == self._reading.project_id:
            own.add(str(part(self._reading.value(self._reading.project)).get("projectNumber")))
        return error.disabled[1].rpartition("/")[2] in own

    def _agent(self, name: str, parts: re.Match[str], number: str) -> Finding:
        """Whether Cloud Storage's own service account may use the key, by the key's policy or what is above it."""
        email = f"service-{number}@gs-project-accounts.iam.gserviceaccount.com"
        who, moment = service_account(email, ""), now()
        full_name = f"//cloudkms.googleapis.com/{name}"
        reading = self._reading
        found: list[Grant] = []
        above = (
            lambda: grants(full_name, reading.value(reading.key_policy(name))),
            lambda: grants(parts["ring"], reading.value(reading.ring_policy(parts["ring"]))),
            lambda: grants(
                project_name(parts["project"]), reading.value(reading.project_policy(parts["project"]))
            ),
        )
        reasons: dict[str, str] = {}
        for read in above:
            found = [*found, *read()]
            verdicts = {
                use: self._policies.allowed(who, Asked(use, full_name, KEY, moment), found) for use in USES
            }
            if all(one.allowed for one in verdicts.values()):
                return passed(f"the key {name} is enabled, and Cloud Storage's agent may use it")
            reasons = {use: one.reason for use, one in verdicts.items() if not one.allowed}
        missing = ", ".join(one.rpartition(".")[2] for one in reasons)
        return failed(
            f"{email} may not use the key {name} ({missing}): {next(iter(reasons.values()))}",
            f"gcloud kms keys add-iam-policy-binding {name} --role={KEY_ROLE} --member=serviceAccount:{email}",
        )

    def _is_same(self, name: str, wanted: str) -> bool:
        """Whether two names are of the same key; the project may be named by its number."""
        return name == wanted or (
            name.split("/")[2:] == wanted.split("/")[2:]
            and {name.split("/")[1].isdigit(), wanted.split("/")[1].isdigit()} == {True, False}
        )

    # What is kept

    def expiry(self) -> Finding:
        """G16."""
        bucket = self._bucket
        rules: list[Json] = items(part(bucket, "lifecycle"), "rule")
        deletes = [part(one, "condition") for one in rules if part(one, "action").get("type") == "Delete"]
        live = [
            one
            for one in deletes
            if one.get("isLive") is not False and not any(key in one for key in OLD_ONLY)
        ]
        kept = int(part(bucket, "softDeletePolicy").get("retentionDurationSeconds") or 0) // 86400
        soft = f"; what is deleted stays for {kept} days" if kept else ""
        if not part(bucket, "versioning").get("enabled"):
            return passed(f"the bucket keeps no old versions{soft}")
        if not live:
            return passed(f"nothing expires{soft}")
        old = [
            one for one in deletes if one.get("isLive") is not True and not any(key in one for key in NARROW)
        ]
        if not old:
            mend = "add a rule that deletes versions some days after they became noncurrent (daysSinceNoncurrentTime)"
            return warned("recordings expire, and their old versions stay for ever", mend)
        return passed(f"recordings expire, and so do their old versions{soft}")


def _forbids_googles_own(encryption: Json) -> bool:
    config = part(encryption, "googleManagedEncryptionEnforcementConfig")
    return config.get("restrictionMode") == "FullyRestricted"
