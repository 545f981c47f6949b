//! XML read strictly: one token at a time, everything resolved, everything unusual refused.
//!
//! Every other part of this crate reads XML through the one reader here, so its limits always hold:
//! UTF-8 and XML 1.0 only, no document type, no entities but the predefined five, bounded size,
//! depth, attributes and namespaces, no attribute and no Id twice (XML 1.0; Namespaces in XML 1.0).
//! Deliberately not in this module: what the elements mean.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

use quick_xml::events::{BytesRef, BytesStart, Event};
use thiserror::Error;

mod lexical;
mod scope;

use lexical::{normalise_line_ends, split_attributes};
pub(crate) use scope::Context;
use scope::Scope;

/// The largest document that is read, in bytes.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;
/// The deepest nesting that is read; the root element has depth 1.
pub const MAX_DEPTH: usize = 64;
/// The most attributes, namespace declarations included, that one element may carry.
pub const MAX_ATTRIBUTES: usize = 256;
/// The most namespace declarations that may be in scope at one place.
pub const MAX_NAMESPACES: usize = 256;

/// The namespace of `xml:lang` and its kind.
pub(crate) const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// Why a document is not read at all.
#[derive(Debug, Error)]
pub enum XmlError {
    /// Larger than [`MAX_BYTES`].
    #[error("the document is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// Bytes that are not UTF-8, or a declaration that names another encoding or XML version.
    #[error("the document is not XML 1.0 in UTF-8")]
    Encoding,
    /// A character that XML forbids, written plainly or as a reference.
    #[error("the document contains the forbidden character U+{0:04X}")]
    Character(u32),
    /// A document type declaration.
    #[error("the document carries a document type declaration")]
    DocumentType,
    /// A reference to an entity that is not one of the predefined five.
    #[error("the document refers to the entity \"{0}\"")]
    Entity(String),
    /// Nesting deeper than [`MAX_DEPTH`].
    #[error("elements are nested more than {MAX_DEPTH} deep")]
    TooDeep,
    /// More attributes than [`MAX_ATTRIBUTES`] or namespaces than [`MAX_NAMESPACES`].
    #[error("an element carries too many attributes or namespaces")]
    TooManyAttributes,
    /// The same attribute twice on one element.
    #[error("the attribute \"{0}\" occurs twice on one element")]
    DuplicateAttribute(String),
    /// The same Id value on two elements.
    #[error("the Id \"{0}\" occurs twice")]
    DuplicateId(String),
    /// A prefix without a namespace, or a namespace that may not be bound.
    #[error("the namespace prefix \"{0}\" is not bound as it must be")]
    Namespace(String),
    /// Anything else that is not well-formed.
    #[error("the document is not well-formed: {0}")]
    Malformed(&'static str),
    /// What the tokeniser found not to be well-formed.
    #[error("the document is not well-formed")]
    Syntax(#[from] quick_xml::Error),
}

/// A name with its namespace; the prefix is kept because canonical XML repeats it.
#[derive(Clone, Debug)]
pub(crate) struct Name<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) local: &'a str,
    pub(crate) namespace: Rc<str>,
}

impl Name<'_> {
    /// Whether this is the name `local` in `namespace`.
    pub(crate) fn is(&self, namespace: &str, local: &str) -> bool {
        self.local == local && *self.namespace == *namespace
    }
}

/// An attribute that is not a namespace declaration, its value normalised.
#[derive(Clone, Debug)]
pub(crate) struct Attribute<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) value: Cow<'a, str>,
}

/// A namespace declaration; the empty prefix is the default namespace.
#[derive(Clone, Debug)]
pub(crate) struct Declaration<'a> {
    pub(crate) prefix: &'a str,
    pub(crate) uri: Rc<str>,
}

/// A start tag.
#[derive(Clone, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) name: Name<'a>,
    /// In canonical order: by namespace, then by local name.
    pub(crate) attributes: Vec<Attribute<'a>>,
    pub(crate) declarations: Vec<Declaration<'a>>,
}

impl Element<'_> {
    /// The value of the attribute `local` that has no namespace.
    pub(crate) fn attribute(&self, local: &str) -> Option<&str> {
        self.qualified_attribute("", local)
    }

    /// The value of `xml:lang`.
    pub(crate) fn language(&self) -> Option<&str> {
        self.qualified_attribute(XML_NAMESPACE, "lang")
    }

    fn qualified_attribute(&self, namespace: &str, local: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.name.is(namespace, local)).map(|a| &*a.value)
    }
}

/// One thing read. A value may come in several `Text` tokens; join them.
#[derive(Clone, Debug)]
pub(crate) enum Token<'a> {
    Start(Element<'a>),
    Text(Cow<'a, str>),
    Comment,
    Instruction { target: Cow<'a, str>, data: Cow<'a, str> },
    End(Name<'a>),
}

/// Where in the document the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    BeforeRoot,
    Root,
    AfterRoot,
}

/// Reads a document token by token.
pub(crate) struct Reader<'a> {
    text: &'a str,
    events: quick_xml::Reader<&'a [u8]>,
    scope: Scope<'a>,
    open: Vec<Name<'a>>,
    ids: BTreeSet<String>,
    stage: Stage,
    /// An empty-element tag was read and its end is owed.
    owes_end: bool,
}

impl<'a> Reader<'a> {
    /// Opens a document. Size, encoding and characters are judged here, the rest as it is read.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, XmlError> {
        if bytes.len() > MAX_BYTES {
            return Err(XmlError::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| XmlError::Encoding)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        lexical::check_characters(text)?;
        let mut events = quick_xml::Reader::from_str(text);
        events.config_mut().check_comments = true;
        Ok(Self {
            text,
            events,
            scope: Scope::new(),
            open: Vec::new(),
            ids: BTreeSet::new(),
            stage: Stage::Start,
            owes_end: false,
        })
    }

    /// The document as text, without a byte-order mark.
    pub(crate) fn document(&self) -> &'a str {
        self.text
    }

    /// How many elements are open.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// What a subtree that begins at the element just opened inherits from around it.
    pub(crate) fn context(&self) -> Context {
        self.scope.context()
    }

    /// The next token, or `None` at the end of the document.
    pub(crate) fn next(&mut self) -> Result<Option<Token<'a>>, XmlError> {
        if self.owes_end {
            self.owes_end = false;
            return self.close().map(Some);
        }
        loop {
            let event = self.events.read_event()?;
            let first = self.stage == Stage::Start;
            if first {
                self.stage = Stage::BeforeRoot;
            }
            match event {
                Event::Start(tag) => return self.open(&tag, 1).map(Some),
                Event::Empty(tag) => {
                    let token = self.open(&tag, 2)?;
                    self.owes_end = true;
                    return Ok(Some(token));
                }
                Event::End(_) => return self.close().map(Some),
                Event::Text(text) => {
                    if let Some(token) = self.characters(text.into_inner())? {
                        return Ok(Some(token));
                    }
                }
                Event::CData(text) => {
                    self.inside_root()?;
                    return Ok(Some(Token::Text(normalise_line_ends(text.into_inner()))));
                }
                Event::GeneralRef(reference) => {
                    self.inside_root()?;
                    return resolve(&reference).map(Token::Text).map(Some);
                }
                Event::Comment(_) => return Ok(Some(Token::Comment)),
                Event::PI(instruction) => {
                    return lexical::instruction(instruction.into_inner()).map(Some);
                }
                Event::Decl(declaration) if first => lexical::check_declaration(&declaration)?,
                Event::Decl(_) => return Err(XmlError::Malformed("a second XML declaration")),
                Event::DocType(_) => return Err(XmlError::DocumentType),
                Event::Eof => return self.end_of_document().map(|()| None),
            }
        }
    }

    fn inside_root(&self) -> Result<(), XmlError> {
        if self.open.is_empty() {
            return Err(XmlError::Malformed("text outside the root element"));
        }
        Ok(())
    }

    fn end_of_document(&self) -> Result<(), XmlError> {
        match (self.stage, self.open.is_empty()) {
            (Stage::AfterRoot, true) => Ok(()),
            _ => Err(XmlError::Malformed("it ends before its root element does")),
        }
    }

    fn characters(&self, text: Cow<'a, str>) -> Result<Option<Token<'a>>, XmlError> {
        if memchr::memmem::find(text.as_bytes(), b"]]>").is_some() {
            return Err(XmlError::Malformed("\"]]>\" in text"));
        }
        if self.open.is_empty() {
            let blank = text.bytes().all(lexical::is_space);
            return if blank { Ok(None) } else { self.inside_root().map(|()| None) };
        }
        Ok(Some(Token::Text(normalise_line_ends(text))))
    }

    fn close(&mut self) -> Result<Token<'a>, XmlError> {
        let name = self.open.pop().ok_or(XmlError::Malformed("an end tag without a start tag"))?;
        self.scope.leave();
        if self.open.is_empty() {
            self.stage = Stage::AfterRoot;
        }
        Ok(Token::End(name))
    }

    /// Opens the element whose tag ends with `closing_bytes` bytes of `>` or `/>`.
    fn open(&mut self, tag: &BytesStart, closing_bytes: u64) -> Result<Token<'a>, XmlError> {
        if self.stage == Stage::AfterRoot {
            return Err(XmlError::Malformed("a second root element"));
        }
        self.stage = Stage::Root;
        if self.open.len() >= MAX_DEPTH {
            return Err(XmlError::TooDeep);
        }
        let (name, rest) = self.source_of(tag, closing_bytes)?;
        let element = self.scope.enter(name, split_attributes(rest)?)?;
        self.remember_ids(&element)?;
        self.open.push(element.name.clone());
        Ok(Token::Start(element))
    }

    /// The tag's name and the rest of it, as slices of the document itself.
    fn source_of(&self, tag: &BytesStart, closing: u64) -> Result<(&'a str, &'a str), XmlError> {
        let lost = XmlError::Malformed("a tag that cannot be located");
        let end = self.events.buffer_position().checked_sub(closing);
        let end = end.and_then(|end| usize::try_from(end).ok());
        let source = end
            .and_then(|end| Some(end.checked_sub(tag.len())?..end))
            .and_then(|range| self.text.get(range))
            .filter(|source| *source == &**tag);
        source.and_then(|source| source.split_at_checked(tag.name().0.len())).ok_or(lost)
    }

    fn remember_ids(&mut self, element: &Element<'a>) -> Result<(), XmlError> {
        let ids = element.attributes.iter().filter(|attribute| {
            let plain = attribute.name.namespace.is_empty();
            (plain && attribute.name.local.eq_ignore_ascii_case("id"))
                || attribute.name.is(XML_NAMESPACE, "id")
        });
        for id in ids {
            if !self.ids.insert(id.value.to_string()) {
                return Err(XmlError::DuplicateId(id.value.to_string()));
            }
        }
        Ok(())
    }
}

/// What a character or predefined entity reference stands for.
fn resolve<'a>(reference: &BytesRef) -> Result<Cow<'a, str>, XmlError> {
    if let Some(character) = reference.resolve_char_ref()? {
        lexical::check_character(character)?;
        return Ok(Cow::Owned(character.to_string()));
    }
    quick_xml::escape::resolve_xml_entity(reference)
        .map(Cow::Borrowed)
        .ok_or_else(|| XmlError::Entity(reference.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(document: &str) -> Result<String, XmlError> {
        let mut reader = Reader::new(document.as_bytes())?;
        let mut text = String::new();
        while let Some(token) = reader.next()? {
            if let Token::Text(piece) = token {
                text.push_str(&piece);
            }
        }
        Ok(text)
    }

    #[test]
    fn references_cdata_and_line_ends_become_text() {
        let text = check("<r>a&amp;b&#x7279;<![CDATA[<c>]]>\r\nd\re</r>").unwrap();
        assert_eq!(text, "a&b特<c>\nd\ne");
    }

    #[test]
    fn what_is_not_plain_xml_is_refused_for_its_own_reason() {
        use XmlError as E;
        assert!(matches!(check("<!DOCTYPE r><r/>"), Err(E::DocumentType)));
        assert!(matches!(check("<!DOCTYPE r [<!ENTITY e 'x'>]><r>&e;</r>"), Err(E::DocumentType)));
        assert!(matches!(check("<r>&nbsp;</r>"), Err(E::Entity(name)) if name == "nbsp"));
        assert!(matches!(check("<r a='&nbsp;'/>"), Err(E::Entity(name)) if name == "nbsp"));
        assert!(matches!(check("<r a='1' a='2'/>"), Err(E::DuplicateAttribute(_))));
        let twice = "<r xmlns:p='urn:n' xmlns:q='urn:n' p:a='1' q:a='2'/>";
        assert!(matches!(check(twice), Err(E::DuplicateAttribute(_))));
        assert!(matches!(check("<r Id='a'><s Id='a'/></r>"), Err(E::DuplicateId(id)) if id == "a"));
        assert!(matches!(check("<r Id='a'><s ID='a'/></r>"), Err(E::DuplicateId(_))));
        assert!(matches!(check("<r iD='a'><s id='a'/></r>"), Err(E::DuplicateId(_))));
        assert!(matches!(check("<r Id='a'><s xml:id='a'/></r>"), Err(E::DuplicateId(_))));
        assert!(matches!(check("<p:r/>"), Err(E::Namespace(prefix)) if prefix == "p"));
        assert!(matches!(check("<r xmlns='relative'/>"), Err(E::Namespace(_))));
        assert!(matches!(check("<r>&#1;</r>"), Err(E::Character(1))));
        assert!(matches!(check("<r a='&#xFFFE;'/>"), Err(E::Character(0xFFFE))));
        assert!(matches!(check("<r>\u{1}</r>"), Err(E::Character(1))));
        assert!(matches!(check("<?xml version='1.1'?><r/>"), Err(E::Encoding)));
        assert!(matches!(check("<?xml version='1.0' encoding='EUC-JP'?><r/>"), Err(E::Encoding)));
        assert!(matches!(Reader::new(b"<r>\xff</r>").err(), Some(E::Encoding)));
        assert!(matches!(Reader::new(&vec![b' '; MAX_BYTES + 1]).err(), Some(E::TooLarge)));
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for document in [
            "",
            " ",
            "x<r/>",
            "<r/>x",
            "<r/><r/>",
            "<r>",
            "<r></s>",
            "<r a='1'b='2'/>",
            "<r a=1/>",
            "<r a/>",
            "<r a='<'/>",
            "<r>]]></r>",
            "<r>&</r>",
            "<1r/>",
            "<r:/>",
            "<r><?XmL x?></r>",
            " <?xml version='1.0'?><r/>",
            "<r><!-- -- --></r>",
            "<r xmlns:xmlns='urn:x'/>",
            "<r xmlns:p=''/>",
            "<r xmlns:='urn:x'/>",
            "<r xmlns='urn:a b'/>",
        ] {
            assert!(check(document).is_err(), "{document}");
        }
    }

    #[test]
    fn depth_attributes_and_namespaces_are_bounded() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(check(&nested(MAX_DEPTH)).is_ok());
        assert!(matches!(check(&nested(MAX_DEPTH + 1)), Err(XmlError::TooDeep)));
        let many: Vec<String> = (0..=MAX_ATTRIBUTES).map(|n| format!(" a{n}='x'")).collect();
        let many = format!("<r{}/>", many.concat());
        assert!(matches!(check(&many), Err(XmlError::TooManyAttributes)));
        let level = |n: usize| {
            let names: Vec<String> = (0..200).map(|m| format!(" xmlns:p{n}x{m}='urn:x'")).collect();
            format!("<a{}>", names.concat())
        };
        let deep = format!("{}{}</a></a>", level(1), level(2));
        assert!(matches!(check(&deep), Err(XmlError::TooManyAttributes)));
    }
}
