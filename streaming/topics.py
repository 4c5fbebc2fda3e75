"""The topics of one prediction's way, in the order in which it travels them."""

from enum import StrEnum


class Topic(StrEnum):
    REQUESTS = "prediction_topic"
    FEATURES = "prediction_features_topic"
    SCORES = "prediction_score_topic"
    RESULTS = "prediction_result_topic"
    DEAD_LETTERS = "prediction_dead_letter_topic"


# A record of 30,000 headers stalls a Wasm transform of 2 MiB; what the door lets in is far below this.
MAX_MESSAGE_BYTES = 512 * 1024
