use std::borrow::Cow;

/// Why a record goes to the dead-letter topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Rejection {
    /// Stable, for programs.
    pub code: &'static str,
    /// The field at fault, if it is one.
    pub field: Option<Cow<'static, str>>,
    /// A sentence for people.
    pub detail: String,
}

impl Rejection {
    /// The message as a whole is at fault.
    pub fn of_message(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, field: None, detail: detail.into() }
    }

    /// One field is at fault.
    pub fn of_field(code: &'static str, field: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self { code, field: Some(field.into()), detail: detail.into() }
    }
}
