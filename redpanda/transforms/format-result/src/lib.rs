//! The work of the transform, free of Redpanda, so that it is tested natively.
#![forbid(unsafe_code)]
mod score;

use message_contract::envelope::Envelope;
use message_contract::fields::{self, Features};
use message_contract::stage::Output;
use message_contract::Rejection;
use score::{Dollars, Score};
use serde::ser::{SerializeMap, Serializer};
use serde::Serialize;

/// The data's prices stop at $500,001: a price from here on means "at least".
const CAP: f64 = 5.0;
const CAPPED: &str = "capped";
const MAX_FLAGS: usize = 64;

#[derive(Serialize)]
struct Model<'a> {
    id: &'a str,
    sha256: &'a str,
}

#[derive(Serialize)]
struct ResultMessage<'a> {
    id: &'a str,
    #[serde(flatten)]
    dollars: Dollars,
    model: Model<'a>,
    flags: Vec<String>,
    features: Features,
    requested_at: String,
    #[serde(serialize_with = "by_model")]
    shadows: Vec<&'a Score>,
}

/// A message of `prediction_score_topic` -> the message of `prediction_result_topic`.
pub fn format(value: Option<&[u8]>) -> Result<Output, Rejection> {
    let message = Envelope::read(value, ["id", "features", "flags", "requested_at", "scores"])?;
    let id = message.id()?;
    let requested_at = message.requested_at()?;
    let features = fields::read_normalised(message.required("features")?)
        .ok_or_else(|| bad_message("features", "features must be the eight numbers by their names"))?;
    let mut flags = read_flags(message.required("flags")?)?;
    let scores = score::read_scores(message.required("scores")?)?;
    let champion = score::champion(&scores)?;
    if champion.price >= CAP && !flags.iter().any(|flag| flag == CAPPED) {
        flags.push(CAPPED.to_string());
    }
    let result = ResultMessage {
        id: &id,
        dollars: champion.dollars(),
        model: Model { id: &champion.model, sha256: &champion.sha256 },
        flags,
        features,
        requested_at,
        shadows: scores.iter().filter(|score| !score.is_champion).collect(),
    };
    let value = serde_json::to_vec(&result).map_err(|error| Rejection::of_message("bad_message", error.to_string()))?;
    Ok(Output { id, value })
}

fn bad_message(field: &'static str, detail: &str) -> Rejection {
    Rejection::of_field("bad_message", field, detail)
}

fn read_flags(text: &str) -> Result<Vec<String>, Rejection> {
    serde_json::from_str(text)
        .ok()
        .filter(|flags: &Vec<String>| flags.len() <= MAX_FLAGS)
        .ok_or_else(|| bad_message("flags", "flags must be a list of at most 64 strings"))
}

fn by_model<S: Serializer>(shadows: &[&Score], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(shadows.len()))?;
    for shadow in shadows {
        map.serialize_entry(&shadow.model, &shadow.dollars())?;
    }
    map.end()
}
