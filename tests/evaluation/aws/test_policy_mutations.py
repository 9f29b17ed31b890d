"""Each mutation breaks the evaluator in one way; the documented cases must notice."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from documented import differences
from policy_case import AS_WRITTEN, Evaluator

from recording_storage.evaluation.aws import conditions, document, policy

MODULES = (policy, document, conditions)
SOURCES = {module.__name__: Path(str(module.__file__)).read_text() for module in MODULES}
POLICY, DOCUMENT, CONDITIONS = (module.__name__ for module in MODULES)


@dataclass(frozen=True)
class Mutation:
    name: str
    old: str
    new: str
    where: str = POLICY


MUTATIONS = [
    # Combining policies
    Mutation("explicit deny ignored", "            if finding.truth:\n", "            if False:\n"),
    Mutation(
        "explicit deny of the boundary ignored",
        "readings = [identity, *limits, *levels, resource]",
        "readings = [identity, *limits[1:], *levels, resource]",
    ),
    Mutation(
        "explicit deny of the resource ignored",
        "readings = [identity, *limits, *levels, resource]",
        "readings = [identity, *limits, *levels]",
    ),
    Mutation(
        "explicit deny of the organisation ignored",
        "readings = [identity, *limits, *levels, resource]",
        "readings = [identity, *limits, resource]",
    ),
    Mutation(
        "organisation ignored",
        "granted = all_of([granted, *(level.allowed() for level in levels)])",
        "granted = all_of([granted])",
    ),
    Mutation(
        "organisation gives",
        "granted = all_of([granted, *(level.allowed() for level in levels)])",
        "granted = any_of([granted, *(level.allowed() for level in levels)])",
    ),
    Mutation(
        "one level of an organisation is enough",
        "granted = all_of([granted, *(level.allowed() for level in levels)])",
        "granted = all_of([granted, any_of(level.allowed() for level in levels) or not levels])",
    ),
    Mutation(
        "any provider will do",
        'True if kind == "Federated" and text == who.provider_arn else everybody',
        'True if kind == "Federated" else everybody',
    ),
    Mutation(
        "everybody includes who comes with a token",
        'everybody = None if (kind, text) == ("AWS", "*") else False',
        'everybody = (kind, text) == ("AWS", "*")',
    ),
    Mutation("boundary ignored", "if policies.boundary else []", "if False else []"),
    Mutation("session ignored", "if policies.session is not None else []", "if False else []"),
    Mutation(
        "limits grant by themselves",
        "own = all_of([identity.allowed(), within])",
        "own = any_of([identity.allowed(), all_of([within, bool(limits)])])",
    ),
    Mutation(
        "one limit is enough",
        "within = all_of(limit.allowed() for limit in limits)",
        "within = any_of(limit.allowed() for limit in limits) or not limits",
    ),
    Mutation(
        "identity side of another account ignored",
        "granted = all_of([own, resource.allowed()])",
        "granted = resource.allowed()",
    ),
    Mutation(
        "resource side of another account ignored",
        "granted = all_of([own, resource.allowed()])",
        "granted = own",
    ),
    Mutation(
        "either account is enough",
        "granted = all_of([own, resource.allowed()])",
        "granted = any_of([own, resource.allowed()])",
    ),
    Mutation(
        "every request is of one account", "elif who.account != request.resource_account:", "elif False:"
    ),
    Mutation(
        "identity and resource policy both needed", "granted = any_of([direct,", "granted = all_of([direct,"
    ),
    Mutation(
        "account principal grants",
        "direct = resource.allowed(_Grade.DIRECT)",
        "direct = resource.allowed(_Grade.DIRECT, _Grade.ACCOUNT)",
    ),
    Mutation(
        "role principal is not limited",
        "direct = resource.allowed(_Grade.DIRECT)",
        "direct = resource.allowed(_Grade.DIRECT, _Grade.ROLE)",
    ),
    Mutation("role principal grants nothing", "all_of([resource.allowed(_Grade.ROLE), within])", "False"),
    Mutation("trust policy need not allow", 'frozenset({"trust", "key"})', 'frozenset({"key"})'),
    Mutation("key policy need not allow", 'frozenset({"trust", "key"})', 'frozenset({"trust"})'),
    Mutation(
        "trusted account needs no identity",
        "all_of([own, resource.allowed(_Grade.ACCOUNT)]) if",
        "resource.allowed(_Grade.ACCOUNT) if",
    ),
    Mutation("grants ignored", "*(grant.truth for grant in grants)", ""),
    Mutation(
        "a grant must cover it beside policies",
        "granted = any_of([granted, *(",
        "granted = all_of([granted, *(",
    ),
    Mutation("limits of grants ignored", "grant if beside or not grant.truth else", "grant if True else"),
    Mutation(
        "unknown grants grant",
        "grant.truth for grant in grants",
        "grant.truth is not False for grant in grants",
    ),
    Mutation("unknown context ignored", 'u.endswith(("/", ":"))', 'u.endswith("/")', CONDITIONS),
    Mutation(
        "anonymous judged like an account",
        "    if not who.account:\n        granted = direct\n    elif",
        "    if",
    ),
    Mutation(
        "unknown deny passes",
        "if granted is None or any(f.truth is None for r in readings for f in r.denies):",
        "if granted is None:",
    ),
    Mutation(
        "unknown deny always decides",
        "    if granted is False:",
        "    if granted is False and not any(f.truth is None for r in readings for f in r.denies):",
    ),
    Mutation("unknown grant is a denial", "    if granted is False:", "    if not granted:"),
    Mutation("root users covered", "if who.arn and not _CALLER.fullmatch(who.arn):", "if False:"),
    # Principals
    Mutation("principal not compared", "        (named, f", "        (True, f"),
    Mutation("session named as its role", "return True, _Grade.ROLE", "return True, _Grade.DIRECT"),
    Mutation(
        "session ARN is limited as the role",
        'text in ("*", who.arn):\n        return True, _Grade.DIRECT',
        'text in ("*", who.arn):\n        return True, _Grade.ROLE',
    ),
    Mutation("role ARN not matched", "text == who.role_arn:", "text == who.arn:"),
    Mutation("wildcard not matched", 'text in ("*", who.arn)', "text in (who.arn,)"),
    Mutation("bare account not matched", "return text == account or re.fullmatch", "return re.fullmatch"),
    Mutation("root ARN not matched", ":iam::{account}:root", ":iam::{account}:roots"),
    Mutation(
        "canonical user is nobody",
        "return (None if who.account else False), _Grade.ACCOUNT",
        "return False, _Grade.ACCOUNT",
    ),
    Mutation("weakest naming counts", "return sought, max(grades)", "return sought, min(grades)"),
    Mutation("NotPrincipal as Principal", "    if statement.not_principals:\n", "    if False:\n"),
    Mutation("NotPrincipal with a boundary spares", "    if bounded:\n", "    if False:\n"),
    Mutation(
        "NotPrincipal needs no account",
        "if all(own) and own and any(_is_account(text, who.account) for text in texts):",
        "if all(own) and own:",
    ),
    Mutation("NotPrincipal needs only one name", "if all(own) and own and any(", "if any(own) and any("),
    Mutation("NotPrincipal never in doubt", "return None if any(own) else True", "return True"),
    # Actions and resources
    Mutation("actions mind case", "wanted = request.action.lower()", "wanted = request.action"),
    Mutation("NotAction as Action", "!= statement.not_actions", "!= False"),
    Mutation("NotResource as Resource", "negate(covered) if statement.not_resources else covered", "covered"),
    Mutation(
        "resource not compared",
        "    covered = any_of(covers(text) for text in statement.resources)",
        "    covered = True",
    ),
    Mutation(
        "resources ignore case",
        "    return re.fullmatch(source, arn, re.DOTALL)",
        "    return re.fullmatch(source, arn, re.DOTALL | re.I)",
    ),
    Mutation(
        "resource as a prefix",
        "    return re.fullmatch(source, arn, re.DOTALL)",
        "    return re.match(source, arn, re.DOTALL)",
    ),
    Mutation(
        "wildcards cross segments",
        'anything = "." if colons >= 5 or (character == "*" and ends) else "[^:]"',
        'anything = "."',
    ),
    Mutation("last star keeps to its segment", '(character == "*" and ends)', "False"),
    Mutation(
        "variables in old versions",
        "return Document(kind, version == _VERSIONS[1], statements)",
        "return Document(kind, True, statements)",
        DOCUMENT,
    ),
    Mutation("variable anywhere in an ARN", """if "${" in ":".join(text.split(":")[:5]):""", "if False:"),
    # Reading policies
    Mutation("Action beside NotAction passes", "!= 1:\n", "< 1:\n", DOCUMENT),
    Mutation(
        "trust policies need no principal",
        '"trust": _Shape((("Effect",), _PRINCIPAL, _ACTION)',
        '"trust": _Shape((("Effect",), _ACTION)',
        DOCUMENT,
    ),
    Mutation(
        "identity policies may have an Id",
        'frozenset({*_PRINCIPAL, "Id"})',
        "frozenset(_PRINCIPAL)",
        DOCUMENT,
    ),
    Mutation("prohibited elements pass", "if name in prohibited:", "if False:", DOCUMENT),
    Mutation("unknown elements pass", "if name not in known:", "if False:", DOCUMENT),
    Mutation("any version passes", "if version not in _VERSIONS:", "if False:", DOCUMENT),
    Mutation("Effect not checked", """if found["Effect"] not in ("Allow", "Deny"):""", "if False:", DOCUMENT),
    Mutation("NotPrincipal may allow", """if allow and "NotPrincipal" in found:""", "if False:", DOCUMENT),
    Mutation(
        "principals not checked",
        "if kind not in _PRINCIPAL_TYPES or not _PRINCIPAL_TYPES[kind].fullmatch(text):",
        "if False:",
        DOCUMENT,
    ),
    Mutation("elements may be repeated", "if names.count(name) > 1:", "if False:", DOCUMENT),
    Mutation("trust policies may allow anything", 'if kind == "trust" and not', "if False and not", DOCUMENT),
    Mutation("Sids may be repeated", "len(set(sids)) < len(sids)", "False", DOCUMENT),
    # Public policies
    Mutation("wildcard values are fixed", r"""re.search(r"[*?]|\$\{", value)""", "False"),
    Mutation("variables are fixed", r"[*?]|\$\{", "[*?]"),
    Mutation(
        "broad networks are fixed", "return network.prefixlen >= _NARROWEST[network.version]", "return True"
    ),
    Mutation("any operator holds", "or not _FIXING_OPERATORS.fullmatch(condition.written)", ""),
    Mutation("any key holds", "key not in _FIXING_KEYS or", "False or"),
    Mutation("one fixed value is enough", "return all(_fixed(key, value)", "return any(_fixed(key, value)"),
    Mutation(
        "every statement must be public",
        """    return any(\n        ("AWS", "*")""",
        """    return all(\n        ("AWS", "*")""",
    ),
    Mutation("a Deny makes public", "        if statement.allow\n", ""),
    # Conditions
    Mutation(
        "strings ignore case",
        "return want.text == have\n",
        "return want.text.lower() == have.lower()\n",
        CONDITIONS,
    ),
    Mutation(
        "IgnoreCase minds case", "want.text.casefold() == have.casefold()", "want.text == have", CONDITIONS
    ),
    Mutation(
        "wildcards in StringEquals", "return want.text == have\n", "return want.matches(have)\n", CONDITIONS
    ),
    Mutation(
        "no wildcards in StringLike",
        "    return want.matches(have)\n\n\ndef _arn_like",
        "    return want.text == have\n\n\ndef _arn_like",
        CONDITIONS,
    ),
    Mutation(
        "dots are wildcards",
        "re.escape(c) if fixed or c not in wild",
        "c if fixed or c not in wild",
        CONDITIONS,
    ),
    Mutation(
        "absent key passes",
        "            return self.operator.negated\n",
        "            return True\n",
        CONDITIONS,
    ),
    Mutation(
        "absent key fails under negation",
        "            return self.operator.negated\n",
        "            return False\n",
        CONDITIONS,
    ),
    Mutation("IfExists ignored", "if not have and self.if_exists:", "if False:", CONDITIONS),
    Mutation(
        "IfExists passes what exists", "if not have and self.if_exists:", "if self.if_exists:", CONDITIONS
    ),
    Mutation(
        "ForAllValues fails on nothing",
        """return self.quantifier == "ForAllValues"\n""",
        "return False\n",
        CONDITIONS,
    ),
    Mutation(
        "ForAnyValue passes on nothing",
        """return self.quantifier == "ForAllValues"\n""",
        "return True\n",
        CONDITIONS,
    ),
    Mutation(
        "set operators swapped",
        """(all_of if self.quantifier == "ForAllValues" else any_of)""",
        """(any_of if self.quantifier == "ForAllValues" else all_of)""",
        CONDITIONS,
    ),
    Mutation(
        "several values need no set operator",
        "return results[0] if len(results) == 1 else None",
        "return any_of(results)",
        CONDITIONS,
    ),
    Mutation(
        "negation ignored",
        "return negate(matched) if self.operator.negated else matched",
        "return matched",
        CONDITIONS,
    ),
    Mutation(
        "all values must match",
        "matched = any_of(matches(text) for text in self.values)",
        "matched = all_of(matches(text) for text in self.values)",
        CONDITIONS,
    ),
    Mutation(
        "conditions are alternatives",
        "met = all_of(truth for _, truth in results)",
        "met = any_of(truth for _, truth in results) or not results",
    ),
    Mutation(
        "Null reversed",
        'absent = "false" if have else "true"',
        'absent = "true" if have else "false"',
        CONDITIONS,
    ),
    Mutation("unknown keys are absent", "return None if hidden else ()", "return ()", CONDITIONS),
    Mutation(
        "unknown prefixes ignored", '(u.endswith(("/", ":")) and name.startswith(u))', "False", CONDITIONS
    ),
    Mutation("key names mind case", "        name = key.lower()\n", "        name = key\n", CONDITIONS),
    Mutation(
        "null variable is empty text",
        "        if value is None:\n            return False\n",
        '        value = value or ""\n',
        CONDITIONS,
    ),
    Mutation(
        "default ignored",
        "value = values[0] if values else default",
        "value = values[0] if values else None",
        CONDITIONS,
    ),
    Mutation(
        "default always used",
        "value = values[0] if values else default",
        "value = default or (values[0] if values else None)",
        CONDITIONS,
    ),
    Mutation(
        "escapes are wildcards",
        "characters.append((variable[1], True))",
        "characters.append((variable[1], False))",
        CONDITIONS,
    ),
    Mutation(
        "ARN as plain text", """want.parts(6), have.split(":", 5)""", """[want] * 6, [have] * 6""", CONDITIONS
    ),
    Mutation("less is not less", '"LessThan": operator.lt', '"LessThan": operator.le', CONDITIONS),
    Mutation(
        "greater is not greater", '"GreaterThan": operator.gt', '"GreaterThan": operator.ge', CONDITIONS
    ),
    Mutation("sides of a comparison swapped", "relation(left, right)", "relation(right, left)", CONDITIONS),
    Mutation("time zones ignored", """if zone and zone != "Z":""", "if False:", CONDITIONS),
    Mutation(
        "addresses outside a network",
        "return address in network",
        "return address not in network",
        CONDITIONS,
    ),
    Mutation(
        "NotIpAddress as IpAddress",
        "Operator(_in_network, negated=True)",
        "Operator(_in_network)",
        CONDITIONS,
    ),
    Mutation(
        "unreadable values differ",
        "return None if left is None or right is None else relation",
        "return False if left is None or right is None else relation",
        CONDITIONS,
    ),
    Mutation(
        "unknown operators pass",
        'raise MalformedPolicy(f"Invalid Condition type : {written}")',
        'known = OPERATORS["StringEquals"]',
        CONDITIONS,
    ),
    Mutation(
        "unknown loses to true",
        "    return None if None in seen else True\n",
        "    return True\n",
        CONDITIONS,
    ),
    Mutation(
        "unknown wins over false",
        "    if False in seen:\n        return False\n    return None",
        "    return None",
        CONDITIONS,
    ),
]


def load(name: str, source: str) -> ModuleType:
    module = ModuleType(name)
    # Data classes look up their module by name.
    sys.modules[name] = module
    exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102
    return module


def evaluator(mutation: Mutation) -> Evaluator:
    sources = dict(SOURCES)
    assert sources[mutation.where].count(mutation.old) == 1, "the text to replace must occur exactly once"
    sources[mutation.where] = sources[mutation.where].replace(mutation.old, mutation.new)
    operators = load("mutated_conditions", sources[CONDITIONS])
    reader = load("mutated_document", sources[DOCUMENT].replace(CONDITIONS, operators.__name__))
    decider = load("mutated_policy", sources[POLICY].replace(CONDITIONS, operators.__name__))
    return Evaluator(decider, reader, operators)


def test_nothing_differs_without_a_mutation() -> None:
    assert list(differences(AS_WRITTEN)) == []
    assert list(differences(evaluator(Mutation("none", "def decide(", "def decide(")))) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_documented_cases_notice(mutation: Mutation) -> None:
    assert next(differences(evaluator(mutation)), None)
