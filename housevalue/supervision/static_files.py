"""Static files of a run on one machine: collected and compressed once per change of a source, not once per run."""

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_if_changed() -> bool:
    """Make `STATIC_ROOT` what `collectstatic` would make it now; whether anything was to do.

    Compressing takes tens of seconds, so the outcome is kept beside the packages of this environment, for the next
    state folder.
    """
    fingerprint, known = _fingerprint(), settings.STATIC_ROOT / ".fingerprint"
    if known.exists() and known.read_text() == fingerprint:
        return False
    kept = _kept(fingerprint)
    if kept.is_dir():
        shutil.rmtree(settings.STATIC_ROOT, ignore_errors=True)
        shutil.copytree(kept, settings.STATIC_ROOT)
    else:
        call_command("collectstatic", interactive=False, clear=True, verbosity=0)
        _keep(kept)
    known.write_text(fingerprint)
    return True


def _kept(fingerprint: str) -> Path:
    return Path(sys.prefix) / "share" / "static" / fingerprint


def _keep(kept: Path) -> None:
    """Put a copy of `STATIC_ROOT` in the place of what was kept before."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    before = list(kept.parent.iterdir())
    copy = Path(tempfile.mkdtemp(dir=kept.parent)) / "static"
    shutil.copytree(settings.STATIC_ROOT, copy)
    if not kept.exists():
        copy.rename(kept)
    for folder in (copy.parent, *before):
        shutil.rmtree(folder, ignore_errors=True)


def _fingerprint() -> str:
    """Changes with the name, size or time of any source, and with how files are stored."""
    how = {name: getattr(settings, name) for name in dir(settings) if name.startswith(("STORAGES", "WHITENOISE_"))}
    digest = hashlib.sha256(repr(sorted(how.items())).encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            found = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
