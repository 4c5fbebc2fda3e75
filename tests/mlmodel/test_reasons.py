from itertools import permutations

import numpy as np
import pytest

from mlmodel import artefact, reasons
from mlmodel.catalogue import CHAMPION
from mlmodel.dataset import load_housing

HOUSE = load_housing().X[100]


def test_contributions_add_up_to_the_price(artefacts):
    for one in artefacts.values():
        for x in load_housing().X[::1000]:
            found = reasons.contributions(one.model.point, x)
            assert found.reference_price + sum(found.contributions.values()) == pytest.approx(found.price, abs=1e-9)
            assert found.price == pytest.approx(one.model.estimate(x[None]).price[0], abs=1e-5)


def test_contributions_are_the_mean_over_all_orders_of_joining(artefacts):
    """The definition itself, on 5,040 orders."""
    price = artefacts["monotone-hgb-1"].model.point.price
    known: dict[frozenset, float] = {}

    def worth(coalition):
        if coalition not in known:
            taken = [player in coalition for player in (*range(7), 6)]
            known[coalition] = price(np.where(taken, HOUSE, reasons.reference())[None])[0]
        return known[coalition]

    total = np.zeros(7)
    for order in permutations(range(7)):
        joined = frozenset()
        for player in order:
            total[player] += worth(joined | {player}) - worth(joined)
            joined |= {player}
    found = reasons.contributions(artefacts["monotone-hgb-1"].model.point, HOUSE)
    np.testing.assert_allclose(list(found.contributions.values()), total / 5040, atol=1e-5)


def test_the_reference_has_no_reasons(artefacts):
    found = reasons.contributions(artefacts["baseline"].model.point, reasons.reference())
    assert list(found.contributions.values()) == pytest.approx([0.0] * 7, abs=1e-12)


def test_an_input_at_its_reference_value_contributes_nothing(artefacts):
    x = HOUSE.copy()
    x[1] = reasons.reference()[1]
    found = reasons.contributions(artefacts["monotone-hgb-1"].model.point, x)
    assert found.contributions["house_age"] == pytest.approx(0, abs=1e-9)


def test_reasons_of_a_model_that_is_gone_are_refused(artefacts):
    with pytest.raises(artefact.ArtefactError, match="no longer here"):
        reasons.explain(model=CHAMPION, sha256="0" * 64, x=HOUSE)
    assert reasons.explain(model=CHAMPION, sha256=artefacts[CHAMPION].sha256, x=HOUSE).contributions
