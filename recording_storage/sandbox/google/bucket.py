"""A bucket: what was said of it, who may do what with it, and its objects.

Until access is uniform, access control lists decide beside the policies. Nobody can change them here, so they are those
that a bucket and an object get by default: `projectPrivate`, and the object's writer owns it.

Sources: https://docs.cloud.google.com/storage/docs/access-control/iam#convenience-values,
https://docs.cloud.google.com/storage/docs/access-control/iam#acls (roles and lists),
https://docs.cloud.google.com/storage/docs/access-control/lists#default and
https://docs.cloud.google.com/storage/docs/public-access-prevention.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recording_storage.evaluation.google.principals import ALL_AUTHENTICATED, ALL_USERS
from recording_storage.sandbox.google.bucket_settings import millis
from recording_storage.sandbox.google.generations import Shelf, bucket_etag, new_number
from recording_storage.sandbox.google.parameters import unmet
from recording_storage.sandbox.google.policies import Policy
from recording_storage.sandbox.rest import Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from recording_storage.evaluation.google.principals import Principal
    from recording_storage.sandbox.google.contents import Contents
    from recording_storage.sandbox.google.errors import GoogleError
    from recording_storage.sandbox.google.world import Project, World

PUBLIC = (ALL_USERS, ALL_AUTHENTICATED)
WITHOUT_EFFECT = "public access prevention is enforced"
_ACL_ROLES: Mapping[str, str] = {
    "roles/storage.legacyBucketOwner": "OWNER",
    "roles/storage.legacyBucketWriter": "WRITER",
    "roles/storage.legacyBucketReader": "READER",
}
_TEAMS: Mapping[str, str] = {"Owner": "owners", "Editor": "editors", "Viewer": "viewers"}


class Bucket:
    """One bucket."""

    def __init__(
        self, name: str, project: Project, settings: dict[str, Any], contents: Contents, world: World
    ) -> None:
        self.name = name
        self.project = project
        self.settings = settings
        self.created = self.updated = world.now()
        self.number = new_number(self.created)
        self.metageneration = 1
        self.shelf = Shelf(self, contents, world)
        self.allow_policy = world.policy(stale=_stale)
        team = [f"project{role}:{project.id}" for role in ("Editor", "Owner", "Viewer")]
        for kind in ("Bucket", "Object") if self.is_uniform else ("Bucket",):
            for member, right in zip(team, ("Owner", "Owner", "Reader"), strict=True):
                self._bind(f"roles/storage.legacy{kind}{right}", member)

    @property
    def full_name(self) -> str:
        """As conditions and the journal have it."""
        return full_name(self.name)

    @property
    def type(self) -> str:
        """As conditions have it."""
        return "storage.googleapis.com/Bucket"

    @property
    def parent(self) -> Project:
        """Its policy is inherited."""
        return self.project

    @property
    def policy(self) -> Policy:
        """What is in force of its policy: where public access is prevented, nothing that is for everybody."""
        if not self.prevents_public:
            return self.allow_policy
        return Policy([_without_public(one) for one in self.allow_policy.bindings])

    @property
    def is_uniform(self) -> bool:
        """Whether the policies alone decide about access."""
        return self.settings["iamConfiguration"]["uniformBucketLevelAccess"]["enabled"]

    @property
    def prevents_public(self) -> bool:
        """Whether nothing in it can be public."""
        return self.settings["iamConfiguration"]["publicAccessPrevention"] == "enforced"

    @property
    def location(self) -> str:
        """Where it is."""
        return self.settings["location"]

    def change(self, settings: dict[str, Any], now: datetime) -> None:
        """Let something else be said of it."""
        self.settings, self.updated = settings, now
        self.metageneration += 1

    def acl(self, writer: str) -> Policy:
        """The default access control list of an object that somebody has written, or would write, as roles.

        Where access is uniform it is empty. https://docs.cloud.google.com/storage/docs/access-control/iam-roles
        """
        if self.is_uniform:
            return Policy()
        owners = [f"projectOwner:{self.project.id}", f"projectEditor:{self.project.id}", writer]
        return Policy(
            [
                {"role": "roles/storage.legacyObjectOwner", "members": list(filter(None, owners))},
                {"role": "roles/storage.legacyObjectReader", "members": [f"projectViewer:{self.project.id}"]},
            ]
        )

    def to_json(self, *, full: bool = False) -> dict[str, Any]:
        """As the API has it; in `full` with its access control lists, where it has some."""
        found = {
            "kind": "storage#bucket",
            "id": self.name,
            "selfLink": f"https://www.googleapis.com/storage/v1/b/{self.name}",
            "name": self.name,
            "projectNumber": self.project.number,
            "timeCreated": millis(self.created),
            "updated": millis(self.updated),
            "generation": str(self.number),
            "metageneration": str(self.metageneration),
            "etag": bucket_etag(self.metageneration),
            **self.settings,
        }
        return found | (self._lists() if full and not self.is_uniform else {})

    def object_acl(self, writer: str) -> list[dict[str, Any]]:
        """An object's access control list."""
        rights = {"roles/storage.legacyObjectOwner": "OWNER", "roles/storage.legacyObjectReader": "READER"}
        return [
            {
                "kind": "storage#objectAccessControl",
                "entity": self._entity(member),
                "role": rights[one["role"]],
            }
            for one in self.acl(writer).bindings
            for member in one["members"]
        ]

    def _lists(self) -> dict[str, Any]:
        entries = [
            {
                "kind": "storage#bucketAccessControl",
                "entity": self._entity(member),
                "role": _ACL_ROLES[one["role"]],
            }
            for one in self.allow_policy.bindings
            if one["role"] in _ACL_ROLES
            for member in one["members"]
        ]
        owner = {"entity": f"project-owners-{self.project.number}"}
        return {"acl": entries, "defaultObjectAcl": self.object_acl(""), "owner": owner}

    def _entity(self, member: str) -> str:
        """A member, as access control lists have it."""
        kind, _, name = member.partition(":")
        team = _TEAMS.get(kind.removeprefix("project"))
        if team:
            return f"project-{team}-{self.project.number}"
        return {"user": f"user-{name}", "serviceAccount": f"user-{name}"}.get(kind) or (
            f"{kind}-{name}" if name else kind
        )

    def _bind(self, role: str, member: str) -> None:
        known = next((one for one in self.allow_policy.bindings if one["role"] == role), None)
        if known:
            known["members"].append(member)
        else:
            self.allow_policy.add(role, member)


def check_known(who: Principal, bucket: Bucket) -> None:
    """Raise `Undecided` for a federated identity where access isn't uniform, which it must be for them.

    https://docs.cloud.google.com/storage/docs/uniform-bucket-level-access
    """
    if who.pool and not bucket.is_uniform:
        raise Undecided(f"what {who} may do in {bucket.name}, where access isn't uniform")


def full_name(bucket: str) -> str:
    """A bucket's name for conditions and the journal."""
    return f"//storage.googleapis.com/projects/_/buckets/{bucket}"


def _without_public(binding: dict[str, Any]) -> dict[str, Any]:
    members = [f"{one} ({WITHOUT_EFFECT})" if one in PUBLIC else one for one in binding["members"]]
    return binding | {"members": members}


def _stale() -> GoogleError:
    return unmet("the policy has changed since it was read: its etag is another one")
