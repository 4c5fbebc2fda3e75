//! The work of the transform, free of Redpanda, so that it is tested natively.
#![forbid(unsafe_code)]
use message_contract::envelope::Envelope;
use message_contract::fields::{self, Features};
use message_contract::stage::Output;
use message_contract::Rejection;
use serde::Serialize;

#[derive(Serialize)]
struct FeaturesMessage<'a> {
    id: &'a str,
    features: Features,
    flags: Vec<String>,
    requested_at: String,
}

/// A message of `prediction_topic` -> the message of `prediction_features_topic`.
pub fn prepare(value: Option<&[u8]>) -> Result<Output, Rejection> {
    let message = Envelope::read(value, ["id", "features", "requested_at"])?;
    let id = message.id()?;
    let requested_at = message.requested_at()?;
    let features = fields::normalise(message.required("features")?)?;
    let flags = features.flags();
    let value = serde_json::to_vec(&FeaturesMessage { id: &id, features, flags, requested_at })
        .map_err(|error| Rejection::of_message("bad_message", error.to_string()))?;
    Ok(Output { id, value })
}
