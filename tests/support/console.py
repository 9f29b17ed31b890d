"""What a page shows of a terminal, run line by line in a sandbox."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.projects import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

MARK = "\x1e"
SECONDS = 580
PROMPT = re.compile(r"\$ (?P<command>(?:.*\\\n)*.*)\n(?P<shown>(?:(?!\$ ).*\n)*)")
UNASKED = "export PULUMI_SKIP_CONFIRMATIONS=true"
"""Nobody is there to say yes."""


@dataclass(frozen=True)
class Line:
    """A command, and what the page shows after it."""

    command: str
    shown: str


@dataclass(frozen=True)
class Ran:
    """What became of a command."""

    code: int
    out: str


def blocks(page: str, language: str) -> list[str]:
    """The page's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def lines(page: str, section: str = "") -> list[Line]:
    """The console lines of a page, or of one of its sections alone."""
    text = page.split(f"\n## {section}\n")[1].split("\n## ")[0] if section else page
    return [
        Line(*found.group("command", "shown"))
        for block in blocks(text, "console")
        for found in PROMPT.finditer(block)
    ]


def run(commands: Sequence[str], folder: Path, *before: str) -> list[Ran]:
    """Run commands in one shell in a sandbox, each after the other, whatever becomes of them."""
    script = [*before, UNASKED]
    for one in commands:
        script += [one, f"printf '{MARK}%d{MARK}' $?"]
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("recording-storage")),
            "sandbox",
            "--",
            "bash",
            "-c",
            "\n".join(script),
        ],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    *parts, _ = done.stdout.split(MARK)
    assert len(parts) == 2 * len(commands), done.stdout + done.stderr
    return [Ran(int(code), out) for out, code in zip(parts[::2], parts[1::2], strict=True)]


def copy_of_the_repository(folder: Path) -> Path:
    """A repository whose one commit is what the working tree is now: files that git ignores aren't in it."""
    listed = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    author = (
        "-c",
        "user.name=somebody",
        "-c",
        "user.email=somebody@example.com",
        "-c",
        "commit.gpgsign=false",
    )
    for words in (("init", "--quiet"), ("add", "."), (*author, "commit", "--quiet", "--message", "a copy")):
        subprocess.run(("git", *words), cwd=folder, check=True)
    return folder
