"""Which models are live, and in which role. Every change is one audited function here."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from mlmodel.artefact import Artefact
from mlmodel.bars import BARS, Bar, missed
from mlmodel.models import ModelVersion

Role = ModelVersion.Role


class RegistryError(Exception):
    """The registry refuses a change; the text says why."""


def live_versions() -> list[ModelVersion]:
    """The champion first (if there is one), then the shadows by name; manifests are not loaded."""
    rows = ModelVersion.objects.exclude(role=Role.RETIRED).defer("manifest")
    return sorted(rows, key=lambda version: (version.role != Role.CHAMPION, version.name))


@transaction.atomic
def register(*, artefact: Artefact, by: AbstractBaseUser | None = None) -> ModelVersion:
    """Make a verified artefact known: new ones as shadows, known ones with the files and figures they now have.

    Raises RegistryError when the champion's files changed and now miss a bar.
    """
    _wait_for_other_changes()
    described = {"family": artefact.manifest["family"], "sha256": artefact.sha256, "manifest": artefact.manifest}
    version = ModelVersion.objects.filter(name=artefact.name).first()
    if version is None:
        version = ModelVersion(name=artefact.name, **described)
        _save(version, by=by, reason="registered")
    elif any(getattr(version, field) != value for field, value in described.items()):
        if version.role == Role.CHAMPION and version.sha256 != artefact.sha256 and missed(artefact.manifest["metrics"]):
            raise RegistryError(f"{version.name} is champion, and its changed files miss a bar: promote another first")
        for field, value in described.items():
            setattr(version, field, value)
        _save(version, by=by, reason="registered again with other files or figures")
    return version


@transaction.atomic
def promote(
    *, name: str, by: AbstractBaseUser | None = None, reason: str = "", despite_bars: bool = False
) -> ModelVersion:
    """Make `name` the champion; the one before becomes a shadow.

    Raises RegistryError when no such model is registered, or it misses a bar: `despite_bars` is for emergencies, and
    the audit row says so.
    """
    _wait_for_other_changes()
    version = _version(name)
    return _crown(version, by=by, reason=_noted("promoted" + _despite(version, despite_bars), reason))


@transaction.atomic
def roll_back(*, by: AbstractBaseUser | None = None, reason: str = "", despite_bars: bool = False) -> ModelVersion:
    """Make the champion before the present one champion again.

    Raises RegistryError when there was none, or it misses a bar, as in `promote`.
    """
    _wait_for_other_changes()
    champion = ModelVersion.objects.filter(role=Role.CHAMPION).first()
    earlier = ModelVersion.history.filter(role=Role.CHAMPION)
    if champion is not None:
        earlier = earlier.exclude(name=champion.name)
    before = earlier.order_by("-history_date", "-history_id").first()
    if before is None:
        raise RegistryError("there was no champion before this one")
    version = _version(before.name)
    return _crown(version, by=by, reason=_noted("rolled back" + _despite(version, despite_bars), reason))


@transaction.atomic
def retire(*, name: str, by: AbstractBaseUser | None = None, reason: str = "") -> ModelVersion:
    """Stop scoring with `name`. Raises RegistryError for the champion: promote another one first."""
    _wait_for_other_changes()
    version = _version(name)
    if version.role == Role.CHAMPION:
        raise RegistryError(f"{name} is the champion: promote another model before retiring it")
    version.role, version.retired_at = Role.RETIRED, timezone.now()
    _save(version, by=by, reason=reason or "retired")
    return version


def _wait_for_other_changes() -> None:
    """Lock every row to the end of the transaction: of two changes at once the second sees what the first did."""
    list(ModelVersion.objects.select_for_update().order_by("pk").values_list("pk"))


def _crown(version: ModelVersion, *, by: AbstractBaseUser | None, reason: str) -> ModelVersion:
    before = ModelVersion.objects.filter(role=Role.CHAMPION).first()
    if before == version:
        return version
    if before is not None:
        before.role = Role.SHADOW
        _save(before, by=by, reason=f"made way for {version.name}")
    version.role, version.promoted_at, version.retired_at = Role.CHAMPION, timezone.now(), None
    _save(version, by=by, reason=reason)
    return version


def _despite(version: ModelVersion, despite_bars: bool) -> str:
    """What the audit row adds where bars are missed on purpose. Raises RegistryError where it is not on purpose."""
    misses = missed(version.manifest["metrics"])
    if misses and not despite_bars:
        listed = "; ".join(f"{bar.label} must be {bar.wanted()}, is {_shown(bar, version)}" for bar in misses)
        raise RegistryError(f"{version.name} misses {len(misses)} of {len(BARS)} bars: {listed}")
    return f" despite {len(misses)} missed bars" if misses else ""


def _noted(what: str, reason: str) -> str:
    return f"{what}: {reason}" if reason else what


def _shown(bar: Bar, version: ModelVersion) -> str:
    value = bar.value(version.manifest["metrics"])
    return "not measured" if value is None else f"{value:.4g}"


def _version(name: str) -> ModelVersion:
    try:
        return ModelVersion.objects.get(name=name)
    except ModelVersion.DoesNotExist:
        raise RegistryError(f"no model named {name!r} is registered") from None


def _save(version: ModelVersion, *, by: AbstractBaseUser | None, reason: str) -> None:
    version._history_user = by
    version._change_reason = reason[:100]
    version.save()
