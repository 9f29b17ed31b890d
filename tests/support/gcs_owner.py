"""The owner of one destination on Google Cloud Storage at a console: plain requests to Google's APIs.

What is changed is given back as the function that undoes it.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.web import Web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from recording_storage.sandbox.google.world import Project
    from tests.support.live import Live

    Undo = Callable[[], object]
    Json = dict[str, Any]

IAM, STORAGE = "https://iam.googleapis.com/v1", "https://storage.googleapis.com/storage/v1"
KMS, PROJECTS = (
    "https://cloudkms.googleapis.com/v1",
    "https://cloudresourcemanager.googleapis.com/v1/projects",
)
SERVICES = "https://serviceusage.googleapis.com/v1/projects"
TRUST, CREATOR = "roles/iam.workloadIdentityUser", "roles/storage.objectCreator"
KEY_ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
SOMEBODY = "user:somebody@example.com"


class Owner:
    """Who owns the destination called `name`."""

    def __init__(self, live: Live, name: str, key: str = "") -> None:
        self.live, self.name, self.key = live, name, key
        self.web = Web(live.owner, Path(live.owner["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"]).read_text().strip())
        said = dict(live.outputs[name]["recording_storage"])
        self.bucket, self.project, self.email = (
            said["bucket_name"],
            said["project_id"],
            said["service_account_email"],
        )
        self.provider = said["workload_identity_provider"]
        self.pool = self.provider.partition("/providers/")[0]
        self.member = f"serviceAccount:{self.email}"
        self.account = f"projects/{self.project}/serviceAccounts/{self.email}"
        self.subject = f"principal://iam.googleapis.com/{self.pool}/subject/w-acme"

    @property
    def google_project(self) -> Project:
        """The project in the stand-in, for what only an organisation's administrator can do."""
        return self.live.sandbox.google.world.project(self.project)

    # What is handed over

    def hand_over(self, **values: str) -> Undo:
        """Let the application have other values."""
        storage = self.live.outputs[self.name]["recording_storage"]
        before = {key: storage[key] for key in values}
        storage.update(values)
        return lambda: storage.update(before)

    # Pool and provider

    def set_provider(self, **fields: Any) -> Undo:
        """Change fields of the provider; in `oidc`, only what is named."""
        return self._patch(f"{IAM}/{self.provider}", fields)

    def set_pool(self, **fields: Any) -> Undo:
        return self._patch(f"{IAM}/{self.pool}", fields)

    def set_condition(self, condition: str) -> Undo:
        return self.set_provider(attributeCondition=condition)

    def set_mapping(self, subject: str = "assertion.sub", **attributes: str) -> Undo:
        more = {f"attribute.{name}": expression for name, expression in attributes.items()}
        return self.set_provider(attributeMapping={"google.subject": subject} | more)

    def delete(self, name: str) -> Undo:
        """Delete a pool or a provider, which can be restored."""
        self.web.must("DELETE", f"{IAM}/{name}")
        return lambda: self.web.must("POST", f"{IAM}/{name}:undelete", json={})

    def add_provider(self, id_: str, issuer: str, condition: str = "", **fields: Any) -> Undo:
        """Make another provider in the pool; undone, it is deleted, and its name stays taken."""
        body = {
            "oidc": {"issuerUri": issuer},
            "attributeMapping": {"google.subject": "assertion.sub"},
            "attributeCondition": condition,
        } | fields
        self.web.must("POST", f"{IAM}/{self.pool}/providers?workloadIdentityPoolProviderId={id_}", json=body)
        return lambda: self.web.must("DELETE", f"{IAM}/{self.pool}/providers/{id_}")

    def _patch(self, url: str, fields: Json) -> Undo:
        before = self.web.get(url)
        wanted = copy.deepcopy(fields)
        if "oidc" in wanted:
            wanted["oidc"] = {**before["oidc"], **wanted["oidc"]}
        mask = ",".join(fields)
        self.web.must("PATCH", f"{url}?updateMask={mask}", json=wanted)
        return lambda: self.web.must("PATCH", f"{url}?updateMask={mask}", json=before)

    # Policies

    def bind(self, url: str, role: str, *members: str, condition: str = "") -> Undo:
        """Add a binding to a policy."""
        added: Json = {"role": role, "members": list(members)}
        if condition:
            added["condition"] = {"title": "when", "expression": condition}
        return self.change_policy(url, lambda bindings: [*bindings, added])

    def unbind(self, url: str, role: str) -> Undo:
        """Remove a role's bindings from a policy."""
        return self.change_policy(url, lambda found: [one for one in found if one["role"] != role])

    def rebind(self, url: str, role: str, *added: Json) -> Undo:
        """Put other bindings in place of a role's."""
        return self.change_policy(url, lambda found: [*(one for one in found if one["role"] != role), *added])

    def change_policy(self, url: str, change: Callable[[list[Json]], Iterable[Json]]) -> Undo:
        before: list[Json] = self._policy(url).get("bindings", [])
        self._set_policy(url, list(change(copy.deepcopy(before))))
        return lambda: self._set_policy(url, before)

    @property
    def on_account(self) -> str:
        return f"{IAM}/{self.account}"

    @property
    def on_project(self) -> str:
        return f"{PROJECTS}/{self.project}"

    @property
    def on_bucket(self) -> str:
        return f"{STORAGE}/b/{self.bucket}"

    @property
    def on_key(self) -> str:
        return f"{KMS}/{self.key}"

    def _policy(self, url: str) -> Json:
        if url.startswith(STORAGE):
            return self.web.get(f"{url}/iam", optionsRequestedPolicyVersion="3")
        if url.startswith(KMS):
            return self.web.get(f"{url}:getIamPolicy", **{"options.requestedPolicyVersion": "3"})
        body = {"options": {"requestedPolicyVersion": 3}}
        return self.web.must("POST", f"{url}:getIamPolicy", json=body)

    def _set_policy(self, url: str, bindings: list[Json]) -> None:
        policy = {"bindings": bindings, "version": 3, "etag": self._policy(url)["etag"]}
        if url.startswith(STORAGE):
            self.web.must("PUT", f"{url}/iam", json=policy)
        else:
            self.web.must("POST", f"{url}:setIamPolicy", json={"policy": policy})

    # The service account

    def disable_account(self) -> Undo:
        self.web.must("POST", f"{self.on_account}:disable", json={})
        return lambda: self.web.must("POST", f"{self.on_account}:enable", json={})

    def delete_account(self) -> Undo:
        unique = self.web.get(self.on_account)["uniqueId"]
        self.web.must("DELETE", self.on_account)
        restore = f"{IAM}/projects/{self.project}/serviceAccounts/{unique}:undelete"
        return lambda: self.web.must("POST", restore, json={})

    def add_key(self, *, disabled: bool = False, account: str = "") -> Undo:
        made = self.web.must("POST", f"{IAM}/{account or self.account}/keys", json={})
        if disabled:
            self.web.must("POST", f"{IAM}/{made['name']}:disable", json={})
        return lambda: self.web.must("DELETE", f"{IAM}/{made['name']}")

    def add_role(self, id_: str, *permissions: str) -> Undo:
        """Make a custom role."""
        said = {"title": id_, "stage": "GA", "includedPermissions": list(permissions)}
        url = f"{IAM}/projects/{self.project}/roles"
        self.web.must("POST", url, json={"roleId": id_, "role": said})
        return lambda: self.web.must("DELETE", f"{url}/{id_}")

    # APIs

    def switch_off(self, api: str) -> Undo:
        url = f"{SERVICES}/{self.project}/services/{api}.googleapis.com"
        self.web.must("POST", f"{url}:disable", json={})
        return lambda: self.web.must("POST", f"{url}:enable", json={})

    def switch_on(self, api: str) -> None:
        self.web.must("POST", f"{SERVICES}/{self.project}/services/{api}.googleapis.com:enable", json={})

    # The bucket

    def set_bucket(self, **fields: Any) -> Undo:
        """Change fields of the bucket; what wasn't there is taken away again."""
        before = self.web.get(self.on_bucket)
        self.web.must("PATCH", self.on_bucket, json=fields)
        return lambda: self.web.must(
            "PATCH", self.on_bucket, json={name: before.get(name) for name in fields}
        )

    # The key

    def version(self, verb: str = "") -> str:
        return f"{self.on_key}/cryptoKeyVersions/1{verb}"

    def set_version(self, state: str) -> Undo:
        def say(wanted: str) -> None:
            self.web.must("PATCH", f"{self.version()}?updateMask=state", json={"state": wanted})

        say(state)
        return lambda: say("ENABLED")

    def destroy_version(self) -> Undo:
        self.web.must("POST", self.version(":destroy"), json={})

        def restore() -> None:
            self.web.must("POST", self.version(":restore"), json={})
            self.web.must("PATCH", f"{self.version()}?updateMask=state", json={"state": "ENABLED"})

        return restore


def both(*undone: Callable[[], object]) -> Callable[[], object]:
    """Undo several changes, the last first."""

    def undo() -> None:
        for one in reversed(undone):
            one()

    return undo
