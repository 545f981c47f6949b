//! Walks through a list while its canonical form is made from the same tokens.
//!
//! Whoever reads through the cursor reads what was canonicalised, and nothing else.
//! Deliberately not here: what the elements mean.

use std::borrow::Cow;

use super::Refusal;
use crate::algorithm::{Digesters, ListDigests};
use crate::c14n::{Canonicaliser, Method, is_enveloped_signature};
use crate::model::Fragment;
use crate::ns;
use crate::xml::{Element, Name, Reader, Token};

/// What an open element contained so far.
#[derive(Default)]
struct Seen {
    text: bool,
    comment: bool,
}

/// A place in the document.
pub(super) struct Cursor<'a> {
    reader: Reader<'a>,
    /// The list without its signature.
    list: Canonicaliser,
    digesters: Digesters,
    /// A part that is being captured for itself.
    capture: Option<Canonicaliser>,
    inside_signature: bool,
    seen: Vec<Seen>,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let reader = Reader::new(bytes)?;
        Ok(Self {
            digesters: Digesters::for_document(reader.document()),
            reader,
            list: Canonicaliser::document(Method::Exclusive),
            capture: None,
            inside_signature: false,
            seen: Vec::new(),
        })
    }

    /// The next element that begins inside the current one, or `None` when the current one ends.
    pub(super) fn child(&mut self) -> Result<Option<Element<'a>>, Refusal> {
        while let Some(token) = self.next()? {
            match token {
                Token::Start(element) => return Ok(Some(element)),
                Token::End(_) => return Ok(None),
                Token::Text(text) if !text.trim().is_empty() => {
                    return Err(Refusal::NotAList(format!("unexpected text \"{text}\"")));
                }
                Token::Text(_) | Token::Comment | Token::Instruction { .. } => {}
            }
        }
        Ok(None)
    }

    /// The text of the current element, which ends here; white space around it is dropped.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, Refusal> {
        let mut value = Cow::Borrowed("");
        while let Some(token) = self.next()? {
            match token {
                Token::Text(text) if value.is_empty() => value = text,
                Token::Text(text) => value.to_mut().push_str(&text),
                Token::End(_) => break,
                Token::Start(element) => {
                    let name = element.name.local;
                    return Err(Refusal::NotAList(format!("unexpected element {name}")));
                }
                Token::Comment | Token::Instruction { .. } => {}
            }
        }
        Ok(match value {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        })
    }

    /// The element that was just opened, with all that is in it, as it stands.
    pub(super) fn fragment(&mut self, element: &Element<'a>) -> Result<Fragment, Refusal> {
        let mut form = Canonicaliser::fragment();
        form.push(&Token::Start(element.clone()));
        self.capture = Some(form);
        self.skip()?;
        let form = self.capture.take().map(Canonicaliser::finish).unwrap_or_default();
        Ok(Fragment::new(&element.name.namespace, element.name.local, form))
    }

    /// Passes over the rest of the current element.
    pub(super) fn skip(&mut self) -> Result<(), Refusal> {
        let outside = self.reader.depth().saturating_sub(1);
        while self.reader.depth() > outside && self.next()?.is_some() {}
        Ok(())
    }

    /// Begins to canonicalise the element that was just opened, for itself.
    pub(super) fn capture(&mut self, method: Method, element: &Element<'a>) {
        let mut form = Canonicaliser::element(method, self.reader.context());
        form.push(&Token::Start(element.clone()));
        self.capture = Some(form);
    }

    /// The canonical form of the captured element, once that element was left.
    pub(super) fn captured(&mut self) -> Vec<u8> {
        let form = self.capture.take().filter(Canonicaliser::is_complete);
        form.map(Canonicaliser::finish).unwrap_or_default().into_bytes()
    }

    /// Reads to the end of the document and returns the digests of the list's canonical form.
    pub(super) fn finish(mut self) -> Result<ListDigests, Refusal> {
        while self.next()?.is_some() {}
        self.digesters.update(self.list.finish().as_bytes());
        Ok(self.digesters.finish())
    }

    fn next(&mut self) -> Result<Option<Token<'a>>, Refusal> {
        let Some(token) = self.reader.next()? else {
            return Ok(None);
        };
        self.refuse_wrapping(&token)?;
        self.refuse_divided_value(&token)?;
        if is_enveloped_signature(&token, self.reader.depth()) {
            self.inside_signature = true;
        }
        if !self.inside_signature {
            self.list.push(&token);
            self.list.drain(|bytes| self.digesters.update(bytes));
        }
        if let Some(form) = self.capture.as_mut() {
            form.push(&token);
        }
        if self.reader.depth() <= 1 {
            self.inside_signature = false;
        }
        Ok(Some(token))
    }

    /// XMLDSIG wrapping: a list below the root, or a signature anywhere but right below it.
    fn refuse_wrapping(&self, token: &Token) -> Result<(), Refusal> {
        let Token::Start(element) = token else {
            return Ok(());
        };
        let depth = self.reader.depth();
        let list = element.name.is(ns::TSL, "TrustServiceStatusList") && depth > 1;
        let signature = element.name.is(ns::DS, "Signature") && depth != 2;
        if list || signature {
            return Err(Refusal::Wrapped(element.name.local.to_owned()));
        }
        Ok(())
    }

    fn refuse_divided_value(&mut self, token: &Token) -> Result<(), Refusal> {
        match token {
            Token::Start(_) => self.seen.push(Seen::default()),
            Token::Text(text) => self.note(|seen| seen.text |= !text.trim().is_empty()),
            Token::Comment => self.note(|seen| seen.comment = true),
            Token::Instruction { .. } => {}
            Token::End(name) => return divided(self.seen.pop(), name),
        }
        Ok(())
    }

    fn note(&mut self, what: impl FnOnce(&mut Seen)) {
        if let Some(seen) = self.seen.last_mut() {
            what(seen);
        }
    }
}

fn divided(seen: Option<Seen>, name: &Name) -> Result<(), Refusal> {
    match seen {
        Some(Seen { text: true, comment: true }) => {
            Err(Refusal::CommentInValue(name.local.to_owned()))
        }
        Some(Seen { .. }) | None => Ok(()),
    }
}
