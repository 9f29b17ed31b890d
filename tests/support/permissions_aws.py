"""Somebody who deploys to AWS and may do what documents say, and nothing else."""

from __future__ import annotations

import json
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

from recording_storage.sandbox.aws import cloud, credentials
from tests.support.engine_aws import OWNER, Somebody

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from recording_storage.sandbox import Sandbox
    from recording_storage.sandbox.aws.credentials import Credentials
    from recording_storage.sandbox.journal import Entry

STACK = "acme"
BOUNDARY = f"arn:aws:iam::{OWNER}:policy/recordings-only"
UP = {"ACCOUNT": OWNER, "STACK": STACK}
EVERYTHING = "AdministratorAccess"
PROVIDER = "Provider"
"""How a statement's Sid begins that only the real provider needs, and not the stand-in for it."""
_NUMBERS = count()


class Deployer:
    """A user of an account, and the account's administrator, who says what the user may do."""

    def __init__(self, sandbox: Sandbox, user: Credentials | None = None) -> None:
        self.sandbox = sandbox
        self.credentials = user or credentials.mint(OWNER)
        self.account = self.credentials.account
        self._administrator = credentials.mint(self.account)
        number = next(_NUMBERS)
        self.environment: Mapping[str, str] = sandbox.environment(
            f"deployer-{number}", self.credentials.environment()
        )
        self.client = cache(Somebody(self.environment).client)
        above = sandbox.environment(f"administrator-{number}", self._administrator.environment())
        self.above = Somebody(above)
        self.administrator = cache(self.above.client)
        if user is None:
            sandbox.aws.admit(self.credentials)
        sandbox.aws.admit(self._administrator)
        self.arn = str(self.client("sts").get_caller_identity()["Arn"])
        self._name = self.arn.rpartition("/")[2]
        self._mark = 0

    def begin_again(self) -> None:
        """Empty all accounts, and be there again with every permission."""
        cloud.forget()
        for one in (self.credentials, self._administrator):
            self.sandbox.aws.admit(one)

    def may(self, *documents: str) -> None:
        """Let the user do what these documents say, each a managed policy, and nothing else."""
        iam = self.administrator("iam")
        for one in iam.list_attached_user_policies(UserName=self._name)["AttachedPolicies"]:
            iam.detach_user_policy(UserName=self._name, PolicyArn=one["PolicyArn"])
        for document in documents:
            made = iam.create_policy(PolicyName=f"documented-{next(_NUMBERS)}", PolicyDocument=document)
            iam.attach_user_policy(UserName=self._name, PolicyArn=made["Policy"]["Arn"])
        if EVERYTHING in iam.list_user_policies(UserName=self._name)["PolicyNames"]:
            iam.delete_user_policy(UserName=self._name, PolicyName=EVERYTHING)
        self._mark = self.sandbox.journal.mark()

    def asked(self) -> list[Entry]:
        """What the user has asked for since, and how it was decided."""
        return [one for one in self.sandbox.journal.since(self._mark) if one.who == self.arn]

    def used(self) -> set[str]:
        """The actions that were asked for and need a permission."""
        return {one.what for one in self.asked()} - {"sts:GetCallerIdentity"}


def statements(*documents: str) -> list[dict[str, Any]]:
    """The statements of documents."""
    return [one for document in documents for one in json.loads(document)["Statement"]]


def actions(found: Iterable[Mapping[str, Any]]) -> set[str]:
    """The actions of statements; none may stand there twice."""
    listed = [action for one in found for action in one["Action"]]
    assert len(listed) == len(set(listed)), "an action stands in two statements"
    return set(listed)
