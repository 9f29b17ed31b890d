"""The pipeline's identities on AWS: the page's commands, a pipeline's tokens, and the toolkit under what they give."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from recording_storage.rehearsal.child import Child
from recording_storage.resources import UnfinishedError
from recording_storage.sandbox import Sandbox
from recording_storage.sandbox.aws import cloud, occasion
from recording_storage.sandbox.aws.credentials import mint
from recording_storage.sandbox.journal import Outcome
from tests.support.engine_aws import OWNER, RECORDER, Somebody
from tests.support.permissions import FOLDER, Life, filled, planned, provisioned, run, without
from tests.support.permissions_aws import PROVIDER, STACK, UP, Deployer, actions, statements
from tests.support.permissions_ci import (
    BY_ID,
    BY_NAME,
    DOCUMENTS,
    GITHUB,
    GITLAB,
    PAGE,
    SECONDS,
    Repository,
    asked,
    carry_out,
    recorded,
    replaced,
    shell,
)
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from recording_storage.plan import Plan
    from recording_storage.sandbox.issuer import Issuer
    from recording_storage.sandbox.journal import Entry
    from tests.support.permissions import Made

AUDIENCE = "sts.amazonaws.com"
BOUNDARY = f"arn:aws:iam::{OWNER}:policy/recordings-{STACK}-boundary"
READ, DEPLOY = (f"arn:aws:iam::{OWNER}:role/pipeline-{STACK}-{who}" for who in ("preview", "up"))
PULL_REQUEST, MAIN, ENVIRONMENT = "pull_request", "ref:refs/heads/main", "environment:acme"
STATE_BUCKET = "pulumi-state-acme"
EVERY_SETTING: dict[str, Any] = {
    "tags": {"team": "voice"},
    "destinations": {
        "calls": {
            "provider": "s3",
            "region": "eu-west-1",
            "retention_days": 90,
            "create_kms_key": True,
            "permissions_boundary": BOUNDARY,
            "on_destroy": "delete",
        }
    },
}
OWN = [one for one in statements(filled("aws_up.json", **UP)) if not one["Sid"].startswith(PROVIDER)]
"""The statements that the stand-in for the provider needs too; the others were seen with Terraform's."""
DEPLOYING = {one["Sid"] for one in OWN} - {"ChangeBoundary"}
"""The statements that a stack needs which had its boundary from the first; the other has a test of its own."""
READING = {
    action
    for name in ("aws_refresh.json", "aws_verify.json")
    for one in statements(filled(name))
    if not one["Sid"].startswith(PROVIDER)
    for action in one["Action"]
}
NOT_IN_THIS_STACK = {"s3:GetBucketAcl", "s3:GetBucketPolicyStatus", "kms:ListGrants"}
"""What `verify` asks for only where Block Public Access is off, or a key is used by a grant: see tests/verify."""
OPTIONAL = {"iam:SimulatePrincipalPolicy"}
"""Without which every check is decided none the less."""


@dataclass
class Account:
    """The account as its administrator leaves it after the page, and the pipeline that comes with tokens."""

    sandbox: Sandbox
    administrator: Deployer
    issuer: Issuer
    calls: dict[Repository, list[list[str]]] = field(default_factory=dict[Repository, list[list[str]]])
    times: int = 0
    """How often it was set up anew."""

    def set_up(self, repository: Repository = BY_ID) -> None:
        """Empty the account, and do what the page says."""
        self.administrator.begin_again()
        self.times += 1
        if repository not in self.calls:
            self.calls[repository] = recorded(shell("Whom GitHub names", "AWS"), "aws", repository)
        carry_out(self.calls[repository], self.administrator.administrator)
        occasion.bucket(STATE_BUCKET, account=OWNER, region="eu-west-1", versioned=True)

    def session(self, role: str, token: str) -> Session:
        """Exchange a token for credentials."""
        client = self.administrator.above.client("sts")
        given = client.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="pipeline", WebIdentityToken=token
        )
        return Session(self, given["Credentials"], given["AssumedRoleUser"]["Arn"])

    def token(self, what: str, repository: Repository = BY_ID, **claims: Any) -> str:
        """What GitHub gives a job."""
        subject = claims.pop("subject", f"{repository.subject}:{what}")
        return self.issuer.mint(subject, claims.pop("audience", AUDIENCE), **repository.claims(), **claims)

    @property
    def iam(self) -> Any:
        return self.administrator.administrator("iam")


class Session(Somebody):
    """A job with a session of one of the roles."""

    def __init__(self, account: Account, given: dict[str, Any], arn: str) -> None:
        names = {
            "AWS_ACCESS_KEY_ID": "AccessKeyId",
            "AWS_SECRET_ACCESS_KEY": "SecretAccessKey",
            "AWS_SESSION_TOKEN": "SessionToken",
        }
        held = {name: str(given[key]) for name, key in names.items()}
        super().__init__(account.sandbox.environment(f"job-{given['AccessKeyId']}", held))
        self.key, secret, token = held.values()
        self.session = boto3.Session(self.key, secret, token)
        self.arn, self._journal = arn, account.sandbox.journal
        self._mark = self._journal.mark()

    def asked(self) -> list[Entry]:
        """What the job has asked for since, and how it was decided."""
        return [one for one in self._journal.since(self._mark) if one.who == self.arn]

    def used(self) -> set[str]:
        """The actions that it asked for, all of which were allowed, if only to hear that something isn't there."""
        denied = [one for one in self.asked() if one.outcome is not Outcome.ALLOWED]
        assert not [one for one in denied if "does not exist" not in one.reason]
        return {one.what for one in self.asked()} - {"sts:GetCallerIdentity"}


@dataclass
class Room:
    """What the tests of this module share, since it takes long to make."""

    account: Account
    plan: Plan
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    made: list[Made] = field(default_factory=list["Made"])
    """What a stack with every setting is made of."""
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    _stands: int = -1
    _verifiers: dict[str, Child] = field(default_factory=dict[str, Child])
    cast: ExitStack = field(default_factory=ExitStack)
    standing_reader: Session | None = None
    """A job that reads, of those tests that change what it may."""

    def stand(self) -> None:
        """Have the stack stand there, as the pipeline deployed it, unless it does."""
        if self._stands != self.account.times:
            self.account.set_up()
            self.standing_reader = self.reader()
            deployer = self.deployer()
            self.made, self.outputs = provisioned(self.plan, self.folder, deployer.environment)
            assert deployer.used() <= actions(OWN)
            self._stands = self.account.times

    def reader(self, what: str = PULL_REQUEST) -> Session:
        return self.account.session(READ, self.account.token(what))

    def deployer(self) -> Session:
        return self.account.session(DEPLOY, self.account.token(ENVIRONMENT))

    def life(self, job: Somebody) -> Life:
        """What was made, in the hands of a job, whose clients are made in this process."""
        for name, value in job.environment.items():
            if name.startswith(("AWS_", "HTTP", "NO_PROXY")):
                self.monkeypatch.setenv(name, value)
        return Life(self.made)

    def live(self) -> None:
        """All that a deploying pipeline does with a stack, from its first `up` to its end, recordings included."""
        life = self.life(self.deployer())
        life.create()
        life.refresh()
        life.update(
            {
                "aws:s3/bucket:Bucket": lambda inputs: inputs | {"tags": {}},
                "aws:iam/role:Role": lambda inputs: inputs | {"tags": {"for": "recordings"}},
                "aws:iam/rolePolicy:RolePolicy": dict,
                "aws:kms/key:Key": lambda inputs: (
                    inputs | {"tags": {"for": "recordings"}, "policy": f"{inputs['policy']} "}
                ),
            }
        )
        (bucket,) = (one.inputs["bucket"] for one in self.made if one.type == "aws:s3/bucket:Bucket")
        s3, plain = self.account.administrator.administrator("s3"), {"ServerSideEncryption": "AES256"}
        s3.put_object(Bucket=bucket, Key="recording.mp4", Body=b"a recording", **plain)
        life.destroy()

    def verify(self, job: Session) -> list[dict[str, Any]]:
        """How the checks end for a job."""
        if job.key not in self._verifiers:
            child = Child("recording_storage.verify", job.environment)
            self._verifiers[job.key] = self.cast.enter_context(child)
        return asked(self._verifiers[job.key], self.plan.settings, self.outputs)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    folder = tmp_path_factory.mktemp("made") / "project"
    plan = planned(folder, EVERY_SETTING, STACK)
    with Sandbox() as sandbox, pytest.MonkeyPatch.context() as monkeypatch:
        account = Account(sandbox, Deployer(sandbox), sandbox.issuers.add(f"https://{GITHUB}"))
        room = Room(account, plan, folder, monkeypatch)
        with room.cast:
            room.stand()
            yield room


# --- whose token becomes whom --------------------------------------------------------------------

FORMS = pytest.mark.parametrize("repository", [BY_NAME, BY_ID], ids=["by name", "by id"])


@FORMS
@pytest.mark.parametrize(
    ("what", "may"),
    [
        (PULL_REQUEST, {READ}),
        (MAIN, {READ}),
        (ENVIRONMENT, {DEPLOY}),
        ("environment:Acme", set[str]()),
        ("environment:staging", set[str]()),
        ("ref:refs/heads/other", set[str]()),
        ("ref:refs/heads/main2", set[str]()),
        ("ref:refs/tags/main", set[str]()),
    ],
)
def test_a_subject_becomes_one_identity_or_none(
    room: Room, repository: Repository, what: str, may: set[str]
) -> None:
    account = room.account
    account.set_up(repository)
    token = account.token(what, repository)
    for role in (READ, DEPLOY):
        if role in may:
            assert account.session(role, token).client("sts").get_caller_identity()["Account"] == OWNER
        else:
            with pytest.raises(ClientError, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
                account.session(role, token)


@FORMS
def test_another_repository_gets_nothing_whatever_it_is_called(room: Room, repository: Repository) -> None:
    account = room.account
    account.set_up(repository)
    for other in (
        account.token(ENVIRONMENT, Repository("repo:acme/other", "1")),
        account.token(ENVIRONMENT, Repository("repo:acme@123456/recordings@1", "1")),
        account.token(ENVIRONMENT, Repository(repository.subject, "1")),  # it has taken the name over
        account.token("", repository, subject=f"{repository.subject}x:{ENVIRONMENT}"),
    ):
        with pytest.raises(ClientError, match="Not authorized"):
            account.session(DEPLOY, other)
    with pytest.raises(ClientError, match="Incorrect token audience"):
        account.session(DEPLOY, account.token(ENVIRONMENT, repository, audience="https://github.com/acme"))


def test_the_other_form_of_a_repositorys_subject_isnt_let_in(room: Room) -> None:
    room.account.set_up(BY_ID)
    with pytest.raises(ClientError, match="Not authorized"):
        room.account.session(DEPLOY, room.account.token(ENVIRONMENT, BY_NAME))


@pytest.mark.parametrize("left_out", ["aud", "sub", "repository_id"])
def test_each_condition_of_the_trust_keeps_somebody_out(room: Room, left_out: str) -> None:
    account = room.account
    account.set_up(BY_NAME)
    client = account.administrator.administrator("iam")
    provider = f"arn:aws:iam::{OWNER}:oidc-provider/{GITHUB}"
    client.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    client.create_open_id_connect_provider(Url=f"https://{GITHUB}", ClientIDList=[AUDIENCE, "another"])
    stranger = {
        "aud": account.token(ENVIRONMENT, BY_NAME, audience="another"),
        "sub": account.token("environment:staging", BY_NAME),
        "repository_id": account.token(ENVIRONMENT, Repository(BY_NAME.subject, "1")),
    }[left_out]
    with pytest.raises(ClientError, match="Not authorized"):
        account.session(DEPLOY, stranger)
    trust = client.get_role(RoleName=DEPLOY.rpartition("/")[2])["Role"]["AssumeRolePolicyDocument"]
    del trust["Statement"][0]["Condition"]["StringEquals"][f"{GITHUB}:{left_out}"]
    client.update_assume_role_policy(RoleName=DEPLOY.rpartition("/")[2], PolicyDocument=json.dumps(trust))
    account.session(DEPLOY, stranger)


@pytest.mark.parametrize(
    ("ref", "project", "may"),
    [
        ("main", "20", {"preview", "up"}),
        ("topic", "20", {"preview"}),
        ("main", "2", set[str]()),
        ("main", "201", set[str]()),
    ],
)
def test_gitlabs_tokens_are_told_apart_likewise(room: Room, ref: str, project: str, may: set[str]) -> None:
    room.account.set_up()
    issuer = room.account.sandbox.issuers.add(f"https://{GITLAB}")
    room.account.iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=[AUDIENCE])
    subject = f"project_id:{project}:ref_type:branch:ref:{ref}"
    token = issuer.mint(subject, AUDIENCE, project_id=project)
    for who in ("preview", "up"):
        document = replaced(f"aws_trust_gitlab_{who}.json", {"ACCOUNT": OWNER, "PROJECT_ID": "20"})
        made = room.account.iam.create_role(RoleName=f"gitlab-{who}", AssumeRolePolicyDocument=document)
        if who in may:
            room.account.session(made["Role"]["Arn"], token)
        else:
            with pytest.raises(ClientError, match="Not authorized"):
                room.account.session(made["Role"]["Arn"], token)


# --- what reads ----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", [PULL_REQUEST, MAIN])
def test_a_refresh_and_a_verification_go_by_under_what_reads(room: Room, what: str) -> None:
    room.stand()
    reader = room.reader(what)
    room.life(reader).refresh()
    found = room.verify(reader)
    assert found
    assert [one for one in found if one["status"] != "pass"] == []
    assert reader.used() <= READING
    assert READING - reader.used() == NOT_IN_THIS_STACK


@pytest.mark.parametrize("action", sorted(READING - NOT_IN_THIS_STACK - OPTIONAL))
def test_nothing_that_reads_can_be_left_out(room: Room, action: str) -> None:
    room.stand()
    reader = room.standing_reader
    assert reader is not None
    with without_action(room.account, READ, action):
        missed: list[str] = []
        try:
            room.life(reader).refresh()
        except ClientError as error:
            missed.append(str(error))
        missed += [one["evidence"] for one in room.verify(reader) if one["status"] == "unknown"]
    assert any("AccessDenied" in one or "Forbidden" in one or action in one for one in missed), missed


@contextmanager
def without_action(account: Account, role: str, action: str) -> Generator[None]:
    """Take an action from every policy of a role, for a while."""
    iam, name = account.iam, role.rpartition("/")[2]
    policies = {
        policy: json.dumps(iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"])
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    }
    for policy, document in policies.items():
        left = without(document, action)
        if json.loads(left)["Statement"]:
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=left)
        else:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
    yield
    for policy, document in policies.items():
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)


def test_what_reads_changes_nothing(room: Room) -> None:
    room.account.set_up()
    reader = room.reader()
    with pytest.raises(RuntimeError, match="AccessDenied"):
        run(room.plan, room.folder, reader.environment)
    room.stand()
    reader = room.reader()
    for one in room.life(reader).made:
        with pytest.raises(ClientError, match="AccessDenied"):
            Life([one]).destroy()
    bucket = room.outputs["recording_storage"]["bucket_name"]
    s3, iam = reader.client("s3"), reader.client("iam")
    role = room.outputs["recording_storage"]["assume_role_arn"].rpartition("/")[2]
    for attempt in (
        lambda: s3.get_object(Bucket=bucket, Key="recording.mp4"),
        lambda: s3.put_object(Bucket=bucket, Key="recording.mp4", Body=b"another"),
        lambda: s3.put_object(Bucket=STATE_BUCKET, Key=".pulumi/stacks/x.json", Body=b"{}"),
        lambda: s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}),
        lambda: iam.update_assume_role_policy(RoleName=role, PolicyDocument="{}"),
        lambda: iam.get_role(RoleName=READ.rpartition("/")[2]),
        lambda: reader.client("sts").assume_role(RoleArn=DEPLOY, RoleSessionName="somebody"),
    ):
        with pytest.raises(ClientError, match=r"AccessDenied|Forbidden|403"):
            attempt()


# --- what deploys --------------------------------------------------------------------------------


def test_a_stacks_whole_life_goes_by_under_what_deploys(room: Room) -> None:
    room.account.set_up()
    room.live()


@pytest.mark.parametrize("sid", sorted(DEPLOYING))
def test_no_statement_that_deploys_can_be_left_out(room: Room, sid: str) -> None:
    room.account.set_up()
    iam, name = room.account.iam, DEPLOY.rpartition("/")[2]
    document = iam.get_role_policy(RoleName=name, PolicyName="aws_up")["PolicyDocument"]
    document["Statement"] = [one for one in document["Statement"] if one["Sid"] != sid]
    iam.put_role_policy(RoleName=name, PolicyName="aws_up", PolicyDocument=json.dumps(document))
    with pytest.raises((ClientError, UnfinishedError), match=r"AccessDenied|403|can't put"):
        room.live()


def test_a_role_that_was_made_without_the_boundary_gets_it(room: Room) -> None:
    room.account.set_up()
    name = f"recordings-{STACK}-before"
    occasion.role(f"arn:aws:iam::{OWNER}:role/{name}", trusts=OWNER)
    occasion.policy(f"arn:aws:iam::{OWNER}:policy/other", json.dumps(cloud.ADMINISTRATOR), OWNER)
    iam = room.deployer().client("iam")
    everything = {"PolicyName": "all", "PolicyDocument": json.dumps(cloud.ADMINISTRATOR)}

    def bound(policy: str = BOUNDARY) -> None:
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=policy)

    left_out = without_action(room.account, DEPLOY, "iam:PutRolePermissionsBoundary")
    with left_out, pytest.raises(ClientError, match="AccessDenied"):
        bound()
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.put_role_policy(RoleName=name, **everything)
    with pytest.raises(ClientError, match="AccessDenied"):
        bound(f"arn:aws:iam::{OWNER}:policy/other")
    bound()
    iam.put_role_policy(RoleName=name, **everything)


def test_what_deploys_cant_give_itself_more(room: Room) -> None:
    room.account.set_up()
    deployer = room.deployer()
    iam, sts = deployer.client("iam"), deployer.client("sts")
    mine = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [mine]})
    name, recordings = DEPLOY.rpartition("/")[2], f"recordings-{STACK}-mine"
    everything = json.dumps(cloud.ADMINISTRATOR)
    for attempt in (
        lambda: iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=everything),
        lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust),
        lambda: iam.create_policy_version(PolicyArn=BOUNDARY, PolicyDocument=everything, SetAsDefault=True),
        lambda: iam.create_open_id_connect_provider(Url="https://gitlab.com", ClientIDList=["x"]),
        lambda: iam.create_role(
            RoleName="mine", AssumeRolePolicyDocument=trust, PermissionsBoundary=BOUNDARY
        ),
        lambda: iam.create_role(RoleName=recordings, AssumeRolePolicyDocument=trust),
        lambda: iam.create_user(UserName="mine"),
        lambda: iam.attach_role_policy(RoleName=name, PolicyArn=BOUNDARY),
        lambda: sts.assume_role(RoleArn=READ, RoleSessionName="somebody"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt()
    made = iam.create_role(RoleName=recordings, AssumeRolePolicyDocument=trust, PermissionsBoundary=BOUNDARY)[
        "Role"
    ]["Arn"]
    iam.put_role_policy(RoleName=recordings, PolicyName="all", PolicyDocument=everything)
    above = room.account.administrator.above
    given = above.client("sts").assume_role(RoleArn=made, RoleSessionName="somebody")["Credentials"]
    session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    for attempt in (
        lambda: above.client("iam", session).create_user(UserName="mine"),
        lambda: above.client("iam", session).delete_role_permissions_boundary(RoleName=recordings),
        lambda: above.client("s3", session).list_buckets(),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt()


def test_the_boundary_lets_recordings_through_and_nothing_of_it_is_spare(room: Room) -> None:
    room.stand()
    given = room.outputs["recording_storage"]
    key = mint(RECORDER)
    room.account.sandbox.aws.admit(key)
    recorder = Somebody(room.account.sandbox.environment(f"recorder-{key.access_key_id}", key.environment()))
    assert record(recorder, given) == set()
    boundary = room.account.iam.get_policy_version(PolicyArn=BOUNDARY, VersionId="v1")["PolicyVersion"][
        "Document"
    ]
    for action in sorted(actions(boundary["Statement"])):
        room.account.iam.create_policy_version(
            PolicyArn=BOUNDARY, PolicyDocument=without(json.dumps(boundary), action), SetAsDefault=True
        )
        assert record(recorder, given), action
        version = room.account.iam.get_policy(PolicyArn=BOUNDARY)["Policy"]["DefaultVersionId"]
        room.account.iam.set_default_policy_version(PolicyArn=BOUNDARY, VersionId="v1")
        room.account.iam.delete_policy_version(PolicyArn=BOUNDARY, VersionId=version)


def record(recorder: Somebody, given: dict[str, str]) -> set[str]:
    """Do each thing that the recording service may do; what was refused."""
    held = recorder.client("sts").assume_role(
        RoleArn=given["assume_role_arn"],
        RoleSessionName="somebody",
        ExternalId="tavus",
        DurationSeconds=43200,
    )["Credentials"]
    session = boto3.Session(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"])
    s3, bucket = recorder.client("s3", session), {"Bucket": given["bucket_name"]}
    one = bucket | {"Key": "recording.mp4"}
    refused: set[str] = set()

    def attempt(name: str, **words: Any) -> dict[str, Any]:
        try:
            return getattr(s3, name)(**words)
        except ClientError:
            refused.add(name)
            return {}

    attempt("list_objects_v2", **bucket)
    attempt("list_object_versions", **bucket)
    attempt("list_multipart_uploads", **bucket)
    version = attempt("put_object", **one, Body=b"a recording").get("VersionId", "none")
    attempt("get_object", **one)
    attempt("get_object", **one, VersionId=version)
    upload = attempt("create_multipart_upload", **one).get("UploadId")
    if upload:
        attempt("upload_part", **one, UploadId=upload, PartNumber=1, Body=b"a part")
        attempt("list_parts", **one, UploadId=upload)
        attempt("abort_multipart_upload", **one, UploadId=upload)
    return refused


# --- the page ------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("aws") is None, reason="aws is not on PATH")
def test_the_aws_cli_takes_the_pages_commands(room: Room) -> None:
    account = room.account
    account.set_up()
    done = {name: policies_of(account, name) for name in (READ, DEPLOY)}
    account.administrator.begin_again()
    account.times += 1
    script = shell("Whom GitHub names", "AWS")
    carried_out = subprocess.run(
        ["bash", "-e", "-c", BY_ID.shell + script],
        cwd=ROOT,
        env={**account.administrator.above.environment, "AWS_PAGER": ""},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert carried_out.returncode == 0, carried_out.stderr
    assert {name: policies_of(account, name) for name in (READ, DEPLOY)} == done
    account.session(DEPLOY, account.token(ENVIRONMENT))


def policies_of(account: Account, role: str) -> dict[str, Any]:
    """A role's trust and all of its policies."""
    name = role.rpartition("/")[2]
    return {"trust": account.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]} | {
        policy: account.iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in account.iam.list_role_policies(RoleName=name)["PolicyNames"]
    }


def test_what_is_filled_in_leaves_no_placeholder_and_no_other_stack(room: Room) -> None:
    room.account.set_up()
    for role in (READ, DEPLOY):
        said = json.dumps(policies_of(room.account, role))
        assert not re.search(
            r"\b(ACCOUNT|STACK|SUBJECT|STATE_BUCKET|REPOSITORY_ID|BOUNDARY_ARN|ENVIRONMENT)\b", said
        )
        assert not re.search(r":role/\*|:s3:::\*", said)


def test_every_document_of_the_pipelines_is_on_the_page_and_exists_once() -> None:
    page = PAGE.read_text()
    documents = [*DOCUMENTS.iterdir()]
    for document in documents:
        assert f"(ci/{document.name})" in page, document.name
    texts = [one.read_text() for one in (*documents, *FOLDER.iterdir())]
    assert len(set(texts)) == len(texts)
    assert set(re.findall(r"\(permissions/(\w+\.\w+)\)", page)) <= {one.name for one in FOLDER.iterdir()}


def test_only_gitlabs_merge_requests_are_let_in_by_a_wildcard() -> None:
    loose = {
        document.name
        for document in DOCUMENTS.glob("aws_trust_*")
        if "*" in document.read_text() or "Like" in document.read_text()
    }
    assert loose == {"aws_trust_gitlab_preview.json"}
