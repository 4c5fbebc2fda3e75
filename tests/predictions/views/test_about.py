"""How far to trust the answers: told by the champion's own manifest."""

from itertools import pairwise

import pytest

from mlmodel import artefact, registry
from mlmodel.catalogue import CHAMPION
from mlmodel.models import ModelVersion
from predictions.trust import trust_in_champion

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture
def champion() -> ModelVersion:
    """The committed champion, registered and answering."""
    registry.register(artefact=artefact.load(CHAMPION))
    return registry.promote(name=CHAMPION, despite_bars=True)


def test_the_figures_are_those_of_the_champions_manifest(client, champion):
    tested = champion.manifest["metrics"]["rtdl"]
    tested |= {"mae": 0.12345, "r2": 0.77, "coverage": 0.83, "mean_width": 0.98765}
    champion.save()
    page = client.get("/about").content.decode()
    figures = ["$12,345", "77 %", "83 %", "$98,765", f"{tested['rows']:,} block groups", champion.sha256]
    assert [figure for figure in figures if figure not in page] == []


def test_what_it_learned_from_and_what_it_was_tested_on_are_the_whole_census(client, champion):
    page = client.get("/about").content.decode()
    assert "learned from 16,512 of that census's 20,640 block groups" in page
    assert "On the 4,128 block groups that were kept aside" in page
    assert "RTDL" not in page


def test_the_price_bands_reach_from_nothing_to_the_cap(champion):
    bands = trust_in_champion().bands
    assert (bands[0].begin, bands[-1].end) == (0, 500_001)
    assert all(before.end == after.begin for before, after in pairwise(bands))
    assert sum(band.rows for band in bands) == trust_in_champion().rows
    assert trust_in_champion().weakest.coverage == min(band.coverage for band in bands)


def test_areas_without_neighbours_are_told_of_where_they_were_measured(client, champion):
    champion.manifest["metrics"]["spatial"] = {"mae": 0.4, "coverage": 0.9}
    champion.save()
    assert "off by $40,000 on average" in client.get("/about").content.decode()


def test_without_a_model_the_page_still_says_what_it_is_not(client):
    page = client.get("/about").content.decode()
    assert "Not an appraisal" in page
    assert "40 km" in page
