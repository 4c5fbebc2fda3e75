//! What the models said about one house, and the same in whole dollars.
use message_contract::envelope::Envelope;
use message_contract::json;
use message_contract::Rejection;
use serde::Serialize;

const MAX_SCORES: usize = 32;
const MAX_MODEL_CHARS: usize = 128;
const DOLLARS_PER_UNIT: f64 = 100_000.0;
/// Above it the dollars are no exact JSON number any more.
const MAX_PRICE: f64 = 1e9;

/// One model's estimate in model units ($100,000); `low <= price <= high`.
pub struct Score {
    pub model: String,
    pub sha256: String,
    pub is_champion: bool,
    pub price: f64,
    low: f64,
    high: f64,
}

/// An estimate in whole dollars of 1990.
#[derive(Serialize)]
pub struct Dollars {
    price: u64,
    low: u64,
    high: u64,
}

impl Score {
    pub fn dollars(&self) -> Dollars {
        Dollars { price: dollars(self.price), low: dollars(self.low), high: dollars(self.high) }
    }
}

fn dollars(units: f64) -> u64 {
    (units * DOLLARS_PER_UNIT + 0.5).floor().max(0.0) as u64
}

/// The scores of a message (JSON text): 1 to 32, each of another model.
pub fn read_scores(text: &str) -> Result<Vec<Score>, Rejection> {
    let mut scores: Vec<Score> = Vec::new();
    let mut first_error = None;
    let count = json::for_each_element(text, MAX_SCORES, |element| {
        if first_error.is_none() {
            match read_score(element) {
                Ok(score) if scores.iter().any(|other| other.model == score.model) => {
                    first_error = Some(bad_score("model", "two scores are of the same model"));
                }
                Ok(score) => scores.push(score),
                Err(rejection) => first_error = Some(rejection),
            }
        }
    });
    match (count, first_error) {
        (Ok(1..=MAX_SCORES), None) => Ok(scores),
        (Ok(1..=MAX_SCORES), Some(error)) => Err(error),
        _ => Err(bad_score("scores", "scores must be a list of 1 to 32 scores")),
    }
}

/// The one score that is the answer.
pub fn champion(scores: &[Score]) -> Result<&Score, Rejection> {
    let mut champions = scores.iter().filter(|score| score.is_champion);
    match (champions.next(), champions.next()) {
        (Some(champion), None) => Ok(champion),
        _ => Err(bad_score("role", "exactly one score must be the champion's")),
    }
}

fn bad_score(field: &'static str, detail: &str) -> Rejection {
    Rejection::of_field("bad_score", field, detail)
}

fn read_score(text: &str) -> Result<Score, Rejection> {
    let members = Envelope::read_object(text, ["model", "sha256", "role", "price", "low", "high"], "bad_score")
        .map_err(|_| bad_score("scores", "each score must be a JSON object"))??;
    let string = |name| members.get(name).and_then(json::string);
    let number = |name: &'static str| {
        members
            .get(name)
            .and_then(json::number)
            .filter(|number| number.abs() <= MAX_PRICE)
            .ok_or_else(|| bad_score(name, "a price must be a number of at most 1e9 ($100,000)"))
    };
    let score = Score {
        model: string("model")
            .filter(|model| (1..=MAX_MODEL_CHARS).contains(&model.chars().count()))
            .ok_or_else(|| bad_score("model", "model must be a string of 1 to 128 characters"))?,
        sha256: string("sha256")
            .filter(|digest| is_sha256(digest))
            .ok_or_else(|| bad_score("sha256", "sha256 must be 64 hexadecimal digits in lower case"))?,
        is_champion: match string("role").as_deref() {
            Some("champion") => true,
            Some("shadow") => false,
            _ => return Err(bad_score("role", "role must be champion or shadow")),
        },
        price: number("price")?,
        low: number("low")?,
        high: number("high")?,
    };
    if score.low > score.price {
        return Err(bad_score("low", "low must not be above the price"));
    }
    if score.high < score.price {
        return Err(bad_score("high", "high must not be below the price"));
    }
    Ok(score)
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_are_whole_rounded_and_never_negative() {
        assert_eq!(dollars(4.526), 452_600);
        assert_eq!(dollars(0.000_005), 1);
        assert_eq!(dollars(0.000_004_9), 0);
        assert_eq!(dollars(-3.0), 0);
    }
}
