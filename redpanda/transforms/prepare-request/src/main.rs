//! prepare-request: a question as it was asked (`prediction_topic`) -> the same, checked and normalised
//! (`prediction_features_topic`); what can't be scored goes to `prediction_dead_letter_topic` with the reason.
use message_contract::stage;
use prepare_request::prepare;

fn main() {
    stage::run("prepare-request", prepare)
}
