"""What Google's Policy Troubleshooter says: the same question, answered by Google, with what is above the project.

It isn't asked instead, but beside: it may not be enabled, or the caller may not see every policy. `testIamPermissions`
is no oracle, since it answers for the caller.

Source: https://docs.cloud.google.com/policy-intelligence/docs/reference/policytroubleshooter/rest/v3/iam/troubleshoot
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recording_storage.verify.checks import CouldNotTell
from recording_storage.verify.gcs_rest import Refused
from recording_storage.verify.said import part

if TYPE_CHECKING:
    from concurrent.futures import Future

URL = "https://policytroubleshooter.googleapis.com/v3/iam:troubleshoot"
CREATE = "storage.objects.create"
NAME = "conversation/recording.mp4"
"""An object's name like any other."""


@dataclass(frozen=True)
class Opinion:
    """Whether Google says that the service account may create objects (None: it doesn't say), and the words for it.

    `is_denied`: a deny policy says no.
    """

    allowed: bool | None
    words: str
    is_denied: bool = False


Question = tuple[str, str, str, dict[str, Any]]


def question(email: str, bucket: str) -> Question:
    """The request: permission that it takes, method, address and body."""
    context = {
        "service": "storage.googleapis.com",
        "type": "storage.googleapis.com/Object",
        "name": f"projects/_/buckets/{bucket}/objects/{NAME}",
    }
    asked = {
        "principal": email,
        "fullResourceName": f"//storage.googleapis.com/projects/_/buckets/{bucket}",
        "permission": CREATE,
        "conditionContext": {"resource": context},
    }
    return "", "POST", URL, {"accessTuple": asked}


def opinion(answer: Future[dict[str, Any]]) -> Opinion:
    """What was answered; why there is no answer, where there is none."""
    try:
        said = answer.result()
    except Refused as refused:
        service, consumer = refused.disabled
        why = f"{service} isn't enabled in {consumer}" if service else str(refused)
        return Opinion(None, f"the Policy Troubleshooter wasn't asked: {why}")
    except CouldNotTell as unknown:
        return Opinion(None, f"the Policy Troubleshooter wasn't asked: {unknown.why}")
    overall = str(said.get("overallAccessState", ""))
    denied = str(part(said, "denyPolicyExplanation").get("denyAccessState", ""))
    if denied == "DENY_ACCESS_STATE_DENIED":
        return Opinion(False, "the Policy Troubleshooter says that a deny policy denies it", is_denied=True)
    if overall in ("CAN_ACCESS", "CANNOT_ACCESS"):
        return Opinion(overall == "CAN_ACCESS", f"the Policy Troubleshooter says {overall}")
    allow = str(part(said, "allowPolicyExplanation").get("allowAccessState", "nothing"))
    words = (
        f"the Policy Troubleshooter can't tell ({overall}: {allow}, {denied or 'nothing on deny policies'})"
    )
    return Opinion(None, words)
