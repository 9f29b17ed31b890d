"""IAM resources: a role, its inline policies, and managed policies such as a team's own boundary."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from recording_storage.resources.aws.clients import Clients, Type, gone, tags, text, untagged

if TYPE_CHECKING:
    from recording_storage.resources import Properties


class Role(Type):
    """`aws:iam/role:Role`."""

    properties = frozenset(
        {
            "name",
            "path",
            "description",
            "assumeRolePolicy",
            "maxSessionDuration",
            "permissionsBoundary",
            "tags",
        }
    )
    replace_on = frozenset({"name", "path"})
    names = frozenset({"name"})

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        iam = clients.get("iam")
        optional = {
            "Description": inputs.get("description"),
            "MaxSessionDuration": int(inputs["maxSessionDuration"])
            if inputs.get("maxSessionDuration")
            else None,
            "PermissionsBoundary": inputs.get("permissionsBoundary"),
            "Tags": tags(inputs.get("tags")) or None,
        }
        iam.create_role(
            RoleName=inputs["name"],
            Path=inputs.get("path") or "/",
            AssumeRolePolicyDocument=text(inputs["assumeRolePolicy"]),
            **{name: value for name, value in optional.items() if value is not None},
        )
        return inputs["name"], self._state(iam, inputs["name"], inputs)

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        iam = clients.get("iam")
        try:
            role = iam.get_role(RoleName=id_)["Role"]
        except ClientError as error:
            if gone(error):
                return None
            raise
        tags = untagged(role.get("Tags"))
        found = {
            "name": id_,
            "path": role["Path"],
            "assumeRolePolicy": json.dumps(role["AssumeRolePolicyDocument"]),
            "maxSessionDuration": role.get("MaxSessionDuration", 3600),
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "tags": tags,
        }
        return self._state(
            iam, id_, state | {name: value for name, value in found.items() if value or name in state}
        )

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        iam = clients.get("iam")
        iam.update_assume_role_policy(RoleName=id_, PolicyDocument=text(inputs["assumeRolePolicy"]))
        iam.update_role(
            RoleName=id_,
            Description=inputs.get("description") or "",
            MaxSessionDuration=int(inputs.get("maxSessionDuration") or 3600),
        )
        boundary, before = inputs.get("permissionsBoundary"), state.get("permissionsBoundary")
        if boundary and boundary != before:
            iam.put_role_permissions_boundary(RoleName=id_, PermissionsBoundary=boundary)
        elif before and not boundary:
            iam.delete_role_permissions_boundary(RoleName=id_)
        dropped = sorted(set(state.get("tags") or {}) - set(inputs.get("tags") or {}))
        if dropped:
            iam.untag_role(RoleName=id_, TagKeys=dropped)
        if inputs.get("tags"):
            iam.tag_role(RoleName=id_, Tags=tags(inputs["tags"]))
        return self._state(iam, id_, inputs)

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        try:
            clients.get("iam").delete_role(RoleName=id_)
        except ClientError as error:
            if not gone(error):
                raise

    def _state(self, iam: Any, name: str, inputs: Properties) -> Properties:
        role = iam.get_role(RoleName=name)["Role"]
        return inputs | {
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
            "createDate": str(role["CreateDate"]),
            "tagsAll": inputs.get("tags") or {},
        }


class RolePolicy(Type):
    """`aws:iam/rolePolicy:RolePolicy`: an inline policy of a role."""

    properties = frozenset({"name", "role", "policy"})
    replace_on = frozenset({"name", "role"})
    names = frozenset({"name"})

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        return f"{inputs['role']}:{inputs['name']}", self.update(clients, "", {}, inputs)

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        role, _, name = id_.partition(":")
        try:
            found = clients.get("iam").get_role_policy(RoleName=role, PolicyName=name)
        except ClientError as error:
            if gone(error):
                return None
            raise
        return state | {"role": role, "name": name, "policy": json.dumps(found["PolicyDocument"])}

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        clients.get("iam").put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=text(inputs["policy"])
        )
        return dict(inputs)

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        role, _, name = id_.partition(":")
        try:
            clients.get("iam").delete_role_policy(RoleName=role, PolicyName=name)
        except ClientError as error:
            if not gone(error):
                raise


class ManagedPolicy(Type):
    """`aws:iam/policy:Policy`: a permission boundary of a team's own, for one."""

    properties = frozenset({"name", "path", "description", "policy", "tags"})
    replace_on = frozenset({"name", "path", "description"})
    names = frozenset({"name"})

    def create(self, clients: Clients, inputs: Properties) -> tuple[str, Properties]:
        made = clients.get("iam").create_policy(
            PolicyName=inputs["name"],
            Path=inputs.get("path") or "/",
            Description=inputs.get("description") or "",
            PolicyDocument=text(inputs["policy"]),
            Tags=tags(inputs.get("tags")),
        )["Policy"]
        return made["Arn"], inputs | {"arn": made["Arn"], "policyId": made["PolicyId"]}

    def read(self, clients: Clients, id_: str, state: Properties) -> Properties | None:
        iam = clients.get("iam")
        try:
            version = iam.get_policy(PolicyArn=id_)["Policy"]["DefaultVersionId"]
        except ClientError as error:
            if gone(error):
                return None
            raise
        document = iam.get_policy_version(PolicyArn=id_, VersionId=version)["PolicyVersion"]["Document"]
        return state | {"policy": json.dumps(document)}

    def update(self, clients: Clients, id_: str, state: Properties, inputs: Properties) -> Properties:
        iam = clients.get("iam")
        before = iam.get_policy(PolicyArn=id_)["Policy"]["DefaultVersionId"]
        iam.create_policy_version(PolicyArn=id_, PolicyDocument=text(inputs["policy"]), SetAsDefault=True)
        iam.delete_policy_version(PolicyArn=id_, VersionId=before)
        dropped = sorted(set(state.get("tags") or {}) - set(inputs.get("tags") or {}))
        if dropped:
            iam.untag_policy(PolicyArn=id_, TagKeys=dropped)
        if inputs.get("tags"):
            iam.tag_policy(PolicyArn=id_, Tags=tags(inputs["tags"]))
        return {name: state[name] for name in ("arn", "policyId") if name in state} | inputs

    def delete(self, clients: Clients, id_: str, state: Properties) -> None:
        try:
            clients.get("iam").delete_policy(PolicyArn=id_)
        except ClientError as error:
            if not gone(error):
                raise
