"""The end of an account: all that is known by it goes, whatever happens meanwhile."""

import pytest

from predictions import account, keeping
from predictions.callers import Caller
from predictions.models import Sale
from tests import making

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_a_sale_that_was_withdrawn_leaves_no_past_behind(ada):
    prediction = making.answered(Caller.of_user(ada))
    keeping.report_sale(prediction=prediction, price=1, sold_on=None)
    keeping.withdraw_sale(prediction)
    account.delete_account(ada)
    assert not Sale.history.exists()
