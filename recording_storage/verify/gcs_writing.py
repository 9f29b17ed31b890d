"""Whether a recording can be written: bucket and service account exist, the account may create objects, APIs are on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.google.allow import Asked, Verdict
from recording_storage.verify.checks import CouldNotTell, NothingThere, failed, passed, warned, worst
from recording_storage.verify.gcs_oracle import CREATE, opinion
from recording_storage.verify.gcs_policies import OBJECT, Policies, bucket_name, grants, now, project_name
from recording_storage.verify.gcs_reading import APIS, off
from recording_storage.verify.said import part

if TYPE_CHECKING:
    from datetime import datetime

    from recording_storage.verify.checks import Finding
    from recording_storage.verify.gcs_account import Account
    from recording_storage.verify.gcs_reading import Reading

    Json = dict[str, Any]

NAMES = (
    "c3f1e7a2b4/recording.mp4",
    "tavus/c3f1e7a2b4/1790000000000",
    "daily-co-test-upload.txt",
    "anything else",
)
"""What the service calls its objects can't be told beforehand: these must all be allowed."""
AHEAD = timedelta(days=365)


class Writing:
    """The deciders of one destination that concern the writing itself."""

    def __init__(self, reading: Reading, policies: Policies, account: Account) -> None:
        self._reading = reading
        self._policies = policies
        self._account = account

    def may_create(self) -> Finding:
        """G6."""
        reading = self._reading
        account = reading.value(reading.account)
        if account is None:
            return failed(
                f"there is no service account {reading.email}", "make it, or hand over the one that there is"
            )
        if account.get("disabled"):
            mend = f"gcloud iam service-accounts enable {reading.email}"
            return failed(f"the service account {reading.email} is disabled", mend)
        bucket = reading.value(reading.bucket)
        if bucket is None:
            return failed(
                f"there is no bucket {reading.bucket_name}", "make it, or hand over the one that there is"
            )
        return worst(self._place(bucket), *self._door(bucket), self._create())

    def _place(self, bucket: Json) -> Finding:
        reading = self._reading
        project = reading.value(reading.project)
        if project is None:
            return failed(f"there is no project {reading.project_id}", "hand over the bucket's project")
        number, own = str(bucket.get("projectNumber")), str(project.get("projectNumber"))
        if number != own:
            return failed(
                f"the bucket {reading.bucket_name} is in the project {number}, and {reading.project_id} is {own}",
                f"hand over the bucket's project: gcloud projects describe {number} --format='value(projectId)'",
            )
        return passed(f"the bucket {reading.bucket_name} is in {reading.project_id}")

    def _door(self, bucket: Json) -> list[Finding]:
        """What shuts out everybody, whatever they may do."""
        found: list[Finding] = []
        place = f"gs://{self._reading.bucket_name}"
        if part(bucket, "billing").get("requesterPays"):
            mend = f"gcloud storage buckets update {place} --no-requester-pays"
            found.append(failed("the bucket makes its callers pay, which the service doesn't do", mend))
        if str(part(bucket, "ipFilter").get("mode", "")).lower() == "enabled":
            mend = f"gcloud storage buckets update {place} --clear-ip-filter"
            found.append(
                failed("the bucket lets some addresses in only, and the service's aren't known", mend)
            )
        return found

    def _create(self) -> Finding:
        reading = self._reading
        said = opinion(reading.troubleshooter)
        verdict = self._judged(now())
        role = f"--role=roles/storage.objectCreator --member=serviceAccount:{reading.email}"
        mend = f"gcloud storage buckets add-iam-policy-binding gs://{reading.bucket_name} {role}"
        if verdict.allowed:
            if said.is_denied:
                return failed(
                    f"{verdict.reason}, but {said.words}",
                    f"let a deny policy of the project, or above it, except {reading.email}",
                )
            if said.allowed is False:
                return failed(
                    f"by what was read {verdict.reason}, but {said.words}", "see the Policy Troubleshooter"
                )
            if not self._judged(now() + AHEAD).allowed:
                return warned(f"{verdict.reason}, but not for another year", "grant it without an end")
            return passed(f"{verdict.reason}; {said.words}")
        if said.allowed:
            what = "something above the project lets it, and so write to other buckets too"
            return warned(f"{verdict.reason}; but {said.words}: {what}", mend)
        return failed(f"it may not create every object: {verdict.reason}; {said.words}", mend)

    def _judged(self, moment: datetime) -> Verdict:
        """Whether the service account may create objects of any name, and why (not)."""
        found = self._grants
        verdict = Verdict(False, "")
        for name in NAMES:
            full_name = f"{bucket_name(self._reading.bucket_name)}/objects/{name}"
            asked = Asked(CREATE, full_name, OBJECT, moment)
            verdict = self._policies.allowed(self._account.who, asked, found)
            if not verdict.allowed:
                return Verdict(False, f"{verdict.reason} (an object called {name})")
        return verdict

    @property
    def _grants(self) -> list[Any]:
        reading = self._reading
        found = grants(bucket_name(reading.bucket_name), reading.value(reading.bucket_policy))
        try:
            above = reading.value(reading.project_policy(reading.project_id))
        except CouldNotTell:
            asked = Asked(CREATE, bucket_name(reading.bucket_name) + "/objects/any", OBJECT, now())
            try:
                enough = self._policies.allowed(self._account.who, asked, found).allowed
            except CouldNotTell:
                enough = False
            if enough:  # what is above can only add to it
                return found
            raise
        return [*found, *grants(project_name(reading.project_id), above)]

    def apis(self) -> Finding:
        """G9."""
        return worst(*(self._enabled(project, apis) for project, apis in self._needed().items()))

    def _needed(self) -> dict[str, tuple[str, ...]]:
        """Project → what must be enabled there: where the pool is, where the service account is."""
        reading, named = self._reading, self._reading.identifier
        needed: dict[str, tuple[str, ...]] = {reading.project_id: APIS}
        if reading.home and reading.home != reading.project_id:
            needed[reading.home] = ("storage",)
        if named.project and named.project != reading.project_id:
            try:
                number = part(reading.value(reading.project)).get("projectNumber")
            except CouldNotTell:
                number = None
            if number is not None and named.project != str(number):
                needed[named.project] = ("iam", "iamcredentials", "sts")
                needed[reading.project_id] = ("storage",)
        return needed

    def _enabled(self, project: str, apis: tuple[str, ...]) -> Finding:
        found = self._reading.value(self._reading.services(project))
        if found is None:
            raise NothingThere(f"the project {project}", "G6")
        missing = [one for one in off(found) if one in apis]
        if missing:
            names = " ".join(f"{one}.googleapis.com" for one in missing)
            return failed(
                f"off in {project}: {', '.join(missing)}",
                f"gcloud services enable {names} --project={project}",
            )
        return passed(f"on in {project}: {', '.join(apis)}")
