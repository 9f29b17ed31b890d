"""`recording-storage ci`: what pipelines ask for.

Exit codes as everywhere: 0 done, 1 something is to be seen to, 2 could not run.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from recording_storage.ci.stacks import Touched

FOUND, COULD_NOT_RUN = 1, 2

app = typer.Typer(
    no_args_is_help=True,
    help="For pipelines: which stacks a change touches, and what is said of them in a comment.",
)

Project = Annotated[
    Path, typer.Option("--project", "-C", help="The folder of Pulumi.yaml.", exists=True, file_okay=False)
]
Stack = Annotated[str, typer.Option("--stack", "-s", metavar="NAME", help="The stack.")]
Base = Annotated[str | None, typer.Option("--base", metavar="COMMIT", help="What the change is made to.")]
Head = Annotated[str, typer.Option("--head", metavar="COMMIT", help="The change.")]
Changed = Annotated[
    str | None,
    typer.Option(
        "--changed",
        metavar="FILE",
        help="A list of changed files, one a line or ended by NUL; -: standard input.",
    ),
]
Unmasked = Annotated[
    bool, typer.Option("--unmasked", help="Show account numbers and other identifiers as they are.")
]


@app.command()
def stacks(
    base: Base = None,
    head: Head = "HEAD",
    changed: Changed = None,
    live: Annotated[
        str | None,
        typer.Option(
            "--live",
            metavar="JSON",
            help="Only the stacks that this object has: those that are in an account.",
        ),
    ] = None,
    project: Project = Path(),
) -> None:
    """Print the stacks that a change touches, as a JSON list.

    recording-storage ci stacks --base origin/main

    git diff --name-only origin/main | recording-storage ci stacks --changed -
    """
    from recording_storage.ci import CiError

    with _sentences():
        found = _touched(project, base, head, changed)
        if found.unnameable:
            raise CiError(
                f"{', '.join(map(repr, found.unnameable))}: a stack's name begins with a letter or a digit, and has "
                "these, hyphens, underscores and dots"
            )
        print(json.dumps([one for one in found.stacks if one in _live(live)] if live else found.stacks))


@app.command()
def overlay(
    commit: Annotated[str, typer.Argument(metavar="COMMIT", help="Whose stack files.")],
    project: Project = Path(),
) -> None:
    """Put a commit's stack files in the place of the project's, as data: nothing else of it is read, or run.

    git fetch origin refs/pull/7/head && recording-storage ci overlay FETCH_HEAD
    """
    from recording_storage import stackfile
    from recording_storage.ci.change import overlay as lay

    with _sentences():
        for name in lay(project, commit, stackfile.folder(project)):
            print(name)


@app.command()
def comment(
    stack: Stack,
    proven: Annotated[
        Path | None, typer.Option("--proven", help="The base branch's rehearsal of the change's stack file.")
    ] = None,
    policies: Annotated[
        Path | None, typer.Option("--policies", help="The base branch's preview of it in the sandbox.")
    ] = None,
    rehearsal: Annotated[Path | None, typer.Option("--rehearsal", help="The change's own rehearsal.")] = None,
    preview: Annotated[
        Path | None, typer.Option("--preview", help="The change's own preview of the real stack.")
    ] = None,
    verified: Annotated[
        Path | None, typer.Option("--verified", help="What verify found in the account.")
    ] = None,
    base: Base = None,
    head: Head = "HEAD",
    changed: Changed = None,
    commit: Annotated[str | None, typer.Option("--commit", metavar="HASH", help="To name in it.")] = None,
    unmasked: Unmasked = False,
    project: Project = Path(),
) -> None:
    """Print Markdown of what was found out about a change: of JSON that rehearse, verify and pulumi preview wrote.

    Each file may have any content, of anybody: it is shown, and nothing in it becomes a link, a mention or a command.
    What is missing is said to be.

      recording-storage ci comment --stack prod --rehearsal rehearsal.json --preview preview.jsonl
    """
    from recording_storage.ci import artefacts, previews
    from recording_storage.ci.comment import Said
    from recording_storage.ci.comment import comment as written

    with _sentences():
        listed = base is not None or changed is not None
        said = Said(
            stack=stack,
            commit=commit,
            proven=proven and artefacts.findings(proven),
            policies=policies and previews.preview(policies),
            rehearsal=rehearsal and artefacts.findings(rehearsal),
            preview=preview and previews.preview(preview),
            verified=verified and artefacts.findings(verified),
            code=_touched(project, base, head, changed).code if listed else None,
        )
        sources = (proven, policies, rehearsal, preview, verified)
        print(written(said, _mask(unmasked, project, stack, *sources)), end="")


@app.command()
def drift(
    stack: Stack,
    preview: Annotated[Path, typer.Option("--preview", help="A preview with a refresh.")],
    verified: Annotated[Path, typer.Option("--verified", help="What verify found.")],
    unmasked: Unmasked = False,
    project: Project = Path(),
) -> None:
    """Print Markdown of what differs between a stack and its account; exit code 1 where anything does.

    recording-storage ci drift --stack prod --preview refreshed.jsonl --verified verified.json
    """
    from recording_storage.ci import artefacts, previews
    from recording_storage.ci.drift import drifted, issue

    with _sentences():
        seen, read = previews.preview(preview), artefacts.findings(verified)
        if drifted(seen, read):
            print(issue(stack, seen, read, _mask(unmasked, project, stack, preview, verified)), end="")
            raise typer.Exit(FOUND)


def _touched(project: Path, base: str | None, head: str, changed: str | None) -> Touched:
    from recording_storage import stackfile
    from recording_storage.ci import CiError, change
    from recording_storage.ci import stacks as touching

    if (base is None) == (changed is None):
        raise CiError("name the change: either --base COMMIT or --changed FILE (- for standard input)")
    if changed is not None:
        text = sys.stdin.read() if changed == "-" else Path(changed).read_text(errors="replace")
        files = change.split(text)
    else:
        files = change.changed(project, str(base), head)
    return touching.touched(files, stackfile.stacks(project), stackfile.folder(project))


def _live(text: str) -> dict[str, object]:
    from recording_storage.ci import CiError, artefacts

    said = artefacts.parse(text)
    if not isinstance(said, dict):
        raise CiError("--live: expected a JSON object whose keys are stacks")
    return cast("dict[str, object]", said)


def _mask(unmasked: bool, project: Path, stack: str, *sources: Path | None) -> Callable[[str], str]:
    from recording_storage import stackfile
    from recording_storage.ci import artefacts, masks

    if unmasked:
        return masks.unmasked
    documents = [
        one for source in sources if source is not None for one in artefacts.configurations_in(source)
    ]
    with suppress(stackfile.StackFileError):
        documents.append(stackfile.load(project, stack).config)
    return masks.masks(*documents)


@contextmanager
def _sentences() -> Generator[None]:
    """What goes wrong is a sentence, and exit code 2."""
    from recording_storage.ci import CiError
    from recording_storage.stackfile import StackFileError

    try:
        yield
    except (CiError, StackFileError, OSError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(COULD_NOT_RUN) from None
