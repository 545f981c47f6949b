//! A certificate out of a form: pasted, or as a file (RFC 7578).

use actix_web::HttpRequest;
use actix_web::http::header;
use actix_web::web::Bytes;

/// What the form sent: the text that was pasted, the file, the day.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Upload {
    pub(super) text: String,
    pub(super) file: Vec<u8>,
    pub(super) on: String,
}

impl Upload {
    /// Reads a form with parts; what is no such form brings nothing.
    pub(super) fn read(request: &HttpRequest, body: &Bytes) -> Self {
        let mut upload = Self::default();
        let Some(boundary) = boundary(request) else { return upload };
        for (name, content) in parts(body, &boundary) {
            let text = || String::from_utf8_lossy(content).trim().to_owned();
            match name.as_str() {
                "certificate" => upload.text = text(),
                "file" => upload.file = content.to_vec(),
                "on" => upload.on = text(),
                _ => {}
            }
        }
        upload
    }

    /// What was handed in: the file where there is one.
    pub(super) fn octets(&self) -> &[u8] {
        if self.file.is_empty() { self.text.as_bytes() } else { &self.file }
    }
}

fn boundary(request: &HttpRequest) -> Option<String> {
    let kind = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let (kind, parameters) = kind.split_once(';')?;
    let named = parameters.split(';').find_map(|one| one.trim().strip_prefix("boundary="))?;
    let named = named.trim_matches('"');
    let fits =
        kind.trim().eq_ignore_ascii_case("multipart/form-data") && (1..=70).contains(&named.len());
    fits.then(|| named.to_owned())
}

/// The parts of a body with the names of their fields.
fn parts<'b>(body: &'b [u8], boundary: &str) -> Vec<(String, &'b [u8])> {
    let mark = [b"--", boundary.as_bytes()].concat();
    let mut found = Vec::new();
    let begin = find(body, &mark).and_then(|at| body.get(at + mark.len()..));
    let Some(mut rest) = begin else { return found };
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let Some(next) = find(part, &[b"\r\n", mark.as_slice()].concat()) else { break };
        let (content, after) = part.split_at_checked(next).unwrap_or((part, &[]));
        if let Some(at) = find(content, b"\r\n\r\n") {
            let (head, value) = content.split_at_checked(at).unwrap_or((content, &[]));
            let value = value.get(4..).unwrap_or_default();
            found.extend(field_name(head).map(|name| (name, value)));
        }
        rest = after.get(mark.len() + 2..).unwrap_or_default();
    }
    found
}

fn field_name(head: &[u8]) -> Option<String> {
    let head = std::str::from_utf8(head).ok()?;
    let line = head.lines().find(|line| {
        line.get(..20).is_some_and(|start| start.eq_ignore_ascii_case("content-disposition:"))
    })?;
    let named = line.split(';').find_map(|one| one.trim().strip_prefix("name="))?;
    Some(named.trim_matches('"').to_owned())
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len().max(1)).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn check(kind: &str, body: &str, expected: Upload) {
        let request = TestRequest::post().insert_header(("content-type", kind)).to_http_request();
        assert_eq!(Upload::read(&request, &Bytes::from(body.to_owned())), expected);
    }

    const FORM: &str = "--x\r\nContent-Disposition: form-data; name=\"certificate\"\r\n\r\nPEM\r\n--x\
        \r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\nContent-Type: \
        application/octet-stream\r\n\r\n0\r\n\r\n1\r\n--x\r\nContent-Disposition: form-data; \
        name=\"on\"\r\n\r\n2026-11-22\r\n--x--\r\n";

    #[test]
    fn a_form_with_a_file_is_taken_apart() {
        let upload = Upload {
            text: "PEM".to_owned(),
            file: b"0\r\n\r\n1".to_vec(),
            on: "2026-11-22".to_owned(),
        };
        check("multipart/form-data; boundary=x", FORM, upload);
    }

    #[test]
    fn what_is_no_such_form_brings_nothing() {
        check("text/plain", FORM, Upload::default());
        check("multipart/form-data; boundary=y", FORM, Upload::default());
        check("multipart/form-data; boundary=x", "--x", Upload::default());
        check("multipart/form-data; boundary=x", "--x\r\nno end", Upload::default());
        check("multipart/form-data; boundary=", FORM, Upload::default());
    }
}
