//! A stage of the path as a Redpanda data transform: what is valid goes on, the rest goes to the dead-letter topic.
use crate::envelope::MAX_VALUE_BYTES;
use crate::Rejection;
use redpanda_transform_sdk::{
    on_record_written, BorrowedHeader, BorrowedRecord, RecordWriter, WriteError, WriteEvent, WriteOptions,
    WrittenRecord,
};
use std::time::{Duration, UNIX_EPOCH};

/// Headers beyond these are dropped, by number and by their bytes together: what a transform writes it has to hold
/// several times over in its 2 MiB.
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// A longer key leaves its beginning in a dead letter, like a value that is too large to be read.
const MAX_KEY_BYTES: usize = 1024;
const KEPT_BYTES: usize = 1024;
const MAX_DETAIL_BYTES: usize = 500;

/// What a stage makes of a valid message: the prediction's id, which is its key, and the next message's JSON.
pub struct Output {
    pub id: String,
    pub value: Vec<u8>,
}

/// The work of a stage: the value of a record -> the next message, or why there is none.
pub type Work = fn(Option<&[u8]>) -> Result<Output, Rejection>;

struct Stage {
    name: &'static str,
    work: Work,
    source_topic: String,
    dead_letter_topic: String,
}

/// Runs the stage on every record, for ever. Redpanda names the topics: the second output is for dead letters.
pub fn run(name: &'static str, work: Work) -> ! {
    let topic = |variable| std::env::var(variable).ok().filter(|topic| !topic.is_empty());
    let (Some(source_topic), Some(dead_letter_topic)) =
        (topic("REDPANDA_INPUT_TOPIC"), topic("REDPANDA_OUTPUT_TOPIC_1"))
    else {
        eprintln!("{name}: deploy with an input topic and two output topics, the second for dead letters");
        std::process::exit(1);
    };
    let stage = Stage { name, work, source_topic, dead_letter_topic };
    on_record_written(move |event: WriteEvent, writer: &mut RecordWriter| stage.handle(&event.record, writer))
}

impl Stage {
    fn handle(&self, record: &WrittenRecord, writer: &mut RecordWriter) -> Result<(), WriteError> {
        let headers = kept_headers(record);
        match (self.work)(record.value()) {
            Ok(output) => {
                let key = Some(output.id.as_bytes());
                writer.write(BorrowedRecord::new_with_headers(key, Some(&output.value), headers))
            }
            Err(rejection) => self.write_dead_letter(record, headers, &rejection, writer),
        }
    }

    fn write_dead_letter(
        &self,
        record: &WrittenRecord,
        headers: Vec<BorrowedHeader>,
        rejection: &Rejection,
        writer: &mut RecordWriter,
    ) -> Result<(), WriteError> {
        let written_at =
            record.timestamp().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_millis().to_string();
        let (value, value_size) = beginning(record.value(), MAX_VALUE_BYTES);
        let (key, key_size) = beginning(record.key(), MAX_KEY_BYTES);
        let mut reasons = vec![
            ("error", rejection.code),
            ("error-detail", cut(&rejection.detail, MAX_DETAIL_BYTES)),
            ("stage", self.name),
            ("source-topic", &self.source_topic),
            ("source-timestamp-ms", &written_at),
        ];
        reasons.extend(rejection.field.as_deref().map(|field| ("error-field", field)));
        reasons.extend(value_size.as_deref().map(|size| ("truncated-from-bytes", size)));
        reasons.extend(key_size.as_deref().map(|size| ("key-truncated-from-bytes", size)));
        let reasons = reasons.iter().map(|(name, value)| BorrowedHeader::new(name.as_bytes(), Some(value.as_bytes())));
        let headers = headers.into_iter().chain(reasons).collect();
        let letter = BorrowedRecord::new_with_headers(key, value, headers);
        writer.write_with_options(letter, WriteOptions::to_topic(&self.dead_letter_topic))
    }
}

fn kept_headers<'a>(record: &WrittenRecord<'a>) -> Vec<BorrowedHeader<'a>> {
    let mut bytes = 0;
    let fits = |header: &&BorrowedHeader| {
        bytes += header.key().len() + header.value().map_or(0, <[u8]>::len);
        bytes <= MAX_HEADER_BYTES
    };
    record.headers().iter().take(MAX_HEADERS).take_while(fits).cloned().collect()
}

/// Content of more than `limit` bytes is cut to its beginning; then its size, as text, is told too.
fn beginning(content: Option<&[u8]>, limit: usize) -> (Option<&[u8]>, Option<String>) {
    match content {
        Some(long) if long.len() > limit => (Some(&long[..KEPT_BYTES]), Some(long.len().to_string())),
        _ => (content, None),
    }
}

fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use redpanda_transform_sdk::RecordSink;

    struct Written {
        topic: Option<String>,
        key: Option<Vec<u8>>,
        value: Option<Vec<u8>>,
        headers: Vec<(String, String)>,
    }

    #[derive(Default)]
    struct Log(Vec<Written>);

    impl RecordSink for Log {
        fn write(&mut self, record: BorrowedRecord<'_>, options: WriteOptions<'_>) -> Result<(), WriteError> {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let header = |h: &BorrowedHeader| (text(h.key()), text(h.value().unwrap_or_default()));
            self.0.push(Written {
                topic: options.topic.map(String::from),
                key: record.key().map(<[u8]>::to_vec),
                value: record.value().map(<[u8]>::to_vec),
                headers: record.headers().iter().map(header).collect(),
            });
            Ok(())
        }
    }

    fn echo(value: Option<&[u8]>) -> Result<Output, Rejection> {
        match value {
            Some(value) if value.len() < 100 => Ok(Output { id: "the-id".into(), value: value.to_vec() }),
            _ => Err(Rejection::of_field("bad", "thing", "é".repeat(400))),
        }
    }

    fn handle(record: WrittenRecord) -> Written {
        let stage = Stage { name: "echo", work: echo, source_topic: "source".into(), dead_letter_topic: "dead".into() };
        let mut log = Log::default();
        stage.handle(&record, &mut RecordWriter::new(&mut log)).unwrap();
        log.0.remove(0)
    }

    #[test]
    fn a_valid_record_goes_on_under_its_id_with_its_first_headers() {
        let headers = vec![BorrowedHeader::new(b"source", Some(b"web")); 100];
        let written = handle(WrittenRecord::new_with_headers(Some(b"k"), Some(b"v"), UNIX_EPOCH, headers));
        assert_eq!(written.topic, None);
        assert_eq!(written.key.as_deref(), Some(&b"the-id"[..]));
        assert_eq!(written.value.as_deref(), Some(&b"v"[..]));
        assert_eq!(written.headers.len(), MAX_HEADERS);
    }

    #[test]
    fn an_invalid_record_is_a_dead_letter_that_tells_why() {
        let headers = vec![BorrowedHeader::new(b"source", Some(b"web"))];
        let written_at = UNIX_EPOCH + Duration::from_millis(1234);
        let written = handle(WrittenRecord::new_with_headers(Some(b"k"), None, written_at, headers));
        assert_eq!(written.topic.as_deref(), Some("dead"));
        assert_eq!((written.key.as_deref(), written.value), (Some(&b"k"[..]), None));
        let expected = [
            ("source", "web".to_string()),
            ("error", "bad".into()),
            ("error-detail", "é".repeat(250)),
            ("stage", "echo".into()),
            ("source-topic", "source".into()),
            ("source-timestamp-ms", "1234".into()),
            ("error-field", "thing".into()),
        ];
        assert_eq!(written.headers, expected.map(|(name, value)| (name.to_string(), value)));
    }

    #[test]
    fn a_dead_letter_keeps_the_start_of_what_is_too_large() {
        let (key, value) = (vec![b'k'; MAX_KEY_BYTES + 1], vec![b'x'; MAX_VALUE_BYTES + 1]);
        let written = handle(WrittenRecord::new(Some(&key), Some(&value), UNIX_EPOCH));
        assert_eq!((written.key.unwrap().len(), written.value.unwrap().len()), (KEPT_BYTES, KEPT_BYTES));
        let sizes = [("truncated-from-bytes", "65537"), ("key-truncated-from-bytes", "1025")];
        assert_eq!(written.headers[6..], sizes.map(|(name, size)| (name.to_string(), size.to_string())));
    }

    #[test]
    fn headers_are_kept_up_to_a_number_of_bytes() {
        let long = [b'h'; MAX_HEADER_BYTES / 2];
        let headers = vec![BorrowedHeader::new(b"", Some(&long)); 3];
        let written = handle(WrittenRecord::new_with_headers(None, Some(b"v"), UNIX_EPOCH, headers));
        assert_eq!(written.headers.len(), 2);
    }
}
