import csv
import io

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from mlmodel import artefact, evaluation, training
from mlmodel.bars import missed
from mlmodel.catalogue import CHAMPION, UnknownModel
from mlmodel.dataset import Housing, load_housing
from mlmodel.figures import price_figures
from mlmodel.splits import rtdl

QUIET = {"stdout": io.StringIO(), "stderr": io.StringIO()}


@pytest.mark.parametrize("name", ["champion", "monotone-hgb-1", "baseline"])
def test_training_again_gives_the_figures_and_the_prices_that_are_served(artefacts, name):
    split, y = rtdl(), load_housing().y
    again = evaluation.fit_predict(name, split.train, np.arange(20_640))
    committed = artefacts[CHAMPION if name == "champion" else name]
    stated = committed.manifest["metrics"]["rtdl"]["rmse"]
    assert price_figures(y[split.test], again[split.test])["rmse"] == pytest.approx(stated, abs=1e-6)
    served = committed.model.estimate(load_housing().X).price
    assert np.abs(served - again).max() <= 1e-4, "float32 moved a row of the data by more than $10"


@pytest.mark.parametrize("name", ["champion", "monotone-hgb-1", "baseline"])
def test_a_price_owes_nothing_to_the_prices_of_the_rows_asked_for(monkeypatch, name):
    rows = np.random.default_rng(0).permutation(20_640)
    train, test = rows[:600], rows[600:700]
    honest = evaluation.fit_predict(name, train, test)
    known = load_housing()
    prices = known.y.copy()
    prices[rows[600:]] = 4.9
    monkeypatch.setattr(evaluation, "load_housing", lambda: Housing(known.X, prices))
    np.testing.assert_array_equal(evaluation.fit_predict(name, train, test), honest)


def test_an_unknown_model_is_named():
    with pytest.raises(UnknownModel, match="crystal-ball"):
        evaluation.fit_predict("crystal-ball", np.arange(10), np.arange(5))


def test_the_champion_reaches_every_bar(artefacts):
    assert [bar.label for bar in missed(artefacts[CHAMPION].manifest["metrics"])] == []


def test_training_writes_an_artefact_that_serves_what_was_trained(tmp_path, artefacts):
    steps = []
    trained = training.train("baseline", root=tmp_path, progress=steps.append)
    assert trained.manifest["metrics"]["parity"] <= 1e-4
    assert trained.manifest["metrics"]["rtdl"]["rmse"] == pytest.approx(0.7257, abs=1e-4)
    assert {path.name for path in (tmp_path / "baseline").iterdir()} == {
        "manifest.json", "arrays.npz", "price.onnx", "scale.onnx"
    }  # fmt: skip
    assert steps[0] == "fitting the price"


def test_training_again_does_not_forget_an_evaluation(tmp_path):
    first = training.train("baseline", root=tmp_path)
    metrics = {**first.manifest["metrics"], "cv": {"rmse": 0.7}}
    artefact.write_manifest(tmp_path / "baseline", {**first.manifest, "metrics": metrics})
    again = training.train("baseline", root=tmp_path)
    assert again.sha256 == first.sha256
    assert again.manifest["metrics"]["cv"] == {"rmse": 0.7}


def test_training_that_fails_leaves_the_good_artefact(copied, monkeypatch):
    before = (copied / "baseline" / "manifest.json").read_bytes()
    monkeypatch.setattr(training, "export", lambda model: {})
    with pytest.raises(Exception, match=r"cannot be assembled|missing"):
        training.train("baseline", root=copied)
    assert (copied / "baseline" / "manifest.json").read_bytes() == before


def test_predictions_are_written_for_the_test_rows_of_the_split(db, tmp_path, artefacts):
    file = tmp_path / "prices.csv"
    call_command(
        "evaluate_model", "baseline", "--split", "rtdl", "--no-keep", "--write-predictions", str(file), **QUIET
    )
    with file.open() as lines:
        written = {int(line["row"]): float(line["prediction"]) for line in csv.DictReader(lines)}
    assert set(written) == set(rtdl().test.tolist())
    y = load_housing().y
    rmse = np.sqrt(np.mean([(price - y[row]) ** 2 for row, price in written.items()]))
    assert rmse == pytest.approx(0.7257, abs=1e-4)


def test_evaluating_prints_every_bar_and_the_published_figures(db):
    out = io.StringIO()
    call_command("evaluate_model", "baseline", "--split", "cv", "--no-keep", stdout=out, stderr=io.StringIO())
    assert "5-fold RMSE" in out.getvalue()
    assert "TabR" in out.getvalue()
    assert "missed" in out.getvalue()


def test_predictions_without_a_split_are_refused(db, tmp_path):
    with pytest.raises(CommandError, match="--split"):
        call_command("evaluate_model", "baseline", "--write-predictions", str(tmp_path / "x.csv"), **QUIET)


def test_the_benchmark_times_every_model():
    out = io.StringIO()
    call_command("bench_model", "--times", "2", "--json", stdout=out)
    assert CHAMPION in out.getvalue()
    assert "all together" in out.getvalue()
