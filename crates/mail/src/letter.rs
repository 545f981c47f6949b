//! One letter as RFC 5322 wants it: two bodies, no attachment, headers that nothing foreign can
//! break out of.

use std::time::{Duration, SystemTime};

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox as Box, Message, MultiPart};
use tenkoku_domain::notice::{EmailAddress, MailProblem};
use tenkoku_domain::organisation::Language;
use tenkoku_domain::time::Timestamp;

use crate::MailError;

/// Characters of a subject, and of a name beside an address, at most.
const MOST_SUBJECT: usize = 200;
const MOST_NAME: usize = 100;

/// A mailbox with the name of whoever reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// The name; may be empty.
    pub name: String,
    /// The address.
    pub address: EmailAddress,
}

/// A letter that is ready to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What the letter is recognised by, also when it arrives twice: without angle brackets and
    /// without the domain, which is the sender's.
    pub id: String,
    /// The operator.
    pub from: Mailbox,
    /// The reader.
    pub to: Mailbox,
    /// When it is sent.
    pub date: Timestamp,
    /// The language of the text.
    pub language: Language,
    /// Subject.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML; says the same.
    pub html: String,
}

/// A text header under a name that the library does not know.
#[derive(Clone, Debug)]
struct Said<const N: usize>(String);

const AUTO_SUBMITTED: usize = 0;
const CONTENT_LANGUAGE: usize = 1;

impl<const N: usize> Header for Said<N> {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str(match N {
            AUTO_SUBMITTED => "Auto-Submitted",
            _ => "Content-Language",
        })
    }

    fn parse(text: &str) -> Result<Self, std::boxed::Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), self.0.clone())
    }
}

impl Letter {
    /// The message, headers encoded by RFC 2047 and both bodies by their transfer encoding.
    pub(crate) fn message(&self) -> Result<Message, MailError> {
        let unwritable =
            |error: lettre::error::Error| MailError::new(MailProblem::Unwritable, error);
        let millis = u64::try_from(self.date.millis()).unwrap_or_default();
        let domain = self.from.address.as_str().rsplit('@').next().unwrap_or_default();
        let body = MultiPart::alternative_plain_html(self.text.clone(), self.html.clone());
        Message::builder()
            .from(mailbox(&self.from)?)
            .to(mailbox(&self.to)?)
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
            .message_id(Some(format!("<{}@{domain}>", self.id)))
            .subject(one_line(&self.subject, MOST_SUBJECT))
            .header(Said::<CONTENT_LANGUAGE>(self.language.to_string()))
            // RFC 3834: no automatic answers, please.
            .header(Said::<AUTO_SUBMITTED>("auto-generated".to_owned()))
            .multipart(body)
            .map_err(unwritable)
    }
}

fn mailbox(of: &Mailbox) -> Result<Box, MailError> {
    let address = of.address.as_str().parse();
    let address = address.map_err(|error| MailError::new(MailProblem::Unwritable, error))?;
    let name = one_line(&of.name, MOST_NAME);
    Ok(Box::new((!name.is_empty()).then_some(name), address))
}

/// A text in one line of so many characters at most: whatever could end a header or turn the
/// reading direction becomes a space.
pub fn one_line(text: &str, most: usize) -> String {
    let harmless = |c: char| {
        let turns = matches!(c, '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns { ' ' } else { c }
    };
    let plain: String = text.chars().map(harmless).collect();
    let words: Vec<&str> = plain.split(' ').filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{cut}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(subject: &str, name: &str) -> Letter {
        let mailbox = |name: &str, address| Mailbox {
            name: name.to_owned(),
            address: EmailAddress::parse(address).unwrap(),
        };
        Letter {
            id: "notice-7".to_owned(),
            from: mailbox("見本認証局", "info@tenkoku.example"),
            to: mailbox(name, "taro@sample.example"),
            date: Timestamp::from_seconds(1_795_371_000),
            language: Language::Ja,
            subject: subject.to_owned(),
            text: "本文\n".to_owned(),
            html: "<p>本文</p>\n".to_owned(),
        }
    }

    fn headers(subject: &str, name: &str) -> Vec<String> {
        let bytes = letter(subject, name).message().unwrap().formatted();
        let text = String::from_utf8(bytes).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
        head.split("\r\n").map(|line| line.split(':').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_hostile_name_breaks_out_of_no_header() {
        let plain = headers("期限", "見本 太郎");
        for hostile in [
            "x\r\nBcc: everybody@evil.example",
            "x\nContent-Type: text/html\n\n<b>",
            "\"x\" <evil@evil.example>, ",
            "\u{202E}elpmaxe",
            &"長".repeat(500),
        ] {
            assert_eq!(headers(hostile, hostile), plain, "{hostile:?}");
        }
        let sent = letter("x", "\"x\" <evil@evil.example>, ").message().unwrap();
        let to: Vec<_> = sent.envelope().to().iter().map(ToString::to_string).collect();
        assert_eq!(to, ["taro@sample.example"]);
    }

    #[test]
    fn a_line_is_cut_by_characters_not_by_octets() {
        assert_eq!(one_line("長い名前", 3), "長い…");
        assert_eq!(one_line(" a \r\n b\t\u{202E}c ", 9), "a b c");
    }
}
