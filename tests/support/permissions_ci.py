"""The pipeline's identities as `docs/ci.md` sets them up: its commands, and the tokens that a pipeline would hold.

The page's shell is run as it stands, with `aws` and `gh` replaced by functions: `gh` answers what GitHub would say of a
repository, and what is asked of `aws` is written down, to be asked for by boto3.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from botocore import xform_name

from recording_storage.rehearsal.child import Child
from recording_storage.verify.targets import Target, known_of
from tests.support.console import blocks
from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import ExitStack

    from components.settings import Settings

PAGE = ROOT / "docs/ci.md"
DOCUMENTS = ROOT / "docs/ci"
GITHUB, GITLAB = "token.actions.githubusercontent.com", "gitlab.com"
WORD, COMMAND = "\x1e", "\x1d"
SECONDS = 300


@dataclass(frozen=True)
class Repository:
    """A repository of GitHub's: how its tokens' subjects begin, and its number."""

    subject: str
    id: str

    def claims(self, **claims: str) -> dict[str, str]:
        """What a token says of the repository beside its subject."""
        return {"repository": "acme/recordings", "repository_id": self.id, **claims}

    @property
    def shell(self) -> str:
        """`gh`, as far as the page asks it."""
        return (
            'gh() { case "$*" in\n'
            f"  *customization/sub*) echo '{self.subject}';;\n"
            f"  *) echo '{self.id}';;\nesac; }}\n"
        )


BY_NAME = Repository("repo:acme/recordings", "456789")
BY_ID = Repository("repo:acme@123456/recordings@456789", "456789")
"""The two forms, of one repository: https://docs.github.com/en/actions/reference/security/oidc#immutable-subject-claims"""


def shell(*sections: str) -> str:
    """The page's shell, of these sections (as their headings begin), in their order."""
    parts = PAGE.read_text().split("\n## ")
    found = [next(part for part in parts if part.startswith(section)) for section in sections]
    return "\n".join(block for part in found for block in blocks(part, "sh"))


def recorded(
    script: str, command: str, repository: Repository, answers: Mapping[str, str] | None = None
) -> list[list[str]]:
    """Run a script, and give the words of each call of `command` in it; those that begin as in `answers` say that."""
    said = "".join(f"  '{words} '*) echo '{answer}';;\n" for words, answer in (answers or {}).items())
    recorder = f"""{command}() {{
printf '%s{WORD}' "$@" >&3; printf '{COMMAND}' >&3
case "$* " in\n{said}esac; }}
"""
    with tempfile.NamedTemporaryFile("r") as record:
        done = subprocess.run(
            ["bash", "-e", "-c", f"exec 3>{record.name}\n{repository.shell}{recorder}{script}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return [call.removesuffix(WORD).split(WORD) for call in record.read().split(COMMAND) if call]


def carry_out(calls: Iterable[list[str]], client: Callable[[str], Any]) -> None:
    """Ask boto3 for what was asked of the AWS CLI."""
    for service, operation, *words in calls:
        asked = client(service)
        name = operation.replace("-", "_")
        shape = asked.meta.service_model.operation_model(
            asked.meta.method_to_api_mapping[name]
        ).input_shape.members
        names = {xform_name(one, "-"): one for one in shape}
        options = [at for at, word in enumerate(words) if word.startswith("--")]
        given: dict[str, Any] = {}
        for at, end in zip(options, [*options[1:], len(words)], strict=True):
            option, values = names[words[at][2:]], words[at + 1 : end]
            given[option] = values if shape[option].type_name == "list" else values[0]
        getattr(asked, name)(**given)


def replaced(name: str, words: Mapping[str, str]) -> str:
    """A document of the page's with its placeholders replaced."""
    text = (DOCUMENTS / name).read_text()
    for placeholder, word in words.items():
        text = text.replace(placeholder, word)
    return text


def verified(
    settings: Settings, outputs: Mapping[str, Any], environment: Mapping[str, str], cast: ExitStack
) -> list[dict[str, Any]]:
    """How `recording-storage verify` ends for a stack, for a job with this environment."""
    child = cast.enter_context(Child("recording_storage.verify", environment))
    return asked(child, settings, outputs)


def asked(verifier: Child, settings: Settings, outputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Likewise, of a verifier that is there."""
    targets = [
        Target(name, found["recording_storage"], known_of(settings, name))
        for name, found in outputs["destinations"].items()
    ]
    return list(verifier.ask({"targets": [asdict(one) for one in targets]}))
