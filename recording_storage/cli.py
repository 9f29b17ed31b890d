"""The `recording-storage` command: what is asked of it, and how it ends.

Exit codes: 0 done, 1 a check failed or could not be decided, 2 could not run. No traceback reaches a user.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recording_storage import defects
from recording_storage.ci import commands as ci

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from recording_storage.results import Document
    from recording_storage.verify.targets import Target

DONE, CHECK_FAILED, COULD_NOT_RUN, INTERRUPTED = 0, 1, 2, 130
DEFAULT_STACK = "local"

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Customer-owned storage for recordings: prove the trust before, during and after `pulumi up`.",
    epilog="Exit codes: 0 done · 1 a check failed or could not be decided · 2 could not run.",
)
app.add_typer(ci.app, name="ci")


class Format(str, Enum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"


class VerifyFormat(str, Enum):
    """How checks of live destinations are written."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


class RenderFormat(str, Enum):
    """What destinations are rendered as: the names in `recording_storage.render.FORMATS`."""

    JSON = "json"
    CONVERSATION = "conversation"
    CURL = "curl"
    LEGACY = "legacy"
    ENV = "env"
    GITHUB_ENV = "github-env"
    CONFIGMAP = "configmap"
    TFVARS = "tfvars"
    ESC = "esc"


class Engine(str, Enum):
    """By what a stack's program is run."""

    NONE = "none"
    PULUMI = "pulumi"


EngineOption = Annotated[
    Engine,
    typer.Option(
        "--engine",
        "-e",
        help="pulumi: through the real Pulumi CLI, which must be on PATH, with a preview first.",
    ),
]
Project = Annotated[
    Path,
    typer.Option(
        "--project", "-C", help="The folder of Pulumi.yaml.", exists=True, file_okay=False, show_default="."
    ),
]

ConfigOption = Annotated[
    str | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="recording_storage as JSON, several, a conversation's request, or a stack's outputs; -: standard input.",
    ),
]
StackOption = Annotated[
    str | None,
    typer.Option("--stack", "-s", metavar="NAME", help="The stack whose outputs to read, by the Pulumi CLI."),
]
WorkspaceOption = Annotated[
    str | None,
    typer.Option(
        "--workspace-id",
        help="Your Workspace ID with the service, on Google and Azure.",
        show_default="the stack's own",
    ),
]


@app.command()
def rehearse(
    stacks: Annotated[
        list[str] | None,
        typer.Argument(metavar="STACK", help="Stacks to rehearse, by name.", show_default=DEFAULT_STACK),
    ] = None,
    format_: Annotated[
        Format, typer.Option("--format", "-f", help="Text for people, JSON for machines; the same facts.")
    ] = Format.TEXT,
    engine: EngineOption = Engine.NONE,
    project: Project = Path(),
) -> None:
    """Provision stacks on stand-in clouds, record to them, and try what must be refused.

    Runs the stack's own program, with its own configuration. Reaches no cloud account.

      recording-storage rehearse              the stack local

      recording-storage rehearse prod         your production configuration

      recording-storage rehearse prod --engine pulumi

      recording-storage rehearse prod -f json | jq .summary
    """
    from components.faults import ConfigurationError
    from recording_storage import report
    from recording_storage.engine.driver import EngineError
    from recording_storage.rehearsal import rehearse as rehearse_stack
    from recording_storage.rehearsal.child import ChildError
    from recording_storage.stackfile import StackFileError

    documents: list[Document] = []
    for stack in stacks or [DEFAULT_STACK]:
        try:
            with _progress(stack) as tell:
                document = rehearse_stack(project, stack, tell, engine.value)
        except (ConfigurationError, StackFileError, ChildError, EngineError) as error:
            if format_ is Format.JSON:
                report.write_error(stack, error, sys.stdout)
            raise _CouldNotRunError(f"{stack}: {error}") from None
        documents.append(document)
        if format_ is Format.TEXT:
            report.write_text(document, sys.stdout)
    if format_ is Format.JSON:
        report.write_json(documents, sys.stdout)
    if not all(document.held for document in documents):
        raise typer.Exit(CHECK_FAILED)


@app.command(context_settings={"allow_interspersed_args": False})
def sandbox(
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="The program and its arguments.")],
    stack: Annotated[
        str | None,
        typer.Option(
            "--stack", "-s", help="Provision this stack first; RECORDING_STORAGE_OUTPUTS names its outputs."
        ),
    ] = None,
    engine: EngineOption = Engine.NONE,
    provision: Annotated[
        bool,
        typer.Option(
            "--provision/--no-provision", help="Or only its accounts, and what it assumes to exist already."
        ),
    ] = True,
    project: Project = Path(),
) -> None:
    """Run any program with the stand-in clouds behind it: a script, a cloud's CLI, Terraform, a shell.

    It owns an empty AWS account, Google Cloud project and Azure subscription, and reaches nothing else. It is the
    recording service with the AWS profile recording-service, and with what recording-storage token prints. The exit
    code is the program's; 2 if the sandbox could not run.

      recording-storage sandbox -- aws s3 mb s3://recordings

      recording-storage sandbox --stack prod -- bash

      recording-storage sandbox -- pulumi up --stack prod

    The Pulumi CLI works on a copy of the project and on a state of the sandbox's own.
    """
    from components.faults import ConfigurationError
    from recording_storage.engine.driver import EngineError
    from recording_storage.enter import ProgramError, Wanted, enter
    from recording_storage.rehearsal.child import ChildError
    from recording_storage.stackfile import StackFileError

    try:
        code = enter(command, Wanted(project, stack, engine.value, provision), _progress)
    except (ConfigurationError, StackFileError, ChildError, EngineError, ProgramError) as error:
        raise _CouldNotRunError(f"{stack}: {error}") from None
    raise typer.Exit(code)


@app.command()
def token(
    subject: Annotated[
        str, typer.Option("--subject", "-s", help="Whom the token is about: the customer's Workspace ID.")
    ],
    audience: Annotated[
        str,
        typer.Option(
            "--audience",
            "-a",
            help="Whom it is for, to the letter: //iam.googleapis.com/projects/… for Google, "
            "api://AzureADTokenExchange for Azure.",
        ),
    ],
    lifetime: Annotated[
        str, typer.Option("--lifetime", "-l", help="90s, 10m, 1h; --lifetime=-5m for one that is over.")
    ] = "10m",
    issuer: Annotated[
        str | None,
        typer.Option(
            "--issuer", help="Whose it is.", show_default="RECORDING_STORAGE_ISSUER, the service's own"
        ),
    ] = None,
    forged: Annotated[
        bool, typer.Option("--forged", help="Sign it with a key that the issuer doesn't publish.")
    ] = False,
) -> None:
    """Print a token of the recording service's issuer, in a sandbox: to be the service, or somebody who isn't.

    It is a signed JWT with the claims iss, sub, aud, iat and exp. Real issuers know nothing of it.

      recording-storage sandbox --stack prod -- bash

      provider=$(jq -r .destinations.calls.workload_identity_provider $RECORDING_STORAGE_OUTPUTS)

      recording-storage token --subject my-workspace --audience //iam.googleapis.com/$provider
    """
    from recording_storage import tokens

    try:
        made = tokens.token(subject, audience, tokens.seconds(lifetime), issuer, forged=forged)
    except (tokens.TokenError, ValueError) as error:
        raise _CouldNotRunError(error) from None
    print(made)


@app.command()
def verify(
    config: ConfigOption = None,
    stack: StackOption = None,
    workspace_id: WorkspaceOption = None,
    kms_key: Annotated[
        str | None, typer.Option("--kms-key", help="The customer's key that the storage shall encrypt with.")
    ] = None,
    principal: Annotated[
        list[str] | None,
        typer.Option("--also-principal", help="On S3: who else may assume the role, on purpose."),
    ] = None,
    external_id: Annotated[
        list[str] | None,
        typer.Option("--also-external-id", help="On S3: an external id that is accepted beside, on purpose."),
    ] = None,
    audience: Annotated[
        list[str] | None,
        typer.Option("--also-audience", help="On Google: an audience that is accepted beside, on purpose."),
    ] = None,
    subscription: Annotated[
        str | None,
        typer.Option(
            "--subscription", help="On Azure: where the storage account is.", show_default="found by its name"
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Again and again, until all is green or the time is up.")
    ] = False,
    timeout: Annotated[str, typer.Option("--timeout", help="How long to watch: 90s, 15m, 1h.")] = "15m",
    format_: Annotated[
        VerifyFormat,
        typer.Option("--format", "-f", help="Text for people, JSON for machines, JUnit for pipelines."),
    ] = VerifyFormat.TEXT,
    project: Project = Path(),
) -> None:
    """Read live destinations, and name whatever would make a recording fail or let somebody else in.

    Reads with your ordinary credentials, and changes nothing. What can't be read is unclear, never passed.
    docs/verify.md lists every check, and the permissions it takes.

      recording-storage verify --stack prod

      recording-storage verify --stack prod --watch      until what was just granted counts

      terraform output -json | recording-storage verify --config -

      recording-storage verify --config conversation.json --workspace-id w-acme -f junit > verify.xml
    """
    from recording_storage import report, tokens
    from recording_storage.verify import report as verify_report
    from recording_storage.verify import verify as verify_targets
    from recording_storage.verify import watch as watching
    from recording_storage.verify.targets import with_options

    where = _named(config, stack)
    try:
        patience = tokens.seconds(timeout) if watch else 0
    except ValueError as error:
        raise _CouldNotRunError(f"--timeout: {error}") from None
    try:
        with _progress(where) as tell:
            targets = with_options(
                _targets(config, stack, project),
                workspace_id=workspace_id,
                kms_key=kms_key,
                principals=principal,
                external_ids=external_id,
                audiences=audience,
                subscription=subscription,
            )
            document = watching.until_green(lambda: verify_targets(targets, tell), patience, _say)
    except _could_not_read() as error:
        if format_ is VerifyFormat.JSON:
            report.write_error(stack or "", error, sys.stdout)
        raise _CouldNotRunError(error) from None
    if format_ is VerifyFormat.JSON:
        report.write_json([document], sys.stdout)
    elif format_ is VerifyFormat.JUNIT:
        from recording_storage.verify import junit

        junit.write(document, sys.stdout)
    else:
        verify_report.write_text(document, sys.stdout)
    if not document.held:
        raise typer.Exit(CHECK_FAILED)


@app.command()
def explain(
    event: Annotated[
        str, typer.Argument(metavar="EVENT", help="A file with what arrived; - for standard input.")
    ],
    config: ConfigOption = None,
    stack: StackOption = None,
    workspace_id: WorkspaceOption = None,
    format_: Annotated[
        Format, typer.Option("--format", "-f", help="Text for people, JSON for machines; the same facts.")
    ] = Format.TEXT,
    project: Project = Path(),
) -> None:
    """Say what an event or an error means: what happened, the likely causes, and until when a recording can be fetched.

    EVENT is a callback (application.recording_ready, application.recording_copy_failed), what the service's API
    answered, or an error of Amazon's, Google's or Microsoft's: as JSON or as text, in whatever it is wrapped. With
    --stack or --config the checks that it names are run at once. Exit 0: explained; 1: something that was looked at
    isn't as it should be.

      recording-storage explain event.json

      recording-storage explain event.json --stack prod

      grep recording_copy_failed app.log | recording-storage explain -

    Where nothing arrives there is nothing to explain, and yet something may be wrong: on S3 whatever fails after the
    room was created fails in silence, and nothing records until the front end says so. Run recording-storage verify.
    """
    from recording_storage import report
    from recording_storage.explain import Answer, events, look, text
    from recording_storage.explain import explain as explain_event
    from recording_storage.verify import verify as verify_targets
    from recording_storage.verify.targets import with_options

    if event == config == events.STANDARD_INPUT:
        raise _CouldNotRunError("standard input can be the event or the configuration, not both")
    try:
        found = events.load(event)
        if config is None and stack is None:
            answers = [Answer(explain_event(one)) for one in found]
        else:
            with _progress(_named(config, stack)) as tell:
                targets = with_options(_targets(config, stack, project), workspace_id=workspace_id)
                answers = look(found, targets, lambda ours, only: verify_targets(ours, tell, only))
    except (events.EventError, *_could_not_read()) as error:
        if format_ is Format.JSON:
            report.write_error(stack or "", error, sys.stdout)
        raise _CouldNotRunError(error) from None
    if format_ is Format.JSON:
        text.write_json(answers, sys.stdout)
    else:
        text.write(answers, sys.stdout)
    if not all(answer.held for answer in answers):
        raise typer.Exit(CHECK_FAILED)


@app.command()
def render(
    config: ConfigOption = None,
    stack: StackOption = None,
    format_: Annotated[
        RenderFormat,
        typer.Option("--format", "-f", help="What to write; docs/first_recording.md lists them."),
    ] = RenderFormat.JSON,
    destination: Annotated[
        str | None,
        typer.Option(
            "--destination",
            "-d",
            metavar="NAME",
            help="This one alone.",
            show_default="the default or only one; all, where the format holds several",
        ),
    ] = None,
    replica_id: Annotated[
        str | None, typer.Option("--replica-id", help="For conversation and curl: the replica that speaks.")
    ] = None,
    persona_id: Annotated[
        str | None, typer.Option("--persona-id", help="For conversation and curl: its persona.")
    ] = None,
    callback_url: Annotated[
        str | None,
        typer.Option(
            "--callback-url", help="For conversation and curl: where to say that a recording is ready."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", help="For configmap: its name.", show_default="recording-storage"),
    ] = None,
    namespace: Annotated[
        str | None,
        typer.Option("--namespace", help="For configmap: its namespace.", show_default="kubectl's"),
    ] = None,
    project: Project = Path(),
) -> None:
    """Write destinations as what applications, shells, pipelines and other tools read.

    To standard output, and nothing in it is a secret. docs/first_recording.md leads from here to the first recording.

      recording-storage render --stack prod > recording_storage.json

      recording-storage render --stack prod -f env > .env

      recording-storage render --stack prod -f curl --replica-id r5f0577fc829

      pulumi stack output --json | recording-storage render --config - -f configmap | kubectl apply -f -
    """
    from recording_storage.render import Options, RenderError, source
    from recording_storage.render import render as render_as

    where = _named(config, stack)
    options = Options(replica_id, persona_id, callback_url, name, namespace)
    try:
        with _progress(where):
            found = source.from_stack(project, stack) if stack is not None else source.from_file(str(config))
        text = render_as(format_.value, found, destination, options)
    except (*_could_not_read(), RenderError) as error:
        raise _CouldNotRunError(error) from None
    sys.stdout.buffer.write(text.encode())  # as it is, whatever the locale and the system's line endings
    sys.stdout.flush()


class _CouldNotRunError(Exception):
    """The message says why; the command ends with `COULD_NOT_RUN`."""


def _named(config: str | None, stack: str | None) -> str:
    """What `--config` or `--stack` names, for people."""
    if (config is None) == (stack is None):
        raise _CouldNotRunError(
            "name what to read: either --stack NAME or --config FILE (- for standard input)"
        )
    return stack or str(config)


def _targets(config: str | None, stack: str | None, project: Path) -> list[Target]:
    """The destinations that are named so; raises one of `_could_not_read`."""
    from recording_storage.verify import inputs
    from recording_storage.verify import stack as stacks

    return stacks.read(project, stack, _say) if stack is not None else inputs.read(str(config))


def _could_not_read() -> tuple[type[Exception], ...]:
    """What keeps live destinations from being read at all."""
    from recording_storage.verify.checks import NoCredentials
    from recording_storage.verify.inputs import InputError
    from recording_storage.verify.stack import StackError

    return InputError, NoCredentials, StackError


def _say(message: str) -> None:
    print(message, file=sys.stderr)


@contextmanager
def _progress(stack: str) -> Generator[Callable[[str], None]]:
    """Say what is going on, where somebody looks."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(f"{stack}: reading the configuration") as status:
        yield lambda message: status.update(f"{stack}: {message}")


def main() -> None:
    """Run the command; every way out is an exit code with a sentence."""
    try:
        app()
    except _CouldNotRunError as error:
        print(error, file=sys.stderr)
        sys.exit(COULD_NOT_RUN)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone
        sys.exit(DONE)
    except ModuleNotFoundError as error:
        package = str(error.name).partition(".")[0]
        print(
            f"the Python package {package} isn't installed, which a cloud of this stack needs: `make setup` brings "
            "all; the extras aws, gcp and azure bring one cloud's each",
            file=sys.stderr,
        )
        sys.exit(COULD_NOT_RUN)
    except Exception as error:
        if os.environ.get(defects.DEBUG):
            raise
        print(f"{type(error).__name__}: {error}\n{defects.REPORT}", file=sys.stderr)
        sys.exit(COULD_NOT_RUN)
