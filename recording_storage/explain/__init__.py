"""Explain an event: what happened, what the likely causes are, and until when a recording can be fetched.

`explain` decides by tables (`*_symptoms`), without looking at anything live; `look` has the named checks run on the
destinations that an event is about. Left out: reading what arrived (`events`) and showing it (`text`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from recording_storage.explain import events
from recording_storage.explain.azure_blob_symptoms import AZURE_BLOB_SYMPTOMS
from recording_storage.explain.gcs_symptoms import GCS_SYMPTOMS
from recording_storage.explain.s3_symptoms import S3_SYMPTOMS
from recording_storage.explain.service_symptoms import SERVICE_SYMPTOMS
from recording_storage.verify.tables import CHECKS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import date, datetime

    from recording_storage.explain.events import Event
    from recording_storage.explain.symptoms import Symptom
    from recording_storage.results import Document
    from recording_storage.verify.targets import Target

    Verify = Callable[[Sequence[Target], Collection[str] | None], Document]

SYMPTOMS: Final = (*SERVICE_SYMPTOMS, *S3_SYMPTOMS, *GCS_SYMPTOMS, *AZURE_BLOB_SYMPTOMS)
"""Every symptom that is known, in the order in which causes are named."""
KEPT: Final = timedelta(days=30)
"""About how long the vendor keeps a recording that it couldn't copy, as its guide says."""
GUIDE: Final = (
    "https://docs.tavus.io/sections/conversational-video-interface/quickstart/conversation-recordings"
)
FETCHING: Final = (
    "The vendor keeps it for about 30 days, to be recovered by hand. No request that fetches it is documented, nor "
    "that the copy is tried again: ask the vendor's support, with the conversation's id and this error."
)
UNSIGNED: Final = (
    "Callbacks aren't signed: believe this one if it came with the token that you put into callback_url (W2)."
)
STRAIGHT: Final = (
    "On S3 a recording is written straight into your bucket: what fails after the room was created fails without an "
    "event, and that another copy is kept isn't documented."
)
UNKNOWN: Final = (
    "These words aren't known here, and codes are an open set. Let verify look at everything, and mend what it finds; "
    "where all passes, ask the vendor, with the conversation's id and these words."
)
NOT_ABOUT_STORAGE: Final = "This event says nothing about a recording."
_NAMING: Final = (
    *("bucket_name", "assume_role_arn", "service_account_email", "workload_identity_provider"),
    *("storage_account", "client_id"),
)
"""Fields of `recording_storage` whose values name one destination."""
_TOO_SHORT_TO_NAME: Final = 8
"""Characters of a value that could stand in a text by chance."""


@dataclass(frozen=True)
class Explanation:
    """What an event means. `checks`: ids, the likeliest cause first. `fetch_until`: about; unset: nothing is kept, or
    the event has no time.
    """

    event: Event
    provider: str
    happened: tuple[str, ...]
    symptoms: tuple[Symptom, ...]
    checks: tuple[str, ...]
    advice: tuple[str, ...]
    is_trouble: bool
    fetch_until: date | None = None


@dataclass(frozen=True)
class Answer:
    """An explanation, and what is live of it. `ours`: the destinations that it is about; unset: none were named.

    `looked`: the results of the checks; unset: none were run.
    """

    explanation: Explanation
    ours: tuple[Target, ...] | None = None
    looked: Document | None = None

    @property
    def is_strange(self) -> bool:
        """Whether it names storage that is none of those that were named."""
        return self.ours == ()

    @property
    def held(self) -> bool:
        """Whether nothing that was looked at failed, or was left undecided."""
        return not self.is_strange and (self.looked is None or self.looked.held)

    def as_dict(self) -> dict[str, Any]:
        """The answer for JSON."""
        told = self.explanation
        event = told.event
        return {
            "event": {
                "type": event.type,
                "conversation_id": event.conversation,
                "timestamp": event.at and event.at.isoformat(),
                "provider": told.provider,
                "bucket": event.bucket,
                "key": event.key,
                "storage_uri": event.uri,
                "duration": event.duration,
                "error_code": event.code,
                "error_message": event.message,
                "words": event.words,
            },
            "happened": list(told.happened),
            "known": bool(told.symptoms) or not told.is_trouble,
            "symptoms": [
                {"code": one.code, "certainty": one.certainty, "source": one.source} for one in told.symptoms
            ],
            "causes": [
                {
                    "id": id_,
                    "title": CHECKS[id_].title,
                    "mend": CHECKS[id_].mend,
                    "source": CHECKS[id_].source,
                }
                for id_ in told.checks
            ],
            "advice": list(told.advice),
            "fetch": {
                "until": told.fetch_until and told.fetch_until.isoformat(),
                "approximate": True,
                "how": FETCHING,
                "source": GUIDE,
            }
            if event.type == events.COPY_FAILED
            else None,
            "destinations": None if self.ours is None else [one.name for one in self.ours],
            "verified": self.looked and self.looked.as_dict(),
        }


def explain(event: Event, provider: str = "") -> Explanation:
    """Explain one event; `provider` is whose storage it is about, where that is likely from elsewhere."""
    if event.type == events.READY:
        return _ready(event, event.provider or provider)
    if event.type and event.type != events.COPY_FAILED:
        return Explanation(event, event.provider, (NOT_ABOUT_STORAGE,), (), (), (), False)
    found = _symptoms(event, provider)
    provider = event.provider or _only(one.provider for one in found) or provider
    is_copy = event.type == events.COPY_FAILED
    happened = (_copy_failed(event),) if is_copy else ()
    advice = (
        *(one.advice for one in found if one.advice),
        *([] if found else [UNKNOWN]),
        *([STRAIGHT] if provider == "s3" and not is_copy else []),
        *([UNSIGNED] if is_copy else []),
    )
    return Explanation(
        event,
        provider,
        happened + tuple(dict.fromkeys(one.happened for one in found)),
        found,
        tuple(dict.fromkeys(id_ for one in found for id_ in one.checks)),
        tuple(dict.fromkeys(advice)),
        True,
        _until(event.at) if is_copy else None,
    )


def look(found: Iterable[Event], targets: Sequence[Target], verify: Verify) -> list[Answer]:
    """Explain events, and run the checks that each names on those of the targets that it is about.

    Where no check is named, all are run; of an event that reports no trouble, none. What several events ask for alike
    is looked at once.
    """
    looked: dict[tuple[tuple[str, ...], tuple[str, ...]], Document] = {}
    answers: list[Answer] = []
    for event in found:
        ours = tuple(concerned(event, targets))
        told = explain(event, _only(one.provider for one in ours))
        if told.provider:
            ours = tuple(one for one in ours if one.provider == told.provider)
        answer = Answer(told, ours)
        if ours and told.is_trouble:
            asked = (tuple(one.name for one in ours), told.checks)
            if asked not in looked:
                looked[asked] = verify(ours, told.checks or None)
            answer = replace(answer, looked=looked[asked])
        answers.append(answer)
    return answers


def concerned(event: Event, targets: Sequence[Target]) -> list[Target]:
    """Those of the targets that an event is about: by its bucket, else by what its words name, else by its cloud."""
    of_cloud = [one for one in targets if event.provider in ("", one.provider)]
    account, place = events.place_of(event.uri)
    places = {event.bucket, place} - {""}
    if places:
        return [one for one in of_cloud if _is_at(one, places, account)]
    named = [one for one in of_cloud if any(value in event.words for value in _names(one))]
    return named or of_cloud


def _is_at(target: Target, places: set[str], account: str) -> bool:
    storage = target.recording_storage
    if target.provider != "azure_blob":
        return storage["bucket_name"] in places
    names = {
        storage["container"],
        storage["storage_account"],
        f"{storage['storage_account']}/{storage['container']}",
    }
    return account in ("", storage["storage_account"]) and bool(names & places)


def _names(target: Target) -> list[str]:
    values = (target.recording_storage.get(name, "") for name in _NAMING)
    return [value for value in values if len(value) >= _TOO_SHORT_TO_NAME]


def _symptoms(event: Event, provider: str) -> tuple[Symptom, ...]:
    """The most exact symptoms that fit, on the storage that it is about, or likely is; else on any."""
    fitting = [one for one in SYMPTOMS if event.provider in ("", one.provider) and one.fits(event.words)]
    here = [one for one in fitting if one.provider == provider] or fitting
    best = min((one.rank for one in here), default=None)
    return tuple(one for one in here if one.rank is best)


def _until(at: datetime | None) -> date | None:
    try:
        return at and (at + KEPT).date()
    except OverflowError:  # it says that it is from the year 9999
        return None


def _only(values: Iterable[str]) -> str:
    """The one value that all are; empty where they differ."""
    different = set(values)
    return different.pop() if len(different) == 1 else ""


def _ready(event: Event, provider: str) -> Explanation:
    where = event.uri or "/".join(filter(None, (event.bucket, event.key))) or "where it isn't said"
    length = f" of {event.duration} s" if event.duration else ""
    happened = f"The recording{length} is stored: {where}"
    return Explanation(event, provider, (happened,), (), (), (UNSIGNED,), False)


def _copy_failed(event: Event) -> str:
    place = f" into {event.bucket}" if event.bucket else ""
    return f"The recording was made, and its copy{place} was given up after several tries."
