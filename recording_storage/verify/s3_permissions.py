"""What the role may do in the bucket, and what stands in its way (S3, S6).

S3 asks who allows each action, on the bucket and on objects under any key; S6 then asks what denies it none the less:
an explicit deny anywhere, a permissions boundary, and, by IAM's simulator, an organisation's policies.

Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html,
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recording_storage.evaluation.aws.policy import is_public
from recording_storage.verify.checks import CouldNotTell, Finding, Unreadable, failed, passed, worst
from recording_storage.verify.s3_requests import Answer, judge
from recording_storage.verify.s3_standing import Standing
from recording_storage.verify.s3_things import MissingBucket

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recording_storage.verify.s3_reading import Reading
    from recording_storage.verify.s3_simulator import Simulation

BLOCKERS = {
    "boundary": "the permissions boundary",
    "identity": "the role's policies",
    "resource": "the bucket's policy",
}


def role_may_write(reading: Reading) -> Finding:
    """S3."""
    try:
        region = reading.region.result()
    except MissingBucket as missing:
        return missing.finding
    if region != reading.handed_region:
        return failed(
            f"{reading.bucket} is in {region}, and {reading.handed_region} is handed over",
            f'hand "bucket_region": "{region}" over',
        )
    standing = Standing.of(reading)
    actions = reading.target.known.s3_trust.actions
    refused: dict[str, list[str]] = {}
    doubts: list[str] = []
    granting = standing.granting()
    for action in actions:
        for request in standing.requests(action):
            answer = judge(request, granting)
            if answer.allowed is False:
                refused.setdefault(answer.why, []).append(action)
            elif answer.allowed is None:
                doubts.append(f"{action}: {answer.why}")
    if refused:
        whys = [f"{', '.join(dict.fromkeys(which))}: {why}" for why, which in refused.items()]
        missing = [one for one in actions if any(one in which for which in refused.values())]
        return failed(f"{', '.join(missing)} not allowed · {whys[0]}", _let(standing, missing))
    if doubts:
        raise CouldNotTell(doubts[0], "drop the condition that hangs on what isn't known of the service")
    return passed(f"{len(actions)} actions are allowed on {standing.arn}, and on objects under any key")


def _let(standing: Standing, missing: Iterable[str]) -> str:
    where = f"{standing.arn} and {standing.arn}/*"
    if standing.bucket_policy.account != standing.role.account:
        return f"allow {', '.join(missing)} on {where} in the role's policy and in the bucket's"
    return (
        f"allow {', '.join(missing)} on {where} in a policy of the role {standing.role.name}, under no prefix"
    )


def nothing_denies(reading: Reading, simulation: Simulation) -> Finding:
    """S6."""
    standing = Standing.of(reading)
    found: list[Finding] = []
    granting, whole = standing.granting(), standing.whole()
    for action in reading.target.known.s3_trust.actions:
        for request in standing.requests(action):
            answer = judge(request, whole)
            if answer.allowed is not True and judge(request, granting).allowed is False:
                continue  # S3 says so
            if answer.allowed is None:
                raise CouldNotTell(
                    f"{action} on {request.resource}: {answer.why}",
                    "drop the condition that hangs on what isn't known of the service",
                )
            if answer.allowed is False:
                found.append(_denied(action, answer))
    found += _by_restriction(reading, standing)
    found += simulation.key_denials()
    seen = simulation.findings(standing)
    if found or seen.refusals:
        return worst(*found, *seen.refusals)
    note = f" · {seen.note}" if seen.note else ""
    limits = "no explicit deny applies"
    if standing.policies.boundary is not None:
        limits += ", the permissions boundary allows all of it"
    return passed(limits + note)


def _denied(action: str, answer: Answer) -> Finding:
    who = BLOCKERS.get(answer.blocker, "a policy")
    mend = f"let {who} allow it, or except the role from the deny in {who}"
    return failed(f"{action}: {answer.why}", mend)


def _by_restriction(reading: Reading, standing: Standing) -> list[Finding]:
    """RestrictPublicBuckets keeps other accounts out while the bucket's policy is public."""
    document = standing.bucket_policy.document
    if standing.bucket_policy.account == standing.role.account or document is None or not is_public(document):
        return []
    try:
        restricts = reading.access_block.result().get("RestrictPublicBuckets", False)
    except Unreadable:
        restricts = True
    if not restricts:
        return []
    said = "the bucket's policy is public, so RestrictPublicBuckets keeps the role's account out"
    return [failed(said, "narrow the public statements of the bucket's policy")]
