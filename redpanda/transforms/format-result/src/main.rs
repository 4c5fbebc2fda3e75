//! format-result: what the models said (`prediction_score_topic`, $100,000) -> what a front end shows
//! (`prediction_result_topic`, whole dollars); what can't be shown goes to `prediction_dead_letter_topic`.
use format_result::format;
use message_contract::stage;

fn main() {
    stage::run("format-result", format)
}
