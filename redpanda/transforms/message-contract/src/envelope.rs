//! What every message is on the outside: a JSON object of at most 64 KiB with an id and the time of the question.
use crate::json;
use crate::Rejection;

pub const MAX_VALUE_BYTES: usize = 64 * 1024;
const MAX_TIME_CHARS: usize = 40;

/// The members of a message that a stage asked for, as JSON text.
pub struct Envelope<'a, const N: usize> {
    names: [&'static str; N],
    values: [Option<&'a str>; N],
}

impl<'a, const N: usize> Envelope<'a, N> {
    /// Reads the members called `names`; other members are passed over, so that one can be added later.
    pub fn read(value: Option<&'a [u8]>, names: [&'static str; N]) -> Result<Self, Rejection> {
        let bytes = value.ok_or_else(|| Rejection::of_message("null_value", "the record has no value"))?;
        if bytes.len() > MAX_VALUE_BYTES {
            let detail = format!("the value has {} bytes, at most {MAX_VALUE_BYTES} are read", bytes.len());
            return Err(Rejection::of_message("too_large", detail));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            Rejection::of_message("bad_json", format!("the value is not UTF-8 at byte {}", error.valid_up_to()))
        })?;
        Self::read_object(text, names, "bad_message")
            .map_err(|error| Rejection::of_message("bad_json", format!("the value is not a JSON object: {error}")))?
    }

    /// Reads one JSON object inside a message; a member given twice is a `code`. The outer error: it is no object.
    pub fn read_object(
        text: &'a str,
        names: [&'static str; N],
        code: &'static str,
    ) -> serde_json::Result<Result<Self, Rejection>> {
        let mut values = [None; N];
        let mut duplicate = None;
        json::for_each_member(text, |key, value| {
            if let Some(i) = names.iter().position(|name| *name == key) {
                if values[i].replace(value).is_some() {
                    duplicate.get_or_insert(names[i]);
                }
            }
        })?;
        Ok(match duplicate {
            Some(name) => Err(Rejection::of_field(code, name, format!("{name} is given twice"))),
            None => Ok(Self { names, values }),
        })
    }

    /// The JSON text of a member, if it is there.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let i = self.names.iter().position(|known| *known == name)?;
        self.values[i]
    }

    /// The prediction's id, a hyphenated UUID, in lower case.
    pub fn id(&self) -> Result<String, Rejection> {
        self.get("id")
            .and_then(json::string)
            .filter(|id| is_uuid(id))
            .map(|id| id.to_ascii_lowercase())
            .ok_or_else(|| Rejection::of_field("bad_id", "id", "id must be a UUID with hyphens"))
    }

    /// When the question was asked, as its text.
    pub fn requested_at(&self) -> Result<String, Rejection> {
        self.get("requested_at")
            .and_then(json::string)
            .filter(|time| (1..=MAX_TIME_CHARS).contains(&time.chars().count()))
            .ok_or_else(|| {
                let detail = format!("requested_at must be a string of 1 to {MAX_TIME_CHARS} characters");
                Rejection::of_field("bad_message", "requested_at", detail)
            })
    }

    /// The JSON text of a member that a message can't do without.
    pub fn required(&self, name: &'static str) -> Result<&'a str, Rejection> {
        self.get(name).ok_or_else(|| Rejection::of_field("bad_message", name, format!("{name} is missing")))
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, byte)| match i {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3F2504E0-4f89-11d3-9a0c-0305e82c3301";

    fn read(text: &str) -> Envelope<'_, 2> {
        Envelope::read(Some(text.as_bytes()), ["id", "requested_at"]).unwrap()
    }

    fn code(value: Option<&[u8]>) -> &'static str {
        Envelope::read(value, ["id"]).err().unwrap().code
    }

    #[test]
    fn an_id_is_a_hyphenated_uuid_of_any_case() {
        assert_eq!(read(&format!("{{\"id\":\"{ID}\"}}")).id().unwrap(), ID.to_lowercase());
        for id in
            ["\"\"", "1", "null", "\"3f2504e04f8911d39a0c0305e82c3301\"", "\"3f2504e0-4f89-11d3-9a0c-0305e82c330g\""]
        {
            assert_eq!(read(&format!("{{\"id\":{id}}}")).id().unwrap_err().code, "bad_id");
        }
    }

    #[test]
    fn the_time_is_a_short_string() {
        let time = |text: &str| read(&format!("{{\"requested_at\":{text}}}")).requested_at();
        assert_eq!(time("\"2026-01-01T00:00:00Z\"").unwrap(), "2026-01-01T00:00:00Z");
        for text in ["\"\"", "5", &format!("\"{}\"", "é".repeat(41))] {
            assert_eq!(time(text).unwrap_err().code, "bad_message");
        }
        assert!(time(&format!("\"{}\"", "é".repeat(40))).is_ok());
    }

    #[test]
    fn what_is_no_message_is_told_apart() {
        assert_eq!(code(None), "null_value");
        assert_eq!(code(Some(&[b' '; MAX_VALUE_BYTES + 1])), "too_large");
        assert_eq!(code(Some(b"\xff")), "bad_json");
        assert_eq!(code(Some(b"[]")), "bad_json");
        assert_eq!(code(Some(b"{\"id\":1,\"id\":1}")), "bad_message");
    }

    #[test]
    fn unknown_members_are_passed_over_even_twice() {
        assert!(Envelope::read(Some(b"{\"x\":1,\"x\":2}"), ["id"]).is_ok());
    }
}
