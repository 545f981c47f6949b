//! What a form sent: fields and files, as `application/x-www-form-urlencoded` or, where a form has
//! files, as `multipart/form-data` (RFC 7578).
//!
//! A form is read whole, and its size was limited before. A file is believed by its octets; the name
//! and the type that a browser gives it are not looked at.

use std::collections::BTreeMap;
use std::convert::Infallible;

use actix_web::http::StatusCode;
use actix_web::web::Bytes;
use futures_util::stream;
use multer::Multipart;

use crate::problem::Problem;

/// Parts at most; no form of ours has as many.
const PARTS_MAX: usize = 64;

/// One field, or one file.
#[derive(Debug)]
struct Part {
    name: String,
    content: Bytes,
    is_file: bool,
}

/// The fields and files of a form, in the order in which they were sent.
#[derive(Debug, Default)]
pub struct Fields(Vec<Part>);

fn malformed() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "form-malformed")
}

impl Fields {
    /// Reads a body by the type that its request names.
    pub async fn read(content_type: &str, body: &Bytes) -> Result<Self, Problem> {
        match multer::parse_boundary(content_type) {
            Ok(boundary) => Self::multipart(boundary, body).await,
            Err(_) => Ok(Self::encoded(body)),
        }
    }

    fn encoded(body: &Bytes) -> Self {
        let pairs = url::form_urlencoded::parse(body).map(|(name, value)| Part {
            name: name.into_owned(),
            content: Bytes::from(value.into_owned()),
            is_file: false,
        });
        Self(pairs.take(PARTS_MAX).collect())
    }

    async fn multipart(boundary: String, body: &Bytes) -> Result<Self, Problem> {
        let whole = stream::iter([Ok::<_, Infallible>(body.clone())]);
        let mut form = Multipart::new(whole, boundary);
        let mut parts = Vec::new();
        while let Some(part) = form.next_field().await.map_err(|_| malformed())? {
            let name = part.name().ok_or_else(malformed)?.to_owned();
            let is_file = part.file_name().is_some();
            let content = part.bytes().await.map_err(|_| malformed())?;
            parts.push(Part { name, content, is_file });
            if parts.len() > PARTS_MAX {
                return Err(malformed());
            }
        }
        Ok(Self(parts))
    }

    /// The text of a field, without white space around it; empty where it was not sent.
    pub fn text(&self, name: &str) -> Result<&str, Problem> {
        let part = self.0.iter().find(|part| part.name == name && !part.is_file);
        let text = part.map(|part| std::str::from_utf8(&part.content)).transpose();
        Ok(text.map_err(|_| malformed())?.unwrap_or_default().trim())
    }

    /// Every text that was sent, by its name, without white space around it.
    pub fn texts(&self) -> Result<BTreeMap<String, String>, Problem> {
        let names = self.0.iter().filter(|part| !part.is_file).map(|part| &part.name);
        names.map(|name| Ok((name.clone(), self.text(name)?.to_owned()))).collect()
    }

    /// The files that were chosen under a name. A browser sends an empty one where none was.
    pub fn files(&self, name: &str) -> Vec<Bytes> {
        let chosen = self
            .0
            .iter()
            .filter(|part| part.is_file && part.name == name && !part.content.is_empty());
        chosen.map(|part| part.content.clone()).collect()
    }
}

/// What the octets of a file say that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sniffed {
    /// A SEQUENCE in DER or BER: certificates, requests, CMS.
    Asn1,
    /// PEM: text with such octets in base 64.
    Pem,
    /// An object in JSON.
    Json,
    /// Anything else: pictures, archives, programs, prose.
    Other,
}

impl Sniffed {
    /// Looks at the first octets.
    pub fn of(content: &[u8]) -> Self {
        // SEQUENCE with a length of more octets than one, or of indefinite length.
        if let [0x30, 0x80..=0x84, ..] = content {
            return Self::Asn1;
        }
        let Ok(text) = std::str::from_utf8(content) else { return Self::Other };
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text).trim_start();
        if text.starts_with('{') {
            Self::Json
        } else if text.contains("-----BEGIN ") {
            Self::Pem
        } else {
            Self::Other
        }
    }
}

/// The media type of a file of evidence, by its first octets; what is not known is just octets.
pub fn media_type(content: &[u8]) -> &'static str {
    const KNOWN: [(&[u8], &str); 3] = [
        (b"%PDF-", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xFF\xD8\xFF", "image/jpeg"),
    ];
    let known = KNOWN.iter().find(|(start, _)| content.starts_with(start));
    match (known, Sniffed::of(content)) {
        (Some((_, kind)), _) => kind,
        (None, Sniffed::Json) => "application/json",
        (None, Sniffed::Asn1 | Sniffed::Pem | Sniffed::Other) => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, body: &str) -> Option<Fields> {
        let runtime = actix_web::rt::Runtime::new().unwrap();
        runtime.block_on(Fields::read(kind, &Bytes::from(body.to_owned()))).ok()
    }

    const FORM: &str = "--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\ntoken \r\n--x\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"../a.exe\"\r\n\
        Content-Type: image/png\r\n\r\n{\"v\":\r\n1}\r\n--x\r\n\
        Content-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n--x--\r\n";

    #[test]
    fn a_form_with_files_is_read() {
        let fields = read("multipart/form-data; boundary=x", FORM).unwrap();
        assert_eq!(fields.text("csrf").unwrap(), "token");
        assert_eq!(fields.files("file"), [Bytes::from("{\"v\":\r\n1}")]);
        // A file is no text, a text no file, and what was not sent is empty.
        assert_eq!(fields.text("file").unwrap(), "");
        assert_eq!(fields.files("csrf").len(), 0);
        assert_eq!(fields.texts().unwrap(), [("csrf".to_owned(), "token".to_owned())].into());
        assert_eq!(fields.text("other").unwrap(), "");
    }

    #[test]
    fn a_form_without_files_is_read_the_same_way() {
        let fields = read("application/x-www-form-urlencoded", "csrf=to%2Bken&a=b+c").unwrap();
        assert_eq!((fields.text("csrf").unwrap(), fields.text("a").unwrap()), ("to+ken", "b c"));
    }

    #[test]
    fn a_damaged_form_is_refused() {
        assert!(read("multipart/form-data; boundary=x", "--x\r\nno end").is_none());
        assert!(read("multipart/form-data; boundary=y", FORM).is_none());
        let nameless = FORM.replace("name=\"csrf\"", "title=\"csrf\"");
        assert!(read("multipart/form-data; boundary=x", &nameless).is_none());
        let part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n";
        let many = part.repeat(PARTS_MAX + 1) + "--x--\r\n";
        assert!(read("multipart/form-data; boundary=x", &many).is_none());
    }

    #[test]
    fn files_are_known_by_their_octets() {
        for (content, expected) in [
            (&b"\x30\x82\x01\x02"[..], Sniffed::Asn1),
            (b"\x30\x80", Sniffed::Asn1),
            (b"subject=CN\n-----BEGIN CERTIFICATE-----\n", Sniffed::Pem),
            ("\u{FEFF}  {\"v\":1}".as_bytes(), Sniffed::Json),
            (b"\x89PNG\r\n\x1a\n", Sniffed::Other),
            (b"PK\x03\x04", Sniffed::Other),
            (b"%PDF-1.7", Sniffed::Other),
            (b"<html>", Sniffed::Other),
            (b"", Sniffed::Other),
        ] {
            assert_eq!(Sniffed::of(content), expected, "{content:?}");
        }
        assert_eq!(media_type(b"%PDF-1.7"), "application/pdf");
        assert_eq!(media_type(b"{}"), "application/json");
        assert_eq!(media_type(b"<html>"), "application/octet-stream");
    }
}
