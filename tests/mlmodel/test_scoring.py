import shutil

import numpy as np
import pytest
from django.db import OperationalError

from mlmodel import registry
from mlmodel.dataset import load_housing
from mlmodel.scoring import REFRESH_SECONDS, LiveModels, NoLiveModel

X = load_housing().X[:64]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self) -> None:
        self.now += REFRESH_SECONDS


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def live(registered, clock):
    models = LiveModels(clock=clock)
    models.refresh()
    return models


def promote_baseline():
    registry.promote(name="baseline", reason="a drill", despite_bars=True)


def test_every_live_model_answers_and_the_champion_comes_first(live, registered):
    estimates = live.estimate(X)
    assert {one.model for one in estimates} == set(registered)
    assert [one.role for one in estimates] == ["champion"] + ["shadow"] * (len(registered) - 1)
    assert estimates[0].model == "monotone-hgb-1"
    for one in estimates:
        assert one.sha256 == registered[one.model].sha256
        assert one.price.shape == one.low.shape == one.high.shape == (64,)
        assert one.price.dtype == np.float64


def test_without_a_champion_nothing_is_estimated(db):
    with pytest.raises(NoLiveModel, match="register_models"):
        LiveModels.load().estimate(X)


def test_a_promotion_takes_effect_at_the_next_look(live, clock):
    promote_baseline()
    live.refresh()
    assert live.names[0] == "monotone-hgb-1"
    clock.wait()
    live.refresh()
    assert live.names[0] == "baseline"
    assert live.estimate(X)[0].role == "champion"


def test_between_two_looks_the_database_is_left_alone(live, django_assert_num_queries, clock):
    with django_assert_num_queries(0):
        for _ in range(100):
            live.refresh()
    clock.wait()
    with django_assert_num_queries(1):
        live.refresh()


def test_a_change_of_roles_loads_no_file_again(live, clock, monkeypatch):
    monkeypatch.setattr("mlmodel.artefact.load", lambda *_: pytest.fail("loaded again"))
    promote_baseline()
    clock.wait()
    live.refresh()
    assert live.names[0] == "baseline"


def test_a_model_that_goes_live_while_running_answers(registered, clock):
    registry.retire(name="baseline")
    live = LiveModels(clock=clock)
    live.refresh()
    assert "baseline" not in live.names
    promote_baseline()
    clock.wait()
    live.refresh()
    assert live.names[0] == "baseline"


def test_a_broken_new_champion_leaves_the_one_that_serves(registered, copied, clock, caplog):
    registry.retire(name="baseline")
    live = LiveModels(root=copied, clock=clock)
    live.refresh()
    served = live.names
    (copied / "baseline" / "price.onnx").write_bytes(b"broken")
    promote_baseline()
    clock.wait()
    live.refresh()
    clock.wait()
    live.refresh()
    assert live.names == served
    assert caplog.text.count("can't be loaded") == 1
    shutil.copytree(registry_folder("baseline"), copied / "baseline", dirs_exist_ok=True)
    clock.wait()
    live.refresh()
    assert live.names[0] == "baseline"


def test_a_broken_shadow_is_left_out(registered, copied):
    (copied / "baseline" / "price.onnx").unlink()
    assert LiveModels.load(root=copied).names == [
        "monotone-hgb-1",
        *sorted(set(registered) - {"monotone-hgb-1", "baseline"}),
    ]


def test_files_other_than_the_registered_ones_are_not_served(registered, db):
    registry.ModelVersion.objects.filter(name="baseline").update(sha256="0" * 64)
    assert "baseline" not in LiveModels.load().names


def test_a_registry_that_can_not_be_read_leaves_the_models_as_they_are(live, clock, monkeypatch):
    def unreachable():
        raise OperationalError("gone")

    monkeypatch.setattr(live, "_versions", unreachable)
    clock.wait()
    live.refresh()
    assert live.names[0] == "monotone-hgb-1"


def registry_folder(name):
    from mlmodel.artefact import ARTEFACTS

    return ARTEFACTS / name
