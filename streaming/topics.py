"""The topics of one prediction's way, in the order in which it travels them."""

from enum import StrEnum


class Topic(StrEnum):
    REQUESTS = "prediction_topic"
    FEATURES = "prediction_features_topic"
    SCORES = "prediction_score_topic"
    RESULTS = "prediction_result_topic"
    DEAD_LETTERS = "prediction_dead_letter_topic"


class Group(StrEnum):
    """The consumer groups; those of transforms are named by the host that runs them outside the broker."""

    PREPARE = "transform-prepare-request"
    SCORE = "score-predictions"
    FORMAT = "transform-format-result"
    DELIVER = "deliver-results"


READERS = (
    (Topic.REQUESTS, Group.PREPARE),
    (Topic.FEATURES, Group.SCORE),
    (Topic.SCORES, Group.FORMAT),
    (Topic.RESULTS, Group.DELIVER),
    (Topic.DEAD_LETTERS, Group.DELIVER),
)
"""Who reads what."""

# A Wasm transform has 2 MiB: larger records with tens of thousands of headers, mixed, made it trap now and then.
MAX_MESSAGE_BYTES = 256 * 1024
