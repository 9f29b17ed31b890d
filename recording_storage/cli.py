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

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from recording_storage.results import Document

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


class Format(str, Enum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"


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


class _CouldNotRunError(Exception):
    """The message says why; the command ends with `COULD_NOT_RUN`."""


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
        if os.environ.get("RECORDING_STORAGE_DEBUG"):
            raise
        print(
            f"{type(error).__name__}: {error}\n"
            "That is a defect of recording-storage itself: set RECORDING_STORAGE_DEBUG=1 to see where, and report it.",
            file=sys.stderr,
        )
        sys.exit(COULD_NOT_RUN)
