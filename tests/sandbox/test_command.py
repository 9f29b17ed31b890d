"""`recording-storage sandbox` from the outside: what a program in it can do, what it can't, and what is left."""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import termios
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest

from tests.support.projects import ROOT, Outcome, command, write_project
from tests.support.terraform import initialise

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


PAGE = (ROOT / "docs/sandbox.md").read_text()
COMMAND = str(Path(sys.executable).with_name("recording-storage"))
SECONDS = 60
CALLS = {"provider": "s3", "region": "eu-west-1"}


def sandbox(*words: str, folder: Path = ROOT) -> Outcome:
    return command("sandbox", "--", *words, folder=folder)


def python(program: str, *arguments: str) -> Outcome:
    return sandbox(sys.executable, "-c", program, *arguments)


@pytest.fixture(scope="module")
def confined() -> None:
    if sys.platform != "linux":
        pytest.skip("network namespaces are Linux's")
    said = sandbox("true").err
    if said:
        pytest.skip(said.strip())


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where sandboxes are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


# --- as if it had been started without ----------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["sh", "-c", "exit 0"], 0, ""),
        (["sh", "-c", "exit 7"], 7, ""),
        (["sh", "-c", "kill -TERM $$"], 128 + signal.SIGTERM, ""),
        (["no-such-program"], 127, "no-such-program: command not found"),
        ([str(ROOT / "README.md")], 126, "README.md: Permission denied"),
    ],
    ids=["done", "failed", "killed", "not found", "not executable"],
)
def test_the_exit_code_is_the_programs(words: list[str], code: int, said: str) -> None:
    done = sandbox(*words)
    assert done.code == code
    assert done.out == ""
    assert said in done.err if said else "sandbox: " not in done.err.replace("not confined", "")
    assert "Traceback" not in done.err


def test_input_output_and_arguments_are_the_programs() -> None:
    program = 'cat; printf "%s\\n" "$@"; echo error >&2'
    done = subprocess.run(
        [COMMAND, "sandbox", "sh", "-c", program, "sh", "--stack", "--", "two words"],
        input="typed\n",
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.stdout == "typed\n--stack\n--\ntwo words\n"
    assert "error\n" in done.stderr


def test_a_reader_that_goes_away_ends_the_program() -> None:
    """Python ignores SIGPIPE; what it starts must not."""
    line = f"{shlex.quote(COMMAND)} sandbox -- yes | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=SECONDS)
    assert done.stdout == f"y\n{128 + signal.SIGPIPE}\n"


def test_the_sandboxs_own_failures(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "project", {"destinations": {"calls": CALLS}})
    nope = command("sandbox", "--stack", "nope", "--", "true", folder=folder)
    assert (nope.code, nope.out) == (2, "")
    assert 'no stack "nope"' in nope.err
    (folder / "__main__.py").write_text("raise ValueError('no such thing')\n")
    failed = command("sandbox", "--stack", "acme", "--", "echo", "ran", folder=folder)
    assert (failed.code, failed.out) == (2, "")
    assert "acme: its program failed: ValueError: no such thing (__main__.py, line 1)" in failed.err
    assert command("sandbox", "--nope", "true").code == 2
    assert command("sandbox").code == 2


# --- what it holds ------------------------------------------------------------------------------

LOOKS = """
import json, os, boto3
who = lambda profile: boto3.Session(profile_name=profile, region_name="eu-west-1").client("sts").get_caller_identity()
print(json.dumps({
    "environment": dict(os.environ),
    "accounts": [who(profile)["Account"] for profile in (None, "default", "recording-service")],
    "profiles": boto3.Session().available_profiles,
}))
"""


def test_it_is_the_owner_and_may_be_the_service(monkeypatch: pytest.MonkeyPatch, temporary: Path) -> None:
    secrets = (
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_REGION",
        "PULUMI_ACCESS_TOKEN",
        "TF_TOKEN_app_terraform_io",
    )
    for name in secrets:
        monkeypatch.setenv(name, "PRYING")
    done = python(LOOKS)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["accounts"] == ["111122223333", "111122223333", "291871421005"]
    assert found["profiles"] == ["default", "recording-service"]
    assert not set(secrets) & set(found["environment"])
    assert found["environment"]["PATH"] == os.environ["PATH"]
    assert found["environment"]["PULUMI_BACKEND_URL"].startswith(temporary.as_uri())
    assert "RECORDING_STORAGE_OUTPUTS" not in found["environment"]


def test_a_stack_can_be_played_by_anyone(tmp_path: Path) -> None:
    reader = "arn:aws:iam::222233334444:role/player"
    config = {"destinations": {"calls": CALLS | {"account": "333344445555", "readers": [reader]}}}
    folder = write_project(tmp_path / "project", config)
    program = f"cat $RECORDING_STORAGE_OUTPUTS; {sys.executable} {ROOT}/docs/play_s3.py; aws sts get-caller-identity"
    done = command("sandbox", "--stack", "acme", "--", "sh", "-c", program, folder=folder)
    outputs, rest = json.JSONDecoder().raw_decode(done.out)
    assert sorted(outputs) == ["destinations", "recording_storage"]
    assert outputs["recording_storage"] == outputs["destinations"]["calls"]["recording_storage"]
    assert "written\nDeleteObject AccessDenied\nAssumeRole AccessDenied\n" in done.out[rest:], done.err
    assert outputs["recording_storage"]["assume_role_arn"].startswith("arn:aws:iam::333344445555:")


OWNS = """
import json, os, sys, google.auth
from google.auth.transport.requests import AuthorizedSession
held, project = google.auth.default(["https://www.googleapis.com/auth/cloud-platform"])
google = AuthorizedSession(held)
made = google.post(f"https://storage.googleapis.com/storage/v1/b?project={project}", json={"name": "recordings-42"})
found = google.get(f"https://cloudresourcemanager.googleapis.com/v1/projects/{project}").json()
print(json.dumps({"status": made.status_code, "project": found["projectId"], "number": found["projectNumber"]}))
print(os.environ["RECORDING_STORAGE_ISSUER"])
"""


def test_it_owns_a_google_project_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CLOUD_PROJECT",
        "CLOUDSDK_CONFIG",
        "CLOUDSDK_CORE_PROJECT",
    ):
        monkeypatch.setenv(name, "/PRYING")
    done = python(OWNS)
    assert done.code == 0, done.err
    found, issuer = done.out.splitlines()
    assert json.loads(found) == {"status": 200, "project": "sandbox-project", "number": "123456789012"}
    assert issuer == "https://recording-copy.tavus.io"


def test_the_clouds_that_a_stack_does_not_use_are_there(tmp_path: Path) -> None:
    calls = {"provider": "gcs", "project": "acme-prod", "location": "EU", "workspace_id": "w-acme"}
    config = {
        "destinations": {"calls": calls},
        "trust_profile": {"gcs": {"issuer": "https://issuer.example.net"}},
    }
    folder = write_project(tmp_path / "project", config)
    program = [sys.executable, "-c", f"{OWNS}\n{LOOKS}"]
    done = command("sandbox", "--stack", "acme", "--", *program, folder=folder)
    assert done.code == 0, done.err
    found, issuer, looked = done.out.splitlines()
    assert json.loads(found)["project"] == "acme-prod", "not the one that the stack is deployed to"
    assert issuer == "https://issuer.example.net"
    assert json.loads(looked)["accounts"] == ["111122223333", "111122223333", "291871421005"]


# --- what it can't reach ------------------------------------------------------------------------

CONNECTS = """
import socket, sys
for place in sys.argv[1].split():
    host, _, port = place.partition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        print(type(error).__name__, error.errno)
    else:
        print("reached")
"""


@pytest.fixture
def neighbour() -> Iterator[int]:
    """A port of this machine at which somebody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


@pytest.mark.usefixtures("confined")
def test_a_program_that_ignores_the_proxy_reaches_nothing(neighbour: int) -> None:
    places = ["1.1.1.1:80", "169.254.169.254:80", "169.254.170.2:80", f"127.0.0.1:{neighbour}"]
    outside = [sys.executable, "-c", CONNECTS, places[-1]]
    assert subprocess.run(outside, capture_output=True, text=True, timeout=SECONDS).stdout == "reached\n"
    *elsewhere, here = python(CONNECTS, " ".join(places)).out.splitlines()
    assert elsewhere == ["OSError 101"] * 3, "there is a way to another network"
    assert here.startswith("ConnectionRefusedError")


@pytest.mark.usefixtures("confined")
def test_servers_of_its_own_are_reached() -> None:
    program = "import socket\nserver = socket.create_server(('127.0.0.1', 8000))" + CONNECTS
    assert python(program, "127.0.0.1:8000").out == "reached\n"


ASKS = """
import sys, urllib.request, urllib.error
for url in sys.argv[1:]:
    try:
        print(urllib.request.urlopen(url, timeout=10).status)
    except urllib.error.HTTPError as error:
        print(error.code)
    except OSError as error:
        print(error)
"""


def test_other_hosts_are_refused_and_named() -> None:
    elsewhere = [
        "https://api.pulumi.com/api/user",
        "http://169.254.169.254/latest/meta-data/",
        "https://example.com",
    ]
    done = python(ASKS, *elsewhere, elsewhere[-1])
    assert done.code == 0
    assert done.out.count("403") == 4
    assert (
        "refused, since nothing here stands in for them: api.pulumi.com:443, 169.254.169.254, example.com:443\n"
        in done.err
    )
    stands = python(ASKS, "https://sts.eu-west-1.amazonaws.com/")
    assert stands.out.strip().isdigit()
    assert "refused" not in stands.err


def test_what_the_stand_in_cannot_judge_is_said() -> None:
    done = python(
        "import boto3\niam = boto3.client('iam')\niam.list_roles()\nprint('judged')\niam.list_groups()"
    )
    assert (done.code, done.out) == (1, "judged\n")
    (said,) = [
        one for one in done.err.splitlines() if "not judged, so answered as not implemented: iam:" in one
    ]
    assert said.endswith("can't judge iam:ListGroups")


READS = """
import os, pwd, sys
for path in (os.path.expanduser("~/.aws/credentials"), os.path.join(sys.argv[1], ".aws/credentials")):
    try:
        print("PRYING" in open(path).read())
    except OSError as error:
        print(type(error).__name__)
for path in (".pulumi/credentials.json", ".pulumi/bin"):
    path = os.path.join(sys.argv[1], path)
    print(os.path.isfile(path) and open(path).read() or os.listdir(os.path.dirname(path)))
"""


@pytest.mark.usefixtures("confined")
def test_the_callers_configuration_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/credentials").write_text("[default]\naws_access_key_id = PRYING\n")
    (tmp_path / ".pulumi/bin").mkdir(parents=True)
    (tmp_path / ".pulumi/credentials.json").write_text("PRYING")
    asked = [sys.executable, "-c", READS, str(tmp_path)]
    outside = subprocess.run(asked, capture_output=True, text=True, timeout=SECONDS)
    assert outside.stdout.splitlines()[:3] == ["True", "True", "PRYING"]
    inside = sandbox(*asked).out
    assert "PRYING" not in inside
    assert inside.splitlines()[:2] == ["False", "FileNotFoundError"]
    assert "'bin'" in inside, "programs in that folder stay where they are"


@pytest.mark.usefixtures("confined")
def test_files_are_the_callers(tmp_path: Path) -> None:
    program = "import os, sys; open(sys.argv[1], 'w').close(); print(os.getuid(), os.getgid())"
    done = python(program, str(tmp_path / "made"))
    assert done.out == f"{os.getuid()} {os.getgid()}\n"
    assert (tmp_path / "made").stat().st_uid == os.getuid()


@pytest.mark.usefixtures("confined")
def test_where_it_cannot_be_confined_it_says_so(neighbour: int) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("unshare is not on PATH")
    program = CONNECTS + ASKS.replace("argv[1:]", "argv[2:]")
    asked = [COMMAND, "sandbox", "--", sys.executable, "-c", program, f"127.0.0.1:{neighbour}"]
    line = f"echo 0 > /proc/sys/user/max_user_namespaces && exec {shlex.join(asked)} https://example.com"
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c", line],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.stdout.splitlines()[0] == "reached"
    assert "403" in done.stdout, "the proxy refuses as ever"
    first, last = done.stderr.splitlines()
    assert first.startswith("recording-storage sandbox: not confined (unshare: ")
    assert first.endswith("): a program that ignores the proxy variables can reach other hosts")
    assert last.endswith("example.com:443")


# --- how it ends --------------------------------------------------------------------------------

COUNTS = """
import os, signal, sys, time
counted = []
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
    signal.signal(number, lambda number, frame: counted.append(number))
print("ready", os.getpid(), os.environ["HOME"], flush=True)
while not counted:
    time.sleep(0.01)
sys.stdin.readline()
print("counted", [int(one) for one in counted], flush=True)
sys.exit(9)
"""


@contextmanager
def running(*words: str) -> Generator[tuple[subprocess.Popen[str], IO[str]]]:
    process = subprocess.Popen(
        [COMMAND, "sandbox", *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(SECONDS, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        yield process, process.stdout
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_reaches_the_program_once(number: signal.Signals, temporary: Path) -> None:
    with running("--", sys.executable, "-c", COUNTS) as (process, out):
        assert out.readline().startswith("ready")
        process.send_signal(number)
        rest, err = process.communicate("\n", timeout=SECONDS)
    assert rest == f"counted [{int(number)}]\n"
    assert process.returncode == 9
    assert "Traceback" not in err
    assert list(temporary.iterdir()) == []


def test_the_terminals_interrupt_reaches_the_program_once(temporary: Path) -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [COMMAND, "sandbox", "--", sys.executable, "-c", COUNTS],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    try:
        terminal_until(ours, b"ready")
        os.write(ours, b"\x03")
        terminal_until(ours, b"^C")
        os.write(ours, b"\n")
        assert b"counted [2]" in terminal_until(ours, b"]")
        assert process.wait(timeout=SECONDS) == 9
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert list(temporary.iterdir()) == []


def test_a_shell_is_usable() -> None:
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [COMMAND, "sandbox", "--", "bash", "--norc", "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    try:
        os.write(ours, b"echo $((6*7))-$-\n")
        assert b"m" in terminal_until(ours, b"s\r\n").rpartition(b"42-")[2], "no job control"
        os.write(ours, b"exit 4\n")
        assert process.wait(timeout=SECONDS) == 4
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def terminal_until(descriptor: int, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        assert select.select([descriptor], [], [], SECONDS)[0], seen
        seen += os.read(descriptor, 1024)
    return seen


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux adopts orphans")
def test_what_the_program_leaves_running_is_ended(temporary: Path) -> None:
    orphan = "(trap '' TERM HUP; setsid sleep 600 & echo $!)"
    program = f"{orphan}; mkdir ~/kept; touch ~/kept/file; chmod 500 ~/kept; exit 3"
    with running("--", "bash", "-c", program) as (process, out):
        left = int(out.readline())
        process.communicate(timeout=SECONDS)
    assert process.returncode == 3
    assert not Path(f"/proc/{left}").exists()
    assert list(temporary.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the program with its parent")
def test_the_program_dies_with_the_sandbox(temporary: Path) -> None:
    with running("--", sys.executable, "-c", COUNTS) as (process, out):
        program = int(out.readline().split()[1])
        waits = os.pidfd_open(program)
        process.kill()
        assert select.select([waits], [], [], SECONDS)[0], "it is still running"
        os.close(waits)


def test_a_sandbox_that_is_ended_while_it_is_made_leaves_nothing(temporary: Path) -> None:
    process = subprocess.Popen(
        [COMMAND, "sandbox", "--stack", "local", "-C", str(ROOT), "--", "echo", "ran"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None and not list(temporary.glob("recording-storage-*/owner/*")):
        pass
    process.terminate()
    out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (128 + signal.SIGTERM, "")
    assert "Traceback" not in err
    assert list(temporary.iterdir()) == []


# --- the page -----------------------------------------------------------------------------------


def shown() -> Iterator[tuple[str, str]]:
    """The page's commands, with what it shows after each."""
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        for one in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, said = one.partition("\n")
            yield line, said


def carried_out(line: str, folder: Path = ROOT) -> str:
    done = subprocess.run(
        ["bash", "-c", line.replace(".venv/bin/python", sys.executable)],
        cwd=folder,
        env=os.environ | {"PATH": f"{os.environ['PATH']}:{Path(COMMAND).parent}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(*one, id=f"line-{i}")
        for i, one in enumerate(shown())
        if "terraform" not in one[0] and " pulumi " not in one[0]
    ],
)
def test_the_page_shows_what_happens(line: str, said: str) -> None:
    for name in ("aws", "gcloud", "jq", "curl"):
        if re.search(rf"\b{name} ", line) and shutil.which(name) is None:
            pytest.skip(f"{name} is not on PATH")
    assert carried_out(line.replace(".venv/bin/recording-storage", COMMAND)) == said


@pytest.mark.parametrize(
    ("file", "provider", "place"), [("tavus.tf", "aws", 0), ("google.tf", "google", 1)], ids=["aws", "google"]
)
def test_terraform_applies_what_the_page_names(file: str, provider: str, place: int, tmp_path: Path) -> None:
    source = ROOT / "tests/sandbox" / file
    shutil.copy(source, tmp_path / "main.tf")
    initialise(tmp_path, provider)
    line, said = [one for one in shown() if "terraform" in one[0]][place]
    plain = line.replace("-auto-approve", "-auto-approve -no-color").replace(
        "-detailed-exitcode", "-no-color -detailed-exitcode"
    )
    assert said in carried_out(f"{plain} 2>/dev/null", tmp_path)
    made: Any = json.loads((tmp_path / "terraform.tfstate").read_text())["resources"]
    asked = re.findall(r'^resource "(\w+)"', source.read_text(), re.MULTILINE)
    assert {one["type"] for one in made if one["mode"] == "managed"} == set(asked)
