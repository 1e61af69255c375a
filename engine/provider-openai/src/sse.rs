//! [`Parser`]: server-sent events, as the HTML standard defines them
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>), out of pieces cut anywhere.

/// The longest line: a token of text with what services put around it is about 300 bytes; logs of probabilities may
/// make it thirty times that.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// The most data of one event, over all its lines.
const EVENT_BYTES_MAX: usize = 256 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Why a stream is not one of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("an event stream with a line of more than {LINE_BYTES_MAX} bytes")]
    LineTooLong,
    #[error("an event stream with an event of more than {EVENT_BYTES_MAX} bytes")]
    EventTooLong,
    #[error("an event stream that is not UTF-8")]
    NotUtf8,
}

/// Reads the data of events. Types, ids and retry times of events are not used by these services and are skipped.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    /// Data of the event so far; `None` before its first line of data.
    data: Option<String>,
    /// The last line ended in a carriage return, to which a line feed may belong.
    after_return: bool,
    /// A line has been read, so that a byte order mark would be out of place.
    begun: bool,
}

impl Parser {
    /// Takes the next piece of the stream and gives `each` the data of every event that it completes.
    ///
    /// # Errors
    /// [`Broken`] says why; the parser is of no use after that.
    pub(crate) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(String)) -> Result<(), Broken> {
        for &byte in bytes {
            let ends_a_return = core::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if ends_a_return => (),
                b'\n' | b'\r' => {
                    let event = self.end_line()?;
                    self.line.clear();
                    if let Some(event) = event {
                        each(event);
                    }
                }
                _ if self.line.len() == LINE_BYTES_MAX => return Err(Broken::LineTooLong),
                _ => self.line.push(byte),
            }
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<Option<String>, Broken> {
        let line = match self.line.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) if !self.begun => rest,
            _ => &self.line,
        };
        self.begun = true;
        if line.is_empty() {
            return Ok(self.data.take());
        }
        let line = core::str::from_utf8(line).map_err(|_| Broken::NotUtf8)?;
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        if field == "data" {
            let value = value.strip_prefix(' ').unwrap_or(value);
            let data = match &mut self.data {
                None => self.data.insert(String::new()),
                Some(data) => {
                    data.push('\n');
                    data
                }
            };
            if data.len() + value.len() > EVENT_BYTES_MAX {
                return Err(Broken::EventTooLong);
            }
            data.push_str(value);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<String>, Broken> {
        let (mut parser, mut events) = (Parser::default(), Vec::new());
        for piece in pieces {
            parser.push(piece, |event| events.push(event))?;
        }
        Ok(events)
    }

    #[track_caller]
    fn check(stream: &str, expected: &[&str]) {
        for cut in 0..=stream.len() {
            let (head, tail) = stream.as_bytes().split_at(cut);
            assert_eq!(parse([head, tail]).unwrap(), expected, "cut at {cut}");
        }
    }

    #[test]
    fn events_end_at_an_empty_line() {
        check("data: one\n\ndata: two\n\ndata: cut off", &["one", "two"]);
        check("data: one\n", &[]);
    }

    #[test]
    fn every_line_ending_counts() {
        check("data: a\r\n\r\ndata: b\r\rdata: c\n\n", &["a", "b", "c"]);
    }

    #[test]
    fn lines_of_data_join() {
        check("data: a\ndata:  b\ndata\ndata:c\n\n", &["a\n b\n\nc"]);
    }

    #[test]
    fn comments_other_fields_and_a_byte_order_mark_are_skipped() {
        check("\u{feff}data: a\n\n: keep-alive\n\nevent: x\nid: 1\nretry: 5\n\ndatum: b\n\n", &["a"]);
        check("\n\n\u{feff}data: a\n\n", &[]);
    }

    #[test]
    fn text_beyond_ascii_survives_being_cut() {
        check("data: 你好 – \u{1f600}\n\n", &["你好 – \u{1f600}"]);
    }

    #[test]
    fn limits_hold() {
        let line = vec![b'x'; LINE_BYTES_MAX + 1];
        assert_eq!(parse([&line[..]]), Err(Broken::LineTooLong));
        let lines = [b"data: ".as_slice(), &line[..LINE_BYTES_MAX - 6], b"\n"].concat().repeat(5);
        assert_eq!(parse([&lines[..]]), Err(Broken::EventTooLong));
        assert_eq!(parse([b"data: \xff\n".as_slice()]), Err(Broken::NotUtf8));
    }

    proptest! {
        #[test]
        fn cuts_make_no_difference(stream in "(data|event|:|: ?|[a-zé]{0,3}|\r\n|\r|\n){0,40}", step in 1usize..7) {
            let whole = parse([stream.as_bytes()]);
            prop_assert_eq!(parse(stream.as_bytes().chunks(step)), whole);
        }

        #[test]
        fn what_is_written_is_read(lines in proptest::collection::vec("[^\r\n]{0,20}", 1..5)) {
            let written: String = lines.iter().map(|line| format!("data: {line}\n")).collect();
            prop_assert_eq!(parse([format!("{written}\n").as_bytes()]).unwrap(), [lines.join("\n")]);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let _ = parse([&bytes[..]]);
        }
    }
}
