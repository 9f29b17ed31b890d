"""The policy pack as Pulumi runs it: a policy for each rule, and three for the pack itself.

All rules look at the stack as a whole, since what a bucket is for stands elsewhere in it. The engine shows the pack
each resource as it is registered (`recordings` notes what was asked for), and in the end the whole stack. What a rule
can't tell in a preview it says with Pulumi's own `UnknownValueError`, which is an advisory whatever the rule's level.
"""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyPack,
    ResourceValidationPolicy,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

from policy import rules_aws_bucket, rules_aws_role, rules_azure, rules_belonging, rules_gcp, rules_storage
from policy.belonging import View
from policy.exceptions import remaining, unused
from policy.resources import Book
from policy.rules import NotJudged, all_findings, findings
from policy.settings import RECORDINGS, SCHEMA, Settings, read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulumi_policy import ReportViolation, ResourceValidationArgs, StackValidationArgs

    from policy.rules import Rule

NAME: Final = "recording-storage"
CONFIGURATION: Final = "p3-configuration"
UNUSED: Final = "p4-exceptions-in-use"
RULES: Final = (
    *rules_aws_role.RULES,
    *rules_aws_bucket.RULES,
    *rules_gcp.RULES,
    *rules_azure.RULES,
    *rules_storage.RULES,
    *rules_belonging.RULES,
)
PAGE: Final = "docs/policy.md"


class NotTold(UnknownValueError):  # noqa: N818 - named as what is the matter
    """What a rule can't tell: Pulumi prints the message behind the name of the policy that can't run."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(UNKNOWN_STRING_VALUE, [])
        self.message = f"{'; '.join(texts)}; `recording-storage verify` looks after the up"


class Pack:
    """The policies, and what they have in common while the engine deploys one stack."""

    def __init__(self, rules: Sequence[Rule] = RULES, today: Callable[[], date] | None = None) -> None:
        self._rules = rules
        self._today = today or (lambda: datetime.now(timezone.utc).date())
        self._book = Book()
        self._given: Mapping[str, Any] = {}
        self._seen: tuple[object, View] | None = None

    def policies(self) -> list[Policy]:
        """All of them, in the order in which they are run."""
        return [
            ResourceValidationPolicy(
                RECORDINGS,
                "Which resources the rules are about, what is trusted, and what is excepted: settings, and no rule",
                self._note,
                EnforcementLevel.ADVISORY,
                PolicyConfigSchema(SCHEMA),
            ),
            *(self._policy(rule) for rule in self._rules),
            StackValidationPolicy(
                CONFIGURATION,
                "P3: the pack's configuration is sound, and no exception in it has expired or lacks a reason",
                self._judge_configuration,
                EnforcementLevel.MANDATORY,
            ),
            StackValidationPolicy(
                UNUSED,
                "P4: every exception covers something",
                self._judge_exceptions,
                EnforcementLevel.ADVISORY,
            ),
        ]

    def _note(self, args: ResourceValidationArgs, _: ReportViolation) -> None:
        self._given = args.get_config()
        self._book.note(args)

    def _settings(self) -> Settings:
        return read(self._given, [rule.id for rule in self._rules], self._today())

    def _view(self, args: StackValidationArgs) -> View:
        """The stack, put together for the first policy, and the same for all others."""
        now = (self._book.notes, tuple(one.urn for one in args.resources))
        if self._seen is None or self._seen[0] != now:
            self._seen = now, View(self._book.stack(args.resources), self._settings())
        return self._seen[1]

    def _policy(self, rule: Rule) -> Policy:
        def judge(args: StackValidationArgs, report: ReportViolation) -> None:
            view = self._view(args)
            try:
                found = remaining(findings(rule, view), view.settings.exceptions)
            except NotJudged as reason:
                raise NotTold([str(reason)]) from reason
            for one in found:
                if one.is_known:
                    report(one.text, one.resource.urn)
            untold = [one.text for one in found if not one.is_known]
            if untold:
                raise NotTold(untold)

        return StackValidationPolicy(
            rule.policy, f"{rule.id}: {rule.title}", judge, EnforcementLevel(rule.level), url=rule.source
        )

    def _judge_configuration(self, _: StackValidationArgs, report: ReportViolation) -> None:
        for fault in self._settings().faults:
            report(fault, None)

    def _judge_exceptions(self, args: StackValidationArgs, report: ReportViolation) -> None:
        view = self._view(args)
        if view.settings.exceptions:
            found = all_findings(self._rules, view)
            for text in unused(view.settings.exceptions, found, view.stack):
                report(text, None)


def serve() -> None:
    """Answer the engine, until it ends."""
    PolicyPack(
        NAME,
        Pack().policies(),
        description="Refuses at preview what would break or open a destination for recordings",
        readme=f"See {PAGE}.",
    )
