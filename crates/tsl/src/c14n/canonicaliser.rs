//! The machine that turns tokens into canonical text, one token at a time.
//!
//! Deliberately not here: reading; it sees tokens that are already resolved.

use std::borrow::Cow;
use std::rc::Rc;

use memchr::{memchr, memchr3};

use super::Method;
use crate::xml::{Attribute, Context, Element, Name, Token, XML_NAMESPACE};

/// Takes tokens and writes their canonical form.
pub(crate) struct Canonicaliser {
    method: Method,
    out: String,
    /// Namespaces already written by open elements, and how many there were before each of them.
    rendered: Vec<(String, Rc<str>)>,
    marks: Vec<usize>,
    /// What the top element inherits; there is none around a document.
    inherited: Option<Context>,
    top: Top,
}

/// Where the top element is, seen from the next token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Top {
    Ahead,
    Open,
    Closed,
}

impl Canonicaliser {
    /// For a whole document.
    pub(crate) fn document(method: Method) -> Self {
        Self {
            method,
            out: String::new(),
            rendered: Vec::new(),
            marks: Vec::new(),
            inherited: None,
            top: Top::Ahead,
        }
    }

    /// For one element, whose start tag is the first token; whatever follows its end is ignored.
    pub(crate) fn element(method: Method, context: Context) -> Self {
        Self { inherited: Some(context), ..Self::document(method) }
    }

    /// For one element that is to stand on its own in another document: its default namespace is
    /// always declared, even when it is none.
    pub(crate) fn fragment() -> Self {
        let undeclared = (String::new(), Rc::from("\0"));
        let element = Self::element(Method::Exclusive, Context::default());
        Self { rendered: vec![undeclared], ..element }
    }

    /// Takes the next token.
    pub(crate) fn push(&mut self, token: &Token) {
        if self.top == Top::Closed && self.inherited.is_some() {
            return;
        }
        match token {
            Token::Start(element) => self.start(element),
            Token::Text(text) => escape_text(text, &mut self.out),
            Token::Comment => {}
            Token::Instruction { target, data } => self.instruction(target, data),
            Token::End(name) => self.end(name),
        }
    }

    /// Whether the top element has been closed.
    pub(crate) fn is_complete(&self) -> bool {
        self.top == Top::Closed
    }

    /// Hands over what was written so far, once it is long enough to be worth it.
    pub(crate) fn drain(&mut self, sink: impl FnOnce(&[u8])) {
        const ENOUGH: usize = 32 * 1024;
        if self.out.len() >= ENOUGH {
            sink(self.out.as_bytes());
            self.out.clear();
        }
    }

    /// The canonical form of what was pushed and not drained.
    pub(crate) fn finish(self) -> String {
        self.out
    }

    fn start(&mut self, element: &Element) {
        self.marks.push(self.rendered.len());
        self.out.push('<');
        qualified_name(&element.name, &mut self.out);
        if self.method == Method::Exclusive && !has_prefixed_attributes(element) {
            // By far the commonest case needs no list of candidates.
            if element.name.prefix != "xml" {
                self.namespace(element.name.prefix, &element.name.namespace);
            }
        } else {
            for (prefix, uri) in self.candidates(element) {
                self.namespace(&prefix, &uri);
            }
        }
        let at_top = self.method == Method::Inclusive && self.top == Top::Ahead;
        match self.inherited.as_ref().filter(|_| at_top) {
            Some(context) => {
                for attribute in with_inherited(element, context) {
                    write_attribute(&attribute, &mut self.out);
                }
            }
            None => {
                for attribute in &element.attributes {
                    write_attribute(attribute, &mut self.out);
                }
            }
        }
        self.out.push('>');
        self.top = Top::Open;
    }

    /// Namespaces that the element may have to repeat, sorted by prefix, each prefix once.
    fn candidates(&self, element: &Element) -> Vec<(String, Rc<str>)> {
        let mut candidates: Vec<(String, Rc<str>)> = match (self.method, &self.inherited) {
            (Method::Exclusive, _) => visibly_used(element),
            (Method::Inclusive, Some(context)) if self.top == Top::Ahead => {
                context.namespaces.clone()
            }
            (Method::Inclusive, _) => element
                .declarations
                .iter()
                .map(|declared| (declared.prefix.to_owned(), Rc::clone(&declared.uri)))
                .collect(),
        };
        candidates.sort_by(|a, b| a.0.cmp(&b.0));
        candidates.dedup_by(|a, b| a.0 == b.0);
        candidates
    }

    /// Writes a namespace unless the nearest element that wrote this prefix said the same.
    fn namespace(&mut self, prefix: &str, uri: &Rc<str>) {
        let known = self.rendered.iter().rev().find(|(name, _)| name == prefix);
        if known.map_or("", |(_, uri)| &**uri) == &**uri {
            return;
        }
        self.out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
        self.out.push_str(prefix);
        self.out.push_str("=\"");
        escape_value(uri, &mut self.out);
        self.out.push('"');
        self.rendered.push((prefix.to_owned(), Rc::clone(uri)));
    }

    fn instruction(&mut self, target: &str, data: &str) {
        // Canonical XML 1.0, 2.4: a line feed keeps the document element apart.
        if self.top == Top::Closed {
            self.out.push('\n');
        }
        self.out.push_str("<?");
        self.out.push_str(target);
        if !data.is_empty() {
            self.out.push(' ');
            self.out.push_str(data);
        }
        self.out.push_str("?>");
        if self.top == Top::Ahead {
            self.out.push('\n');
        }
    }

    fn end(&mut self, name: &Name) {
        self.out.push_str("</");
        qualified_name(name, &mut self.out);
        self.out.push('>');
        if let Some(mark) = self.marks.pop() {
            self.rendered.truncate(mark);
        }
        if self.marks.is_empty() {
            self.top = Top::Closed;
        }
    }
}

fn qualified_name(name: &Name, out: &mut String) {
    if !name.prefix.is_empty() {
        out.push_str(name.prefix);
        out.push(':');
    }
    out.push_str(name.local);
}

fn write_attribute(attribute: &Attribute, out: &mut String) {
    out.push(' ');
    qualified_name(&attribute.name, out);
    out.push_str("=\"");
    escape_value(&attribute.value, out);
    out.push('"');
}

/// Canonical XML 1.0, 2.4: the top of a subtree takes over the `xml:` attributes from above.
fn with_inherited<'t>(element: &'t Element, context: &'t Context) -> Vec<Attribute<'t>> {
    let mut attributes = element.attributes.clone();
    for (local, value) in &context.xml_attributes {
        if attributes.iter().any(|attribute| attribute.name.is(XML_NAMESPACE, local)) {
            continue;
        }
        let name = Name { prefix: "xml", local, namespace: Rc::from(XML_NAMESPACE) };
        attributes.push(Attribute { name, value: Cow::Borrowed(value) });
    }
    attributes.sort_by(|a, b| {
        (&*a.name.namespace, a.name.local).cmp(&(&*b.name.namespace, b.name.local))
    });
    attributes
}

fn has_prefixed_attributes(element: &Element) -> bool {
    element.attributes.iter().any(|attribute| !matches!(attribute.name.prefix, "" | "xml"))
}

/// Prefixes of the element and of its attributes (Exclusive C14N 1.0, 1.1 "visibly utilizes").
fn visibly_used(element: &Element) -> Vec<(String, Rc<str>)> {
    let attributes = element.attributes.iter().map(|a| &a.name).filter(|n| !n.prefix.is_empty());
    std::iter::once(&element.name)
        .chain(attributes)
        .filter(|name| name.prefix != "xml")
        .map(|name| (name.prefix.to_owned(), Rc::clone(&name.namespace)))
        .collect()
}

/// Canonical XML 1.0, 2.3, text nodes.
fn escape_text(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    if memchr3(b'&', b'<', b'>', bytes).is_none() && memchr(b'\r', bytes).is_none() {
        out.push_str(text);
        return;
    }
    escape(text, out, |character| match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\r' => Some("&#xD;"),
        _ => None,
    });
}

/// Canonical XML 1.0, 2.3, attribute and namespace nodes.
fn escape_value(text: &str, out: &mut String) {
    escape(text, out, |character| match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '"' => Some("&quot;"),
        '\t' => Some("&#x9;"),
        '\n' => Some("&#xA;"),
        '\r' => Some("&#xD;"),
        _ => None,
    });
}

fn escape(text: &str, out: &mut String, replacement: fn(char) -> Option<&'static str>) {
    let mut rest = text;
    while let Some(at) = rest.find(|character| replacement(character).is_some()) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut characters = special.chars();
        out.push_str(characters.next().and_then(replacement).unwrap_or_default());
        rest = characters.as_str();
    }
    out.push_str(rest);
}
