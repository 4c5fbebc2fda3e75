//! The eight features: their table (generated from `redpanda/contracts/fields.json`) and how a question's are normalised.
use crate::json;
use crate::Rejection;
use serde::ser::{Serialize, SerializeMap, Serializer};

include!(concat!(env!("OUT_DIR"), "/fields.rs"));

/// How much of an unknown name an error repeats.
const MAX_NAME_CHARS: usize = 64;

/// One feature of a house as the contract describes it.
pub struct Field {
    pub name: &'static str,
    pub unit: &'static str,
    /// Another spelling, and what its value is divided by.
    aliases: &'static [(&'static str, f64)],
    hard: Bounds,
    soft: Option<Bounds>,
    /// The place in the table of the field that counts these too.
    part_of: Option<usize>,
}

/// An interval; `exclusive` is about its lower end.
struct Bounds {
    min: f64,
    exclusive: bool,
    max: f64,
}

impl Bounds {
    fn hold(&self, value: f64) -> bool {
        value <= self.max && (value > self.min || (value == self.min && !self.exclusive))
    }

    fn text(&self) -> String {
        let (min, max) = (json::number_text(self.min), json::number_text(self.max));
        if self.exclusive {
            format!("above {min} and at most {max}")
        } else {
            format!("between {min} and {max}")
        }
    }
}

/// Eight finite numbers in the order of the table; as JSON an object with the canonical names.
#[derive(Debug, Clone, PartialEq)]
pub struct Features(pub [f64; COUNT]);

impl Serialize for Features {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(COUNT))?;
        for (field, value) in FIELDS.iter().zip(self.0) {
            map.serialize_entry(field.name, &value)?;
        }
        map.end()
    }
}

impl Features {
    /// What is unusual about them: one flag for each feature outside its soft range, then one for each part above its
    /// whole, both in the order of the table.
    pub fn flags(&self) -> Vec<String> {
        let outside = FIELDS.iter().zip(self.0).filter_map(|(field, value)| {
            let is_outside = field.soft.as_ref().is_some_and(|soft| !soft.hold(value));
            is_outside.then(|| format!("unusual_{}", field.name))
        });
        let above = FIELDS.iter().zip(self.0).filter_map(|(field, value)| {
            let whole = field.part_of?;
            (value > self.0[whole]).then(|| format!("{}_above_{}", field.name, FIELDS[whole].name))
        });
        outside.chain(above).collect()
    }
}

/// Checks the features of a question (JSON text) and gives them their canonical names.
pub fn normalise(text: &str) -> Result<Features, Rejection> {
    let given = by_canonical_name(text)?;
    let mut values = [0.0; COUNT];
    for (i, field) in FIELDS.iter().enumerate() {
        values[i] = match given[i] {
            Some((value, divide_by)) => read(field, value, divide_by)?,
            None => return Err(field.rejection("missing_field", format!("{} is missing ({})", field.name, field.unit))),
        };
    }
    Ok(Features(values))
}

/// Reads features that were normalised before; None when they are not the eight canonical names with finite numbers.
pub fn read_normalised(text: &str) -> Option<Features> {
    let mut values = [f64::NAN; COUNT];
    let mut members = 0;
    json::for_each_member(text, |key, value| {
        members += 1;
        if let Some(i) = FIELDS.iter().position(|field| field.name == key) {
            values[i] = json::number(value).unwrap_or(f64::NAN);
        }
    })
    .ok()?;
    (members == COUNT && values.iter().all(|value| value.is_finite())).then_some(Features(values))
}

type Given<'a> = [Option<(&'a str, f64)>; COUNT];

fn by_canonical_name(text: &str) -> Result<Given<'_>, Rejection> {
    if !text.starts_with('{') {
        return Err(Rejection::of_field("wrong_type", "features", "the features must be a JSON object"));
    }
    let mut given: Given = [None; COUNT];
    let mut first_error = None;
    json::for_each_member(text, |key, value| {
        if first_error.is_some() {
            return;
        }
        match spelling(&key) {
            None => first_error = Some(unknown(&key)),
            Some((i, _)) if given[i].is_some() => {
                let name = FIELDS[i].name;
                first_error = Some(FIELDS[i].rejection("duplicate_field", format!("{name} is given twice")));
            }
            Some((i, divide_by)) => given[i] = Some((value, divide_by)),
        }
    })
    .map_err(|error| Rejection::of_message("bad_json", error.to_string()))?;
    first_error.map_or(Ok(given), Err)
}

/// The place in the table of a name or alias, and what its value is divided by.
fn spelling(key: &str) -> Option<(usize, f64)> {
    FIELDS.iter().enumerate().find_map(|(i, field)| {
        if field.name == key {
            return Some((i, 1.0));
        }
        let alias = field.aliases.iter().find(|(alias, _)| *alias == key)?;
        Some((i, alias.1))
    })
}

fn unknown(key: &str) -> Rejection {
    let name: String = key.chars().take(MAX_NAME_CHARS).collect();
    let detail = format!("{name} is not a field of a house");
    Rejection::of_field("unknown_field", name, detail)
}

fn read(field: &Field, value: &str, divide_by: f64) -> Result<f64, Rejection> {
    let (name, unit) = (field.name, field.unit);
    let Some(number) = json::number(value) else {
        return Err(field.rejection("wrong_type", format!("{name} must be a number ({unit})")));
    };
    if !number.is_finite() {
        return Err(field.rejection("not_finite", format!("{name} must be a finite number ({unit})")));
    }
    let number = number / divide_by;
    if !field.hard.hold(number) {
        let (range, given) = (field.hard.text(), json::number_text(number));
        return Err(field.rejection("out_of_range", format!("{name} must be {range} ({unit}), not {given}")));
    }
    Ok(number)
}

impl Field {
    fn rejection(&self, code: &'static str, detail: String) -> Rejection {
        Rejection::of_field(code, self.name, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"med_inc":8.3252,"house_age":41,"ave_rooms":6.984126984126984,"ave_bedrms":1.0238,
        "population":322,"ave_occup":2.5555,"latitude":37.88,"longitude":-122.23}"#;

    fn error(text: &str) -> (&'static str, String) {
        let rejection = normalise(text).unwrap_err();
        (rejection.code, rejection.field.unwrap_or_default().into_owned())
    }

    #[test]
    fn the_table_of_the_contract_is_compiled_in() {
        assert_eq!(FIELDS[0].name, "med_inc");
        assert_eq!(FIELDS[COUNT - 1].name, "longitude");
    }

    #[test]
    fn good_features_keep_their_exact_values_in_table_order() {
        let features = normalise(GOOD).unwrap();
        assert_eq!(features.0, [8.3252, 41.0, 6.984126984126984, 1.0238, 322.0, 2.5555, 37.88, -122.23]);
        assert!(features.flags().is_empty());
        assert_eq!(read_normalised(&serde_json::to_string(&features).unwrap()), Some(features));
    }

    #[test]
    fn aliases_are_read_and_dollars_divided() {
        let text = GOOD.replace("\"med_inc\":8.3252", "\"median_income_usd\":83252");
        let text = text.replace("house_age", "HouseAge");
        assert_eq!(normalise(&text).unwrap(), normalise(GOOD).unwrap());
    }

    #[test]
    fn values_outside_the_soft_range_are_flagged() {
        let text = GOOD.replace("322", "11000").replace("2.5555", "100");
        assert_eq!(normalise(&text).unwrap().flags(), ["unusual_population", "unusual_ave_occup"]);
    }

    #[test]
    fn more_bedrooms_than_rooms_are_flagged() {
        let text = GOOD.replace("1.0238", "7.0");
        assert_eq!(normalise(&text).unwrap().flags(), ["unusual_ave_bedrms", "ave_bedrms_above_ave_rooms"]);
    }

    #[test]
    fn the_first_error_is_named() {
        let age = |value: &str| GOOD.replace("\"house_age\":41", &format!("\"house_age\":{value}"));
        assert_eq!(error("[]"), ("wrong_type", "features".into()));
        assert_eq!(error("{}"), ("missing_field", "med_inc".into()));
        assert_eq!(error(r#"{"colour":1,"med_inc":1,"MedInc":2}"#), ("unknown_field", "colour".into()));
        assert_eq!(error(r#"{"med_inc":1,"MedInc":2,"colour":1}"#), ("duplicate_field", "med_inc".into()));
        assert_eq!(error(&age("true")), ("wrong_type", "house_age".into()));
        assert_eq!(error(&age("1e400")), ("not_finite", "house_age".into()));
        assert_eq!(error(&age("53")), ("out_of_range", "house_age".into()));
        assert_eq!(error(&GOOD.replace("6.984126984126984", "-0")), ("out_of_range", "ave_rooms".into()));
    }

    #[test]
    fn an_unknown_name_is_cut_by_characters() {
        let text = format!("{{\"{}\":1}}", "é".repeat(100));
        assert_eq!(error(&text), ("unknown_field", "é".repeat(64)));
    }

    #[test]
    fn what_is_out_of_range_is_said_in_a_sentence() {
        let detail = normalise(&GOOD.replace("8.3252", "99")).unwrap_err().detail;
        assert_eq!(detail, "med_inc must be between 0.4999 and 15.0001 ($10,000 of 1990), not 99");
    }

    #[test]
    fn what_is_not_normalised_is_not_read_as_if_it_were() {
        for text in [GOOD.replace("med_inc", "MedInc"), GOOD.replace("322", "null"), "[]".into()] {
            assert_eq!(read_normalised(&text), None);
        }
    }
}
