"""The policy pack, started as the Pulumi CLI starts it, and asked over the protocol that the engine speaks."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE
from typing_extensions import Self

from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.support.registrations import Registration

PACK = ROOT / "policy"
UNKNOWN = UNKNOWN_STRING_VALUE
"""How the engine writes what isn't known in a preview."""
URN = "urn:pulumi:acme::recording-storage::"


@dataclass(frozen=True)
class Asked:
    """A resource as a program asks for it. `outputs`: what it has beside its inputs once it is made."""

    type: str
    name: str
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reads: Mapping[str, Sequence[str]] = field(default_factory=dict[str, "Sequence[str]"])
    protect: bool = True
    parent: str = ""

    @property
    def urn(self) -> str:
        return f"{URN}{self.type}::{self.name}"


@dataclass(frozen=True)
class Said:
    """What a policy says of a resource."""

    policy: str
    level: str
    name: str
    message: str

    @property
    def rule(self) -> str:
        return self.policy.partition("-")[0].upper()

    @property
    def is_refused(self) -> bool:
        return self.level == "MANDATORY"


class Analyzer:
    """The pack in a process of its own, until the end of a `with` block."""

    def __enter__(self) -> Self:
        # As `pulumi-language-python` starts it: in its own folder, which comes last.
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(PACK)],
            cwd=PACK,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = cast("Any", analyzer_pb2_grpc.AnalyzerStub(self._channel))
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        self._process.terminate()
        self._process.wait()

    def info(self) -> Any:
        """What the pack says of itself."""
        return self.stub.GetAnalyzerInfo(Empty())

    def configure(self, config: Mapping[str, Any] | None = None) -> None:
        """Configure all policies as the engine does, which hands over every policy's level."""
        given = dict(config or {})
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        for policy in self.info().policies:
            request.policyConfig[policy.name].enforcementLevel = policy.enforcementLevel
        request.policyConfig["recordings"].properties.CopyFrom(_struct(given))
        self.stub.Configure(request)

    def judge(self, stack: Sequence[Asked], config: Mapping[str, Any] | None = None) -> list[Said]:
        """What the pack says of a stack: each resource is shown to it as it is registered, and then all of them."""
        self.configure(config)
        told = [diagnostic for one in stack for diagnostic in self._analyze(one)]
        urns = {one.name: one.urn for one in stack}
        request = analyzer_pb2.AnalyzeStackRequest(resources=[_in_stack(one, urns) for one in stack])
        told += self.stub.AnalyzeStack(request).diagnostics
        return [
            Said(
                one.policyName,
                analyzer_pb2.EnforcementLevel.Name(one.enforcementLevel),
                one.urn.rpartition("::")[2],
                one.message,
            )
            for one in told
        ]

    def _analyze(self, one: Asked) -> Iterable[Any]:
        request = analyzer_pb2.AnalyzeRequest(
            type=one.type,
            name=one.name,
            urn=one.urn,
            properties=_struct(one.inputs),
            options=analyzer_pb2.AnalyzerResourceOptions(protect=one.protect),
        )
        return self.stub.Analyze(request).diagnostics


def _in_stack(one: Asked, urns: Mapping[str, str]) -> analyzer_pb2.AnalyzerResource:
    parent = urns.get(one.parent, "")
    return analyzer_pb2.AnalyzerResource(
        type=one.type,
        name=one.name,
        urn=one.urn,
        properties=_struct({**one.inputs, **one.outputs}),
        options=analyzer_pb2.AnalyzerResourceOptions(protect=one.protect, parent=parent),
        parent=parent,
        propertyDependencies={
            path: analyzer_pb2.AnalyzerPropertyDependencies(
                urns=[urns[name] for name in made if name in urns]
            )
            for path, made in one.reads.items()
        },
    )


def _struct(properties: Mapping[str, Any]) -> Struct:
    message = Struct()
    message.update(dict(properties))
    return message


def registered(registrations: Iterable[Registration]) -> list[Asked]:
    """What a program registered, as the engine shows it to a pack."""
    return [
        Asked(
            type=one.type,
            name=one.name,
            inputs=_marked(one.inputs),
            reads=one.reads,
            protect=one.protect,
            parent=one.parent,
        )
        for one in registrations
    ]


def _marked(value: Any) -> Any:
    """With the engine's mark for what isn't known, in the place of the registrations' own."""
    if isinstance(value, dict):
        return {name: _marked(one) for name, one in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_marked(one) for one in cast("list[Any]", value)]
    return UNKNOWN if value == "<unknown>" else value
