"""The logins of a run on one machine. Their passwords are made for its state folder and are good nowhere else."""

import json
import secrets
from contextlib import suppress
from pathlib import Path

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Q

from predictions.models import IntegrationSource

VISITOR, OPERATOR = "demo", "operator"
# What `redpanda/connect/feed.yaml` calls itself unless it is told otherwise.
DROP_SOURCE = "csv-drop"
_OPERATED_APPS = ("predictions", "streaming", "mlmodel", "axes", "authtoken")


def read_logins(var_dir: Path) -> dict[str, str]:
    """User name -> password as they were made; empty before the first run."""
    with suppress(OSError, ValueError):
        return json.loads(_file(var_dir).read_text())
    return {}


@transaction.atomic
def create_logins(var_dir: Path) -> dict[str, str]:
    """Make the two users where they are missing: a plain one, and one who may do everything an operator does.

    A password that its user has changed since stays changed. What comes in by the drop folder is the plain user's.
    Returns user name -> password as they were made.
    """
    logins = read_logins(var_dir)
    if made_now := not logins:
        logins = {name: secrets.token_hex(6) for name in (VISITOR, OPERATOR)}
        _write(var_dir, logins)
    for name, password in logins.items():
        user, is_new = get_user_model().objects.get_or_create(
            username=name, defaults={"email": f"{name}@localhost", "is_staff": name == OPERATOR}
        )
        if is_new or made_now:
            user.set_password(password)
            user.save()
        if user.is_staff:
            # To see users is to be able to choose one for a token.
            operates = Q(content_type__app_label__in=_OPERATED_APPS) | Q(codename="view_user")
            user.user_permissions.set(Permission.objects.filter(operates))
    visitor = get_user_model().objects.get(username=VISITOR)
    IntegrationSource.objects.get_or_create(name=DROP_SOURCE, defaults={"owner": visitor})
    return logins


def _write(var_dir: Path, logins: dict[str, str]) -> None:
    path = _file(var_dir)
    path.touch(mode=0o600)
    path.write_text(json.dumps(logins, indent=1))


def _file(var_dir: Path) -> Path:
    return var_dir / "demo_logins.json"
