"""The model card, generated from the manifests of the committed models: no figure in it is typed by hand."""

from collections.abc import Mapping
from typing import Any

from mlmodel import artefact
from mlmodel.bars import BARS
from mlmodel.catalogue import CHAMPION, RECIPES
from mlmodel.prices import in_dollars

PUBLISHED = (
    ("CatBoost", 0.4294),
    ("TabM", 0.4275),
    ("TabR", 0.3998),
    ("TabR, ensemble of five", 0.3914),
)
"""Test RMSE on the RTDL split, $100,000, as published (Gorishniy et al., TabR, 2024; TabM, 2025)."""

_PAGE = """\
# Model card

<!-- Written by `manage.py write_model_card` from the manifests in mlmodel/artefacts. Do not edit. -->

## What it is for

The champion, `{champion}`, estimates the median price of owner-occupied homes in a California block group of **1990**
from eight figures of that block group. It is a demonstration of a real-time path on public data.

It is **not** an appraisal of a home, not a price of today, and not a basis for lending, insurance, tax or hiring
decisions. A row of its data is a block group of 600 to 3,000 people, so an answer is about a neighbourhood.

## Data

California Housing: {rows:,} block groups of the 1990 US census (Pace and Barry, 1997), sha256 `{data_sha256}`.
Prices are capped at $500,001 (965 rows): dearer ones can't be told apart. Ages are capped at 52 years (1,273 rows).
The champion was fitted on {fitted_on}, its ranges calibrated on {calibrated_on}; the test part was used for the
figures below only.

## The models that are live

{models}

All are scored for every request; only the champion's answer is shown.

## Figures of the champion

Money in $100,000 of 1990.

{bars}

RTDL test RMSE beside what was published on the same split:

{published}

The comparison is of the split, not of the algorithm: this model knows where California's coast and cities lie, the
published ones had the eight columns only.

Random splits flatter every model here, since neighbours of a test row are in training. In whole unseen blocks of half
a degree the RMSE is {spatial_rmse:.3f}, on the mean of five layouts of blocks {layouts_rmse:.3f} (geography alone:
{geography_rmse:.3f}), and on a layout that was written down before any model was run on it {held_back_rmse:.3f}.
The five layouts were in view when the weights of the model's parts were chosen; the last one was not.

## The 90 % range

Normalised split conformal prediction, with a quantile of its own for every band of the true price: one quantile for
all would cover nine of ten homes on the whole but three of four of the dear ones. Coverage in five random folds:

{coverage}

In whole unseen blocks the ranges cover {spatial_coverage:.1%} and are {spatial_width:.2f} wide on average, against
{cv_width:.2f} in random folds: they widen where the known is far.

## Limits

* Places farther than 40 km from every known block group are refused; between 16 and 40 km they are answered, flagged,
  and given the wider range that errors in unseen blocks call for.
* Inputs outside the soft range of the data are flagged as unusual; the trees are flat out there.
* Prices above $500,000 come out near the cap, with a flag.
* Higher income never lowers an estimate (checked on 500 homes in 30 steps); no other input is constrained.
* A question that repeats a block group the model was fitted on is answered partly from that group's own price.

## Ethics

Prices of 1990 carry the segregation and the lending practice of their time, and location is the strongest input. The
data hold no race and no names, but place and income stand in for both. Using the estimates on people would carry that
past forward; the model must not be used so.

## Method, sources

* Ranges: Papadopoulos et al. 2002; Lei et al. 2018; Vovk 2012. Reasons: exact baseline Shapley values over seven
  inputs against the median block group (Sundararajan and Najmi, 2020).
* Trees: scikit-learn's HistGradientBoosting and LightGBM, monotone in income, served as ONNX in float32.
* Libraries of the champion: {libraries}.
"""


def render() -> str:
    """The whole page. Raises ArtefactError when a committed model's manifest can't be read."""
    manifests = {name: artefact.read_manifest(name) for name in RECIPES}
    champion = manifests[CHAMPION]
    metrics = champion["metrics"]
    return _PAGE.format(
        champion=CHAMPION,
        rows=20_640,
        data_sha256=champion["data"]["sha256"],
        fitted_on=champion["data"]["fitted_on"],
        calibrated_on=champion["data"]["calibrated_on"],
        models=_models(manifests),
        bars=_bars(metrics),
        published=_table(
            ("model", "RMSE"),
            [(f"**{CHAMPION}**", f"**{metrics['rtdl']['rmse']:.4f}**"), *((n, f"{v:.4f}") for n, v in PUBLISHED)],
        ),
        coverage=_coverage(metrics["cv"]),
        spatial_rmse=metrics["spatial"]["rmse"],
        layouts_rmse=metrics["layouts"]["mean_rmse"],
        geography_rmse=metrics["layouts"]["geography_mean_rmse"],
        held_back_rmse=metrics["held_back"]["rmse"],
        spatial_coverage=metrics["spatial"]["coverage"],
        spatial_width=metrics["spatial"]["mean_width"],
        cv_width=metrics["cv"]["mean_width"],
        libraries=", ".join(f"{name} {version}" for name, version in champion["libraries"].items()),
    )


def _models(manifests: Mapping[str, Mapping[str, Any]]) -> str:
    return _table(
        ("model", "what it is", "RTDL test RMSE", "range covers", "mean width"),
        [
            (
                f"`{name}`",
                manifest["about"],
                f"{(figures := manifest['metrics']['rtdl'])['rmse']:.4f}",
                f"{figures['coverage']:.1%}",
                f"{figures['mean_width']:.2f}",
            )
            for name, manifest in manifests.items()
        ],
    )


def _bars(metrics: Mapping[str, Any]) -> str:
    return _table(
        ("figure", "measured", "bar"),
        [
            (bar.label, "not measured" if (value := bar.value(metrics)) is None else f"{value:.4g}", bar.wanted())
            for bar in BARS
        ],
    )


def _coverage(figures: Mapping[str, Any]) -> str:
    pairs = zip(figures["coverage_by_price"], figures["coverage_by_estimate"], strict=True)
    return _table(
        ("band from", "rows by true price", "covered", "rows by estimate", "covered"),
        [
            (
                f"${in_dollars(true['from']):,}",
                f"{true['rows']:,}",
                f"{true['coverage']:.1%}",
                f"{estimated['rows']:,}",
                f"{estimated['coverage']:.1%}",
            )
            for true, estimated in pairs
        ],
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
