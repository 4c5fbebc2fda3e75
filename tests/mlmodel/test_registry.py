import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from mlmodel import artefact, registry
from mlmodel.bars import BARS, missed
from mlmodel.catalogue import CHAMPION, RECIPES
from mlmodel.models import ModelVersion
from mlmodel.registry import RegistryError
from tests.stack import wait_until


def roles():
    return dict(ModelVersion.objects.values_list("name", "role"))


def test_the_first_registration_makes_the_default_model_champion(db):
    call_command("register_models", stdout=io.StringIO())
    assert roles() == {name: "champion" if name == CHAMPION else "shadow" for name in RECIPES}


def test_registering_again_changes_nothing_and_writes_no_audit_row(registered):
    before = roles()
    audits = ModelVersion.history.count()
    call_command("register_models", stdout=io.StringIO())
    assert roles() == before
    assert ModelVersion.history.count() == audits


def test_the_database_refuses_a_second_champion(registered):
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(name="baseline").update(role="champion")


def test_the_database_refuses_an_unknown_role(registered):
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(name="baseline").update(role="king")


def test_the_champion_comes_first_among_the_live(registered):
    assert registry.live_versions()[0].name == "monotone-hgb-1"


def test_a_promotion_is_audited_with_who_and_why(registered, admin_user):
    registry.promote(name="baseline", by=admin_user, reason="a drill", despite_bars=True)
    assert roles()["baseline"] == "champion"
    assert roles()["monotone-hgb-1"] == "shadow"
    audit = ModelVersion.objects.get(name="baseline").history.first()
    assert (audit.history_user, audit.role) == (admin_user, "champion")
    assert "a drill" in audit.history_change_reason


def test_the_champion_can_not_be_retired(registered):
    with pytest.raises(RegistryError, match="champion"):
        registry.retire(name="monotone-hgb-1")


def test_a_retired_model_is_live_no_more(registered):
    registry.retire(name="baseline", reason="superseded")
    assert "baseline" not in [version.name for version in registry.live_versions()]


def test_an_unknown_model_can_not_be_promoted(db):
    with pytest.raises(RegistryError, match="nobody"):
        registry.promote(name="nobody")


def test_training_an_unknown_model_is_said_plainly(db):
    with pytest.raises(CommandError, match="no model is named 'crystal-ball'"):
        call_command("train_model", "crystal-ball")


def test_a_candidate_that_misses_a_bar_is_refused_and_told_which(registered):
    with pytest.raises(RegistryError, match=r"RTDL test RMSE.* must be <= 0.385, is 0.7257"):
        registry.promote(name="baseline", reason="I like lines")
    assert roles()["monotone-hgb-1"] == "champion"


def test_a_figure_that_was_never_measured_is_a_miss():
    assert len(missed({})) == len(BARS)


def test_rolling_back_restores_the_champion_before(registered):
    registry.promote(name="baseline", reason="a drill", despite_bars=True)
    with pytest.raises(RegistryError, match="misses"):
        registry.roll_back(reason="the drill is over")
    assert registry.roll_back(reason="the drill is over", despite_bars=True).name == "monotone-hgb-1"
    assert roles()["baseline"] == "shadow"


def test_without_an_earlier_champion_there_is_nothing_to_roll_back_to(registered):
    with pytest.raises(RegistryError, match="no champion before"):
        registry.roll_back()


def test_changed_files_of_the_champion_that_miss_a_bar_are_refused(registered):
    champion = registry.live_versions()[0]
    with pytest.raises(RegistryError, match="promote another first"):
        registry.register(artefact=changed(champion.name, metrics={}))
    champion.refresh_from_db()
    assert champion.sha256 != "f" * 64


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_a_promotion_at_the_moment_of_a_registration_stands(registered):
    good_enough = registered[CHAMPION].manifest["metrics"]
    is_promoted, may_commit = threading.Event(), threading.Event()

    def promote_and_linger() -> None:
        with on_a_connection_of_its_own(), transaction.atomic():
            registry.promote(name="baseline", reason="a drill", despite_bars=True)
            is_promoted.set()
            assert may_commit.wait(20)

    def register() -> None:
        with on_a_connection_of_its_own():
            registry.register(artefact=changed("baseline", metrics=good_enough))

    with ThreadPoolExecutor(2) as threads:
        promoting = threads.submit(promote_and_linger)
        try:
            assert is_promoted.wait(20)
            registering = threads.submit(register)
            wait_until(somebody_waits_for_a_row, 20, "the registration to wait for the promotion")
        finally:
            may_commit.set()
        promoting.result(20)
        registering.result(20)
    assert roles() == dict.fromkeys(registered, "shadow") | {"baseline": "champion"}
    assert ModelVersion.objects.get(name="baseline").sha256 == "f" * 64


def somebody_waits_for_a_row() -> bool:
    """SQLite does not tell, and lets nobody begin a change during another one anyway."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


@contextmanager
def on_a_connection_of_its_own() -> Iterator[None]:
    """For the code of a thread."""
    try:
        yield
    finally:
        connection.close()


def changed(name: str, *, metrics: dict):
    """The committed artefact of this name, as if its files were others and had these figures."""
    known = artefact.load(name)
    return replace(known, sha256="f" * 64, manifest={**known.manifest, "metrics": metrics})
