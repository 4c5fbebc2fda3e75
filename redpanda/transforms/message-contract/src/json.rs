//! JSON read one level at a time, in document order and with repeated keys visible. What is below a level stays text
//! that is known to be JSON, so memory doesn't grow with the message and depth costs no stack.
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Result};
use std::fmt;

/// Calls `visit(key, value as JSON text)` for each member of the JSON object `text`.
///
/// Fails when `text` is not one JSON object.
pub fn for_each_member<'a>(text: &'a str, visit: impl FnMut(String, &'a str)) -> Result<()> {
    let mut reader = Deserializer::from_str(text);
    reader.deserialize_map(Members(visit))?;
    reader.end()
}

/// Calls `visit(value as JSON text)` for the first `limit` elements of the JSON array `text`; returns how many it has.
///
/// Fails when `text` is not one JSON array.
pub fn for_each_element<'a>(text: &'a str, limit: usize, visit: impl FnMut(&'a str)) -> Result<usize> {
    let mut reader = Deserializer::from_str(text);
    let count = reader.deserialize_seq(Elements(limit, visit))?;
    reader.end()?;
    Ok(count)
}

/// The number that the JSON text `value` is, or None when it is something else. Infinite when it is too large; -0 is 0.
pub fn number(value: &str) -> Option<f64> {
    // serde_json refuses 1e400 without a word about which field it was; JSON's numbers are a subset of Rust's.
    match value.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') => value.parse::<f64>().ok().map(|number| number + 0.0),
        _ => None,
    }
}

/// The string that the JSON text `value` is, or None when it is something else (or has half a surrogate pair).
pub fn string(value: &str) -> Option<String> {
    serde_json::from_str(value).ok()
}

/// A number as people write it: `99` rather than `99.0`, never three hundred digits.
pub fn number_text(number: f64) -> String {
    let text = format!("{number:?}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}

struct Members<F>(F);

impl<'de, F: FnMut(String, &'de str)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
            (self.0)(key, value.get());
        }
        Ok(())
    }
}

struct Elements<F>(usize, F);

impl<'de, F: FnMut(&'de str)> Visitor<'de> for Elements<F> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> std::result::Result<usize, A::Error> {
        let mut count = 0;
        while count < self.0 {
            match seq.next_element::<&'de RawValue>()? {
                Some(value) => (self.1)(value.get()),
                None => return Ok(count),
            }
            count += 1;
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_in_document_order_with_repeated_keys() {
        let mut seen = Vec::new();
        for_each_member(r#" {"b": [1, {}], "a":"x" ,"b":null} "#, |key, value| seen.push((key, value))).unwrap();
        assert_eq!(seen, [("b".into(), "[1, {}]"), ("a".into(), r#""x""#), ("b".into(), "null")]);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "1", "{", "{}x", "nul", "{\"a\":NaN}", "\u{feff}{}"] {
            assert!(for_each_member(text, |_, _| ()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_deep_value_costs_no_stack() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(32_000), "]".repeat(32_000));
        for_each_member(&deep, |_, _| ()).unwrap();
    }

    #[test]
    fn elements_beyond_the_limit_are_counted_but_not_visited() {
        let mut seen = Vec::new();
        assert_eq!(for_each_element("[1,2,3,4]", 2, |value| seen.push(value)).unwrap(), 4);
        assert_eq!(seen, ["1", "2"]);
    }

    #[test]
    fn numbers_are_read_exactly_and_minus_zero_is_zero() {
        assert_eq!(number("6.984126984126984"), Some(6.984126984126984));
        assert_eq!(number("-0").map(f64::to_bits), Some(0.0_f64.to_bits()));
        assert_eq!(number("1e400"), Some(f64::INFINITY));
        for text in ["true", "null", "\"1\"", "[1]", "{}"] {
            assert_eq!(number(text), None);
        }
    }

    #[test]
    fn numbers_for_people_are_short() {
        assert_eq!(number_text(99.0), "99");
        assert_eq!(number_text(-1.5e300), "-1.5e300");
    }
}
