"""Cases of keys: what their policies leave to whom, and what grants add."""

from __future__ import annotations

from typing import Any

from policy_case import (
    AWAY,
    BOUNDARY,
    GRANTS,
    HOME,
    KEY,
    KEY_POLICY,
    ROLE,
    ROLE_ARN,
    USER,
    Case,
    allow,
    deny,
    root,
)

CLOSED = [allow("kms:*", Principal={"AWS": root("999999999999")})]
DELEGATED = [allow("kms:*", Principal={"AWS": root(HOME)})]
NAMED = [allow("kms:*", Principal={"AWS": ROLE_ARN})]
MAY = [allow("kms:*")]
OTHERS = [allow("s3:*")]
FORWARDED = {"Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}}
ABOUT = {"Condition": {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::b"}}}


def key(name: str, expect: str, page: str = KEY_POLICY, **more: Any) -> Case:
    about: dict[str, Any] = {"action": "kms:Decrypt", "resource": KEY, "kind": "key", "attached": CLOSED}
    return Case(f"key: {name}", page, expect, **{**about, **more})


KEY_CASES = [
    key("the account needs an identity policy", "denied", attached=DELEGATED, says="leaves it to account"),
    key("another account needs both", "allowed", owner=AWAY, attached=DELEGATED, identity=MAY),
    key("another account needs its own side", "denied", owner=AWAY, attached=DELEGATED),
    key("another account needs the key's side", "denied", owner=AWAY, identity=MAY),
    key("a named role needs no identity policy", "allowed", who=ROLE, attached=NAMED),
    key("a boundary limits a named role", "denied", BOUNDARY, who=ROLE, attached=NAMED, boundary=OTHERS),
    key(
        "denied by the key",
        "explicit deny",
        attached=[*DELEGATED, deny("kms:*", Principal="*")],
        identity=MAY,
    ),
    key("not through the service", "denied", attached=[allow("kms:*", Principal="*", **FORWARDED)]),
    key(
        "through the service",
        "allowed",
        attached=[allow("kms:*", Principal="*", **FORWARDED)],
        context={"kms:ViaService": ["s3.eu-west-1.amazonaws.com"]},
    ),
    key(
        "encryption context that isn't known",
        "undecidable",
        attached=[allow("kms:*", Principal="*", **ABOUT)],
        unknown=frozenset({"kms:EncryptionContext:"}),
    ),
    # Grants
    key("a grant is enough", "allowed", GRANTS, grants=[True], says="grant 0"),
    key("a grant that doesn't cover it", "denied", GRANTS, grants=[False], says="why"),
    key("one grant is enough", "allowed", GRANTS, grants=[False, True], says="grant 1"),
    key("a grant that may cover it", "undecidable", GRANTS, grants=[None], says="why"),
    key(
        "what policies allow needs no grant",
        "allowed",
        GRANTS,
        attached=DELEGATED,
        identity=MAY,
        grants=[None],
    ),
    key("a denial wins over a grant", "explicit deny", GRANTS, identity=[deny("kms:*")], grants=[True]),
    key("a limit that is silent beside a grant", "undecidable", GRANTS, boundary=OTHERS, grants=[True]),
    key("a limit that allows it beside a grant", "allowed", GRANTS, boundary=MAY, grants=[True]),
    key("a grant for another account", "undecidable", GRANTS, who=USER, owner=AWAY, grants=[True]),
    key("a grant that another account allows", "allowed", GRANTS, owner=AWAY, identity=MAY, grants=[True]),
]
