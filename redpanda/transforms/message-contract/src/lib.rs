//! What the transforms of the house price path share: how a message is read, what makes it invalid, and what
//! becomes of it then. In reading order: `envelope`, `fields`, `stage`; `json` is below all of them.
//!
//! Nothing here may panic on any input: a trap stalls the partition for ever.
#![forbid(unsafe_code)]

pub mod envelope;
pub mod fields;
pub mod json;
mod rejection;
pub mod stage;

pub use rejection::Rejection;
