"""Set-up on a machine that lacks things, and what may stand in the lock files."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
ORDINARY_TOOLS = ("sh", "dirname", "cat", "cksum", "grep", "id", "mktemp", "mkdir", "cp", "mv", "rm", "tail")
EVERY_PACKAGE = {
    "python3",
    "python3-venv",
    "libpango-1.0-0",
    "libpangoft2-1.0-0",
    "libharfbuzz-subset0",
    "ca-certificates",
}

# Hides a library from the Python that scripts/setup asks, as if it were not installed.
WITHOUT_LIBRARY = """
import ctypes
class CDLL(ctypes.CDLL):
    def __init__(self, name, *args, **kwargs):
        if "{library}" in str(name):
            raise OSError(name)
        super().__init__(name, *args, **kwargs)
ctypes.CDLL = CDLL
"""

# A python3 that lacks nothing, and whose virtual environments hold an interpreter that only notes what pip is asked to do.
PYTHON_THAT_NOTES = """#!/bin/sh
case "$*" in
  "-m venv .venv") mkdir -p .venv/bin && cp "$(dirname "$0")/noting" .venv/bin/python && echo made >>calls ;;
  "--version") echo Python 3.11.2 ;;
esac
"""
NOTING = """#!/bin/sh
echo "$*" >>calls
if [ -e power-cut ]; then kill -9 $PPID; fi
"""


class Machine:
    """A copy of the project's set-up, and a PATH that holds only what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.project / "scripts").mkdir(parents=True)
        for name in ("scripts/setup", "pyproject.toml", *LOCKS):
            shutil.copy(ROOT / name, self.project / name)
        for tool in ORDINARY_TOOLS:
            self.bin.joinpath(tool).symlink_to(shutil.which(tool) or tool)
        self.program("id", "#!/bin/sh\necho 1000\n")
        self.environment = {"PATH": str(self.bin), "HOME": str(folder)}

    def program(self, name: str, text: str) -> None:
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def has_python_but_not(self, library: str) -> None:
        self.program("python3", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (self.bin / "sitecustomize.py").write_text(WITHOUT_LIBRARY.format(library=library))
        self.environment["PYTHONPATH"] = str(self.bin)

    def set_up(self, which: str = "runtime") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.project / "scripts" / "setup", which],
            check=False,
            env=self.environment,
            cwd=self.project,
            capture_output=True,
            text=True,
        )

    @property
    def calls(self) -> list[str]:
        return (self.project / "calls").read_text().splitlines()

    @property
    def venv(self) -> Path:
        return self.project / ".venv"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def packages_named(text: str) -> set[str]:
    """What the line for Debian asks for."""
    line = re.search(r"apt-get install (.+)", text)
    return set(line[1].split()) if line else set()


def test_a_machine_without_python_is_told_every_package(machine: Machine) -> None:
    """Without Python nothing else can be looked for, so that the whole list is named once."""
    ended = machine.set_up()
    assert ended.returncode == 1
    assert packages_named(ended.stderr) == EVERY_PACKAGE
    assert not machine.venv.exists()


@pytest.mark.parametrize(
    ("library", "package"),
    [("pango-1.0", "libpango-1.0-0"), ("pangoft2", "libpangoft2-1.0-0"), ("harfbuzz-subset", "libharfbuzz-subset0")],
)
def test_a_missing_library_is_named_before_anything_is_begun(machine: Machine, library: str, package: str) -> None:
    """Somebody who is not root reads the one package to ask for, and finds no half-made .venv."""
    machine.has_python_but_not(library)
    ended = machine.set_up()
    assert ended.returncode == 1
    assert packages_named(ended.stderr) == {package}
    assert "dnf install" in ended.stderr
    assert "brew install" in ended.stderr
    assert not machine.venv.exists()


def test_root_gets_the_missing_package_through_apt(machine: Machine) -> None:
    """Root's set-up asks apt for just what is missing; where apt did not help it stops as well, with no .venv begun."""
    machine.has_python_but_not("harfbuzz-subset")
    machine.program("id", "#!/bin/sh\necho 0\n")
    machine.program("apt-get", '#!/bin/sh\necho "$*" >>calls\n')
    ended = machine.set_up()
    assert machine.calls[0].startswith("update")
    assert machine.calls[1].endswith("--no-install-recommends libharfbuzz-subset0")
    assert ended.returncode == 1
    assert "missing: harfbuzz-subset" in ended.stderr
    assert not machine.venv.exists()


def test_a_set_up_that_was_killed_is_made_anew(machine: Machine) -> None:
    """A power cut in the middle of pip leaves no stamp behind: the next run throws the half-made .venv away and ends well."""
    machine.program("python3", PYTHON_THAT_NOTES)
    machine.program("noting", NOTING)
    (machine.project / "power-cut").touch()
    assert machine.set_up().returncode == -9
    (machine.venv / "half-written").touch()

    (machine.project / "power-cut").unlink()
    ended = machine.set_up()
    assert ended.returncode == 0, ended.stderr
    assert machine.calls.count("made") == 2
    assert not (machine.venv / "half-written").exists()


def test_a_finished_set_up_does_nothing_until_its_files_change(machine: Machine) -> None:
    """The second run calls nothing; a changed lock file installs again, a moved project starts over."""
    machine.program("python3", PYTHON_THAT_NOTES)
    machine.program("noting", NOTING)
    machine.set_up()
    assert ["--require-hashes" in call for call in machine.calls] == [False, True, False]

    ended = machine.set_up()
    assert (ended.returncode, ended.stderr, len(machine.calls)) == (0, "", 3)

    with (machine.project / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    machine.set_up()
    assert "--require-hashes -r requirements.lock" in machine.calls[3]
    assert len(machine.calls) == 4

    machine.project = machine.project.rename(machine.project.with_name("moved"))
    machine.set_up()
    assert machine.calls[4] == "made"


def test_the_set_up_for_tests_is_enough_to_run(machine: Machine) -> None:
    """requirements-dev.lock holds the runtime lock, too: after `make test`, `make demo` has nothing to install."""
    machine.program("python3", PYTHON_THAT_NOTES)
    machine.program("noting", NOTING)
    for tool in ("pdftotext", "pdftoppm", "qpdf"):
        machine.program(tool, "#!/bin/sh\n")
    machine.set_up("dev")
    before = machine.calls
    machine.set_up("runtime")
    assert machine.calls == before
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_the_tests_own_programs_are_named_where_they_are_missing(machine: Machine) -> None:
    """The tests look at documents with poppler and qpdf: without them nothing is begun, and both packages are named."""
    machine.program("python3", PYTHON_THAT_NOTES)
    machine.program("noting", NOTING)
    ended = machine.set_up("dev")
    assert {"poppler-utils", "qpdf"} <= packages_named(ended.stderr)
    assert not machine.venv.exists()


def pins(lock: str) -> dict[str, str]:
    """Each package's exact version."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", (ROOT / lock).read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_an_exact_version_and_a_hash(lock: str) -> None:
    """Each entry is name==version and at least one sha256; nothing else stands in the file."""
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())
    wrong = [
        entry
        for entry in entries
        if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.+!]*( \\\n    --hash=sha256:[0-9a-f]{64})+", entry)
    ]
    assert wrong == []
    assert len(entries) == len(pins(lock)) > 100


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_file_names_an_index_a_host_or_a_path(lock: str) -> None:
    """A lock file says what, never from where: the machine that installs it knows its own index."""
    text = (ROOT / lock).read_text()
    assert (
        re.findall(
            r"\S*://\S*|--?(?:extra-)?index-url.*|--find-links.*|--trusted-host.*| @ .*|^-e .*", text, re.MULTILINE
        )
        == []
    )
    assert re.findall(r"(?:^|\s)(?:file:|\.{0,2}/|~)\S*", text) == []
