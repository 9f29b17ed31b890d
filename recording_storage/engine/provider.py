"""A Pulumi provider plugin for the sandbox: the real Pulumi CLI runs a program against the stand-in clouds.

`python -m recording_storage.engine.provider aws` serves Pulumi's provider protocol from the same table of resources as
the run without the CLI (`program`), and prints its port, as plugins do. So preview, update, refresh and destroy are the
real engine's: its diff, its order, its state. Inputs are checked as the provider's Python SDK publishes them
(`resources.schema`).

Left out: the schema itself for whoever asks for it, the arguments of functions, names that the real provider
would invent, and timeouts.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent import futures
from contextlib import suppress
from importlib import metadata
from typing import TYPE_CHECKING, Any, cast

import grpc
from google.protobuf import json_format
from google.protobuf.any_pb2 import Any as Any_
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2
from typing_extensions import override

from components import adoption
from recording_storage import resources
from recording_storage.resources import imports
from recording_storage.wire import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from recording_storage.resources import Properties


def same(one: object, other: object) -> bool:
    """Whether two values of a property mean the same; nothing is the same as what is unknown yet."""
    return rpc.UNKNOWN not in json.dumps([one, other]) and adoption.same(one, other)


class _UnfinishedError(Exception):
    """A resource is there, and isn't as it was asked for: the engine keeps it, and sets it right the next time."""

    def __init__(self, id_: str, state: Properties, why: Exception) -> None:
        super().__init__(str(why))
        detail = Any_()
        detail.Pack(
            provider_pb2.ErrorResourceInitFailed(id=id_, properties=_struct(state), reasons=[str(why)])
        )
        self.status = status_pb2.Status(
            code=grpc.StatusCode.UNKNOWN.value[0], message=str(why), details=[detail]
        )


class _Told(grpc.ServerInterceptor):  # pyright: ignore[reportMissingTypeArgument]
    """Turns whatever goes wrong into a gRPC error: the CLI prints its message under the resource's name."""

    @override
    def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any] | None:
        handler = cast("Any", continuation(handler_call_details))

        def told(request: object, context: grpc.ServicerContext) -> object:
            try:
                return handler.unary_unary(request, context)
            except NotImplementedError as error:
                context.abort(grpc.StatusCode.UNIMPLEMENTED, str(error))
            except _UnfinishedError as error:
                context.set_trailing_metadata(
                    (("grpc-status-details-bin", error.status.SerializeToString()),)
                )
                context.abort(grpc.StatusCode.UNKNOWN, str(error))
            except Exception as error:
                context.abort(grpc.StatusCode.UNKNOWN, str(error) or type(error).__name__)

        if handler is None:
            return None
        return cast("Any", grpc).unary_unary_rpc_method_handler(
            told, handler.request_deserializer, handler.response_serializer
        )


def _plain(properties: Struct) -> Properties:
    return plain(json_format.MessageToDict(properties))


def _struct(properties: Mapping[str, object]) -> Struct:
    message = Struct()
    message.update({name: cast("Any", value) for name, value in properties.items()})
    return message


def _changed(old: Properties, new: Properties) -> set[str]:
    return {name for name in old.keys() | new.keys() if not same(old.get(name), new.get(name))}


def _difference(
    changed: set[str], replacing: Collection[str] = (), *, delete_first: bool = False
) -> provider_pb2.DiffResponse:
    """Answer a diff: the changed inputs, those that make a new resource, and in which order."""
    kinds = provider_pb2.PropertyDiff
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=sorted(changed),
        replaces=sorted(replacing),
        deleteBeforeReplace=bool(replacing) and delete_first,
        hasDetailedDiff=True,
        detailedDiff={
            name: kinds(kind=kinds.UPDATE_REPLACE if name in replacing else kinds.UPDATE, inputDiff=True)
            for name in changed
        },
    )


def _refused(error: resources.InputsError) -> provider_pb2.CheckResponse:
    """Answer a check with every fault; the reason has the path, since the CLI prints the value of what it is told."""
    failures = [provider_pb2.CheckFailure(reason=str(fault)) for fault in error.faults]
    return provider_pb2.CheckResponse(failures=failures)


class Plugin(provider_pb2_grpc.ResourceProviderServicer):
    """One package's provider: each of the engine's calls, answered from the table of resources."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._provider = resources.provider(package)
        self._clients: Any = None

    @override
    def Handshake(
        self, request: provider_pb2.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ProviderHandshakeResponse:
        return (
            provider_pb2.ProviderHandshakeResponse()
        )  # nothing special: secrets and outputs come as plain values

    @override
    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=metadata.version(f"pulumi-{self._package}"))

    @override
    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        try:
            resources.check_config(self._package, _plain(request.news))
        except resources.InputsError as error:
            return _refused(error)
        return provider_pb2.CheckResponse(inputs=request.news)

    @override
    def DiffConfig(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        return _difference(_changed(_plain(request.old_inputs), _plain(request.news)))

    @override
    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        self._clients = self._provider.configure(_plain(request.args))
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    @override
    def Invoke(
        self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext
    ) -> provider_pb2.InvokeResponse:
        found = self._provider.invoke(self._clients, request.tok, _plain(request.args))
        return cast("Any", provider_pb2.InvokeResponse)(**{"return": _struct(found)})

    @override
    def Check(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        try:
            resources.check(self._provider, request.type, _plain(request.news))
        except resources.InputsError as error:
            return _refused(error)
        except resources.UnsupportedError as error:
            failure = provider_pb2.CheckFailure(property=error.property_name, reason=str(error))
            return provider_pb2.CheckResponse(failures=[failure])
        return provider_pb2.CheckResponse(inputs=request.news)

    @override
    def Diff(
        self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext
    ) -> provider_pb2.DiffResponse:
        kind, old, new = self._provider.types[request.type], _plain(request.old_inputs), _plain(request.news)
        changed = _changed(kind.settled(old, old), kind.settled(new, old))
        delete_first = any(name in new and name not in changed for name in kind.names)
        return _difference(changed, changed & kind.replace_on, delete_first=delete_first)

    @override
    def Create(
        self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CreateResponse:
        kind, inputs = self._provider.types[request.type], _plain(request.properties)
        if request.preview:  # what isn't an input is unknown then
            known = {name: value for name, value in inputs.items() if name not in kind.reshaped}
            return provider_pb2.CreateResponse(properties=_struct(known))
        try:
            id_, state = kind.create(self._clients, inputs)
        except resources.UnfinishedError as error:
            found = kind.read(self._clients, error.id, inputs) or inputs
            raise _UnfinishedError(error.id, found, error) from error
        return provider_pb2.CreateResponse(id=id_, properties=_struct(state))

    @override
    def Read(
        self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ReadResponse:
        kind = self._provider.types[request.type]
        state, inputs = _plain(request.properties), _plain(request.inputs)
        if state:
            id_, found = request.id, kind.read(self._clients, request.id, state)
        else:  # an import
            id_, found = imports.find(kind, self._clients, request.id) or (request.id, None)
        if found is None:
            return provider_pb2.ReadResponse()
        # A value keeps its spelling while it means the same: another one isn't drift.
        now = {
            name: state[name] if name in state and same(state[name], v) else v for name, v in found.items()
        }
        meant, settled = kind.settled(inputs, inputs), kind.settled(now, now)
        given = {
            name: inputs[name] if name in inputs and same(meant[name], settled[name]) else now[name]
            for name in sorted(kind.properties & now.keys())
            if name in inputs or name not in state or now[name] != state[name]
        }
        return provider_pb2.ReadResponse(id=id_, properties=_struct(now), inputs=_struct(given))

    @override
    def Update(
        self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext
    ) -> provider_pb2.UpdateResponse:
        state, inputs = _plain(request.olds), _plain(request.news)
        if (
            request.preview
        ):  # ARNs and the like outlive an update, so what hangs on them isn't shown as changing
            return provider_pb2.UpdateResponse(properties=_struct(state | inputs))
        changed = self._provider.types[request.type].update(self._clients, request.id, state, inputs)
        return provider_pb2.UpdateResponse(properties=_struct(changed))

    @override
    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> Empty:
        self._provider.types[request.type].delete(self._clients, request.id, _plain(request.properties))
        return Empty()

    @override
    def Cancel(self, request: Empty, context: grpc.ServicerContext) -> Empty:
        return Empty()  # calls are short: each is let finish


def main() -> None:
    """Serve one package until the CLI ends."""
    parent = os.getppid()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), interceptors=[_Told()])
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Plugin(sys.argv[1]), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    with suppress(KeyboardInterrupt):
        while os.getppid() == parent and server.wait_for_termination(timeout=1):
            pass


if __name__ == "__main__":
    main()
