"""The door: from the bytes of a question to a stored prediction. Every way to ask goes through `ask`."""

import uuid

from mlmodel.features import matrix
from mlmodel.support import nearest_km
from predictions import doorbell, idempotency, life_log, services
from predictions.admission import admission
from predictions.callers import Caller
from predictions.contract import FeatureErrors, Normalised, normalise_features, parse_json
from predictions.location import location_flags, unsupported
from predictions.models import Prediction
from predictions.throttle import within_rate


def ask_json(
    *,
    body: bytes,
    caller: Caller,
    address: str,
    source: str,
    key_header: str | None = None,
    is_let_in: bool = False,
    gesture: uuid.UUID | None = None,
) -> Prediction:
    """Read a JSON body of features and ask; `key_header` is what the header `Idempotency-Key` says.

    `gesture`: the movement on the page that it is a step of.

    Raises:
        BadKey, ContractError, FeatureErrors, KeyReused, LineFull, TooMany: nothing was stored.
    """
    key = idempotency.read_key(key_header)
    return ask(
        features=parse_json(body),
        caller=caller,
        address=address,
        source=source,
        key=key,
        is_let_in=is_let_in,
        gesture=gesture,
    )


def ask(
    *,
    features: object,
    caller: Caller,
    address: str,
    source: str,
    key: str = "",
    is_let_in: bool = False,
    gesture: uuid.UUID | None = None,
) -> Prediction:
    """Store what `caller` at `address` asks and ring the doorbell; under a key once, however often it is asked.

    `is_let_in`: the door was open when it came.

    Raises:
        FeatureErrors, KeyReused, LineFull, TooMany: nothing was stored.
    """
    first = idempotency.asked_before(caller=caller, key=key) if key else None
    if first is not None:
        idempotency.check_same(first, normalise_features(features))
        return first
    admission.measure_if_due()
    if not is_let_in:
        admission.check()
    # What is refused below is not counted.
    with within_rate(caller=caller, address=address):
        question = supported(normalise_features(features))
        prediction = services.accept(caller=caller, question=question, source=source, key=key, gesture=gesture)
    admission.admitted()
    doorbell.ring()
    life_log.tell("accepted", [prediction.pk], source=source)
    return prediction


def supported(question: Normalised) -> Normalised:
    """The question, flagged where block groups with a known price are far.

    Raises:
        FeatureErrors: they are too far.
    """
    km = float(nearest_km(matrix([question.features]))[0])
    if (error := unsupported(km)) is not None:
        raise FeatureErrors([error])
    return Normalised(question.features, location_flags(km, question.flags))
