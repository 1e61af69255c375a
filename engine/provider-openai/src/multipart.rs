//! [`Form`]: a `multipart/form-data` body around one file (RFC 7578).

use http::HeaderValue;

/// The boundary, and what stands in front of the file and behind it.
pub(crate) struct Form {
    pub(crate) content_type: HeaderValue,
    pub(crate) before: String,
    pub(crate) after: String,
}

impl Form {
    /// A form with `fields`, whose values hold no line break, and then a WAV file in the field `file`.
    pub(crate) fn around_wav(fields: &[(&str, &str)]) -> Self {
        // random, so that no audio contains it
        let boundary = format!("sayso-{:016x}", getrandom::u64().expect("the operating system provides random bytes"));
        let mut before = String::new();
        for (name, value) in fields {
            before += &format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        }
        before += &format!(
            "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"utterance.wav\"\r\n\
             content-type: audio/wav\r\n\r\n"
        );
        Self {
            content_type: HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}"))
                .expect("a boundary is visible ASCII"),
            before,
            after: format!("\r\n--{boundary}--\r\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_reads_as_the_standard_says() {
        let form = Form::around_wav(&[("model", "whisper-1")]);
        let boundary = form.content_type.to_str().unwrap().rsplit_once('=').unwrap().1.to_owned();
        let expected = "--B\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
             --B\r\ncontent-disposition: form-data; name=\"file\"; filename=\"utterance.wav\"\r\n\
             content-type: audio/wav\r\n\r\nDATA\r\n--B--\r\n";
        assert_eq!(format!("{}DATA{}", form.before, form.after), expected.replace('B', &boundary));
        assert_ne!(boundary, Form::around_wav(&[]).content_type.to_str().unwrap().rsplit_once('=').unwrap().1);
    }
}
