"""Static files of a run on one machine: collected and compressed only when a source changed, which takes seconds."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_if_changed() -> bool:
    """Run `collectstatic` unless what it collected last is what it would collect now; whether it ran."""
    fingerprint, known = _fingerprint(), _fingerprint_file()
    if known.exists() and known.read_text() == fingerprint:
        return False
    known.unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    known.write_text(fingerprint)
    return True


def _fingerprint() -> str:
    """Changes with the name, size or time of any source, and with how files are stored."""
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            found = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _fingerprint_file() -> Path:
    return settings.STATIC_ROOT / ".fingerprint"
