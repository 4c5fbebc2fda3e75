"""Which processes of this machine belong to a state folder, and how to be rid of them."""

from pathlib import Path

import psutil

# Every process of a run carries this variable; its value is the state folder. A pid file would name a process that
# may since be somebody else's.
MARK = "HOUSEVALUE_STACK"


def processes_of(var_dir: Path) -> list[psutil.Process]:
    """Living processes started by a run with this state folder, zombies left out."""
    return [process for process in psutil.process_iter() if _belongs(process, var_dir)]


def end_all(var_dir: Path, *, seconds: float = 3.0) -> list[str]:
    """End what belongs to the state folder, cleanly if it can be done in `seconds`; the names of what was ended."""
    found = processes_of(var_dir)
    names = [_name(process) for process in found]
    for process in found:
        _signal(process, kill=False)
    _, alive = psutil.wait_procs(found, timeout=seconds if found else 0)
    # Whoever was forked meanwhile is found by looking again.
    for process in {*alive, *(processes_of(var_dir) if found else ())}:
        _signal(process, kill=True)
    psutil.wait_procs(alive, timeout=1)
    return names


def _belongs(process: psutil.Process, var_dir: Path) -> bool:
    try:
        return process.environ().get(MARK) == str(var_dir) and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, OSError):
        return False


def _name(process: psutil.Process) -> str:
    try:
        return f"{process.name()} ({process.pid})"
    except psutil.Error:
        return str(process.pid)


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except psutil.Error:
        pass
