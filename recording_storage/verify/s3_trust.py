"""Who may assume the role: the service, for as long as it asks, and nobody else (S1, S2, S9).

Decided by evaluating the trust policy for calls of AssumeRole: the service's own, and those of strangers. Who else is
named is asked about too, by name. Leaves out what other principals' own accounts allow them: it may change any day.

Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from components.s3_policies import s3_trust_policy
from recording_storage.evaluation.aws.conditions import Pattern
from recording_storage.evaluation.aws.policy import Principal
from recording_storage.verify.checks import CouldNotTell, Finding, failed, passed
from recording_storage.verify.s3_requests import (
    NO_ORGANISATION_OF_YOURS,
    UNNAMED,
    Answer,
    assuming,
    conditions_on,
    session,
    trust_answer,
    unnamed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recording_storage.evaluation.aws.document import Document, Statement
    from recording_storage.verify.s3_reading import Reading
    from recording_storage.verify.s3_things import Role

EXTERNAL_ID = "sts:ExternalId"
STRANGERS = ("999988887777", "999988887776", "999988887775")
LETS_IN = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
"""Other actions in a trust policy, as sts:TagSession, let nobody in by themselves."""
NAMED = re.compile(
    r"arn:aws[a-z-]*:(iam|sts)::(?P<account>\d{12}):(?P<kind>root|user|role|assumed-role)(?P<rest>/.*)?"
)
DELETED = re.compile(r"A(ID|RO)A")
"""How what a deleted user or role leaves behind in a policy begins; nobody can be it again."""
ANOTHERS_ID = "somebody-elses-id"


def sessions_are_long_enough(reading: Reading) -> Finding:
    """S1."""
    role, wanted = reading.role.result(), reading.target.known.s3_trust.session_seconds
    if role.max_session_seconds >= wanted:
        return passed(f"MaxSessionDuration of {role.name} is {role.max_session_seconds} s")
    return failed(
        f"MaxSessionDuration of {role.name} is {role.max_session_seconds} s; the service asks for {wanted} s",
        f"aws iam update-role --role-name {role.name} --max-session-duration {wanted}",
    )


def service_is_let_in(reading: Reading) -> Finding:
    """S2."""
    role, account = reading.role.result(), reading.target.known.s3_trust.account
    call = f"account {account} with external id {reading.external_id}"
    answer = _ask(reading, role, unnamed(account))
    named = {one.arn: (one, _ask(reading, role, one)) for one in _own_principals(role.trust, account)}
    if answer.allowed:
        kept_out = [who for who, (_, one) in named.items() if one.allowed is not True]
        if kept_out:
            raise _unpublished(f"{', '.join(kept_out)} is kept out", account)
        return passed(f"{call} is let in by the trust policy")
    let_in = [one.role_arn or one.arn for one, its in named.values() if its.allowed]
    if let_in:
        raise _unpublished(f"of account {account} only {', '.join(let_in)} gets in", account)
    if answer.allowed is None or _pins_the_caller(role.trust, account):
        raise CouldNotTell(
            f"{call}: {answer.why}", "drop the condition that hangs on what the service doesn't publish"
        )
    return failed(f"{call} is refused: {answer.why}", _rewrite(reading, role))


def nobody_else_is_let_in(reading: Reading) -> Finding:
    """S9."""
    role = reading.role.result()
    allowing = [one for one in role.trust.statements if one.allow and _lets_in(one)]
    others = [
        f"{text} ({kind})"
        for one in allowing
        for kind, text in one.principals or ()
        if kind != "AWS" or not (text == "*" or DELETED.match(text) or _principal(text))
    ]
    doubts: list[str] = []
    for who, id_, organisation in _strange_calls(reading, role, allowing):
        answer = trust_answer(assuming(who, role.arn, id_, organisation=organisation), role.trust)
        if answer.allowed is False:
            continue
        words = f"{_words(who)} {f'with external id {id_}' if id_ is not None else 'without an external id'}"
        if answer.allowed:
            others.append(words)
        else:
            doubts.append(f"{words}: {answer.why}")
    if others:
        shown = list(dict.fromkeys(others))
        more = f" · {len(shown) - 4} more" if len(shown) > 4 else ""
        return failed(f"gets in: {' · '.join(shown[:4])}{more}", _rewrite(reading, role))
    if doubts:
        raise CouldNotTell(
            f"whether somebody else gets in isn't known: {doubts[0]}",
            "trust the service's account alone, with its external id under StringEquals",
        )
    return passed(
        "refused: strangers with the right external id, and the service's account with another one, in another case"
        " and without"
    )


def _ask(reading: Reading, role: Role, who: Principal) -> Answer:
    return trust_answer(assuming(who, role.arn, reading.external_id), role.trust)


def _unpublished(what: str, account: str) -> CouldNotTell:
    return CouldNotTell(
        f"{what}, and which of its roles the service uses isn't published",
        f"name the account: arn:aws:iam::{account}:root",
    )


def _own_principals(trust: Document, account: str) -> list[Principal]:
    """The users and roles of the service's account that a trust policy names."""
    found = {
        who.arn: who
        for one in trust.statements
        for kind, text in one.principals or ()
        if kind == "AWS" and (who := _principal(text)) and who.account == account and not _is_whole(text)
    }
    return list(found.values())


def _pins_the_caller(trust: Document, account: str) -> bool:
    """Whether a condition names users or roles of the service's account, which ours isn't one of."""
    return any(
        f"::{account}:" in value and not Pattern.plain(value).matches(unnamed(account).role_arn or "")
        for _, value in conditions_on(trust.statements, "aws:PrincipalArn")
    )


def _lets_in(statement: Statement) -> bool:
    return any(
        any(Pattern.plain(a.lower()).matches(action.lower()) for a in statement.actions)
        != statement.not_actions
        for action in LETS_IN
    )


def _is_whole(text: str) -> bool:
    return text.isdigit() or text.endswith(":root") or text == "*"


def _principal(text: str) -> Principal | None:
    """Somebody whom a principal element covers; None for what a deleted one leaves behind, for `*` and other forms."""
    if text.isdigit():
        return unnamed(text)
    found = NAMED.fullmatch(text)
    if found is None:
        return None
    account, kind, rest = found["account"], found["kind"], found["rest"] or ""
    if kind == "root":
        return unnamed(account)
    if kind == "role":
        return session(text)
    if kind == "assumed-role":
        return Principal(account, text, f"arn:aws:iam::{account}:role/{rest.split('/')[1]}")
    return Principal(account, text)


def _strange_calls(
    reading: Reading, role: Role, allowing: list[Statement]
) -> Iterator[tuple[Principal, str | None, str]]:
    """Calls that must be refused: who, with which external id, of which organisation."""
    known, account = reading.target.known, reading.target.known.s3_trust.account
    own = {reading.external_id, *known.external_ids}
    written = [value for _, value in conditions_on(role.trust.statements, EXTERNAL_ID)]
    plain = [value for value in written if not re.search(r"[*?$]", value)]
    matched = [re.sub(r"\*", "anything", value).replace("?", "x") for value in written if value not in plain]
    tried = [
        None,
        reading.external_id.swapcase(),
        ANOTHERS_ID,
        f"{reading.external_id}{ANOTHERS_ID}",
        *plain,
        *matched,
    ]
    strange = [one for one in dict.fromkeys(tried) if one not in own]
    listed = [text for one in allowing for kind, text in one.principals or () if kind == "AWS"]
    # Who is named and known may present what is accepted; whether it must is for its own account to say.
    named = {
        who.arn: who for text in listed if not _is_known(text, known.principals) and (who := _principal(text))
    }
    service = {unnamed(account).arn: unnamed(account)} | {
        arn: who for arn, who in named.items() if who.account == account
    }
    for who in service.values():
        for id_ in strange:
            yield who, id_, NO_ORGANISATION_OF_YOURS
    stranger = unnamed(next(one for one in STRANGERS if not any(one in text for text in listed)))
    organisations = [
        re.sub(r"[*?]", "0", value)
        for key in ("aws:PrincipalOrgID", "aws:PrincipalOrgPaths")
        for _, value in conditions_on(role.trust.statements, key)
    ]
    for who in (stranger, *(one for arn, one in named.items() if arn not in service)):
        for organisation in (NO_ORGANISATION_OF_YOURS, *(one.split("/")[0] for one in organisations)):
            for id_ in (*own, *strange):
                yield who, id_, organisation


def _is_known(text: str, principals: tuple[str, ...]) -> bool:
    """Whether a principal is one that is accepted on purpose, an account by its number or by its root's ARN."""
    account = re.fullmatch(r"arn:aws[a-z-]*:iam::(\d{12}):root", text)
    return (
        text in principals
        or bool(account and account[1] in principals)
        or (text.isdigit() and f"arn:aws:iam::{text}:root" in principals)
    )


def _words(who: Principal) -> str:
    named = who.role_arn or who.arn
    if who.account in STRANGERS and named.endswith(UNNAMED):
        return "any account"
    return f"account {who.account}" if named.endswith(UNNAMED) else named


def _rewrite(reading: Reading, role: Role) -> str:
    known = reading.target.known
    ids = list(dict.fromkeys([reading.external_id, *known.external_ids]))
    said = json.dumps(s3_trust_policy(known.s3_trust, ids, known.principals))
    return f"aws iam update-assume-role-policy --role-name {role.name} --policy-document '{said}'"
