"""Make `.venv` and install `requirements/<name>.txt` in it, unless that very file is installed already.

Run by `make` with the system's Python, standard library only: `python3 requirements/install.py runtime|dev`.
"""

import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "pip.log"
# dev.txt pins everything that runtime.txt pins, to the same versions.
COVERS = {"runtime": ["runtime"], "dev": ["dev", "runtime"]}


class SetUpFailed(Exception):
    """The text is one line for the person at the terminal."""


def main(name: str) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  (it is the user's Python that runs this)
        raise SetUpFailed(f"Python 3.11 or newer is needed, {sys.executable} is {sys.version.split()[0]}.")
    if is_installed(name):
        return
    make_environment()
    install(name)
    for covered in COVERS[name]:
        mark_of(covered).write_text(hash_of(covered))


def requirements_of(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"


def hash_of(name: str) -> str:
    return hashlib.sha256(requirements_of(name).read_bytes()).hexdigest()


def mark_of(name: str) -> Path:
    return VENV / f"installed-{name}"


def is_installed(name: str) -> bool:
    return PYTHON.exists() and mark_of(name).exists() and mark_of(name).read_text() == hash_of(name)


def make_environment() -> None:
    if PYTHON.exists():
        return
    say(f"making .venv with Python {sys.version.split()[0]}")
    made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True, check=False)
    if made.returncode:
        said = made.stdout + made.stderr
        hint = "apt install python3-venv" if "ensurepip" in said else last_line(said)
        raise SetUpFailed(f".venv can't be made: {hint}")


def install(name: str) -> None:
    """Run pip, its own words in .venv/pip.log, a line of progress at the terminal.

    Raises:
        SetUpFailed: with pip's last error.
    """
    total = len(re.findall(r"(?m)^[\w.\[\]-]+==", requirements_of(name).read_text()))
    command = [PYTHON, "-m", "pip", "install", "--require-hashes", "--no-input", "--progress-bar", "off"]
    command += ["--disable-pip-version-check", "--retries", "2", "-r", requirements_of(name)]
    started = time.monotonic()
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    follow(pip, total=total, started=started)
    if pip.wait():
        errors = [line for line in LOG.read_text().splitlines() if line.startswith("ERROR")]
        reason = errors[-1] if errors else f"pip ended with status {pip.returncode}."
        raise SetUpFailed(f"{reason} Is there a way to the internet, and room on the disk? More: {LOG}")
    say(f"{total} packages installed in {time.monotonic() - started:.0f} s")


def follow(pip: subprocess.Popen, *, total: int, started: float) -> None:
    """Keep pip's output and say, now and then, how far it is."""
    assert pip.stdout is not None
    pause, said, seen, verb = (0.2 if sys.stdout.isatty() else 5.0), started, 0, "fetching"
    with LOG.open("w") as log:
        for line in pip.stdout:
            log.write(line)
            log.flush()
            seen += line.startswith(("Collecting ", "Requirement already satisfied: "))
            if unpacking := line.startswith("Installing collected packages"):
                verb = "unpacking"
            now = time.monotonic()
            if unpacking or now - said > pause:
                said = now
                say(f"{verb} {min(seen, total)} of {total} packages, {now - started:.0f} s", passing=True)


def say(text: str, *, passing: bool = False) -> None:
    """One line; on a terminal a passing one is replaced by the next."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\x1b[2K  {text}" + ("" if passing else "\n"))
    else:
        sys.stdout.write(f"  {text}\n")
    sys.stdout.flush()


def last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except SetUpFailed as failure:
        sys.exit(str(failure))
    except OSError as error:
        sys.exit(f"Can't set up: {error.strerror} ({error.filename})")
    except KeyboardInterrupt:
        sys.exit(130)
