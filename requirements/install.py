"""Make `.venv` and install `requirements/<name>.txt` in it, unless that very file is installed already.

Run by `make` with the system's Python, standard library only: `python3 requirements/install.py runtime|dev`.
"""

import hashlib
import os
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
LOG = os.path.join(VENV, "pip.log")
PYTHON = os.path.join(VENV, "bin", "python")
# dev.txt pins everything that runtime.txt pins, to the same versions.
COVERS = {"runtime": ["runtime"], "dev": ["dev", "runtime"]}


class SetUpFailed(Exception):
    """The text is one line for the person at the terminal."""


def main(name):
    if sys.version_info < (3, 11):
        raise SetUpFailed(
            "Python 3.11 or newer is needed, this is {}.{}: make PYTHON=/path/to/python3.11 ...".format(
                *sys.version_info
            )
        )
    if not is_installed(name):
        make_environment()
        install(name)
        for covered in COVERS[name]:
            with open(mark_of(covered), "w") as mark:
                mark.write(hash_of(covered))


def requirements_of(name):
    return os.path.join(ROOT, "requirements", name + ".txt")


def hash_of(name):
    with open(requirements_of(name), "rb") as requirements:
        return hashlib.sha256(requirements.read()).hexdigest()


def mark_of(name):
    return os.path.join(VENV, "installed-" + name)


def is_installed(name):
    try:
        with open(mark_of(name)) as mark:
            return mark.read() == hash_of(name)
    except OSError:
        return False


def make_environment():
    if os.path.exists(PYTHON):
        return
    say("making .venv with Python {}.{}".format(*sys.version_info))
    made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True)
    if made.returncode:
        hint = (
            "apt install python3-venv"
            if "ensurepip" in made.stdout + made.stderr
            else last_line(made.stdout + made.stderr)
        )
        raise SetUpFailed(".venv can't be made: " + hint)


def install(name):
    """Run pip, its own words in .venv/pip.log, a line of progress at the terminal."""
    with open(requirements_of(name)) as requirements:
        total = sum("==" in line for line in requirements)
    command = [PYTHON, "-m", "pip", "install", "--require-hashes", "--no-input", "--disable-pip-version-check"]
    command += ["--retries", "2", "--progress-bar", "off", "-r", requirements_of(name)]
    started, said, seen = time.monotonic(), 0.0, 0
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with open(LOG, "w") as log:
        for line in pip.stdout:
            log.write(line)
            seen += line.startswith(("Collecting ", "Requirement already satisfied: "))
            unpacking = line.startswith("Installing collected packages")
            if unpacking or time.monotonic() - said > (0.2 if sys.stdout.isatty() else 5):
                said = time.monotonic()
                what = "unpacking" if unpacking else "fetching"
                say(
                    f"{what} {min(seen, total)} of {total} packages, {said - started:.0f} s", passing=True
                )
    if pip.wait():
        with open(LOG) as log:
            errors = [line for line in log if line.startswith("ERROR")] or [f"pip ended with {pip.returncode}"]
        raise SetUpFailed(
            f"{errors[-1].strip()} Is there a way to the internet, and room on the disk? All of it: {LOG}"
        )
    say(f"{total} packages installed in {time.monotonic() - started:.0f} s")


def say(text, passing=False):
    """One line; on a terminal a passing one is replaced by the next."""
    if sys.stdout.isatty():
        sys.stdout.write("\r\x1b[2K  " + text + ("" if passing else "\n"))
        sys.stdout.flush()
    else:
        print("  " + text, flush=True)


def last_line(text):
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
