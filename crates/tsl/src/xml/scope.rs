//! Which namespaces are bound where (Namespaces in XML 1.0).
//!
//! Deliberately not here: which of them canonical XML repeats; that is `c14n`.

use std::borrow::Cow;
use std::rc::Rc;

use super::lexical::is_simple_name;
use super::{Attribute, Declaration, Element, MAX_NAMESPACES, Name, XML_NAMESPACE, XmlError};
use crate::model::Uri;

const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// What a subtree inherits: inclusive canonicalisation repeats it at the subtree's top.
#[derive(Clone, Debug, Default)]
pub(crate) struct Context {
    /// Prefix and namespace of every binding in force, each prefix once, sorted by prefix.
    pub(crate) namespaces: Vec<(String, Rc<str>)>,
    /// Local name and value of every `xml:` attribute in force, each name once.
    pub(crate) xml_attributes: Vec<(String, String)>,
}

/// How long the stacks were when an element was entered.
struct Mark {
    bindings: usize,
    xml_attributes: usize,
}

/// The bindings in force at the place that is being read.
pub(super) struct Scope<'a> {
    bindings: Vec<Declaration<'a>>,
    xml_attributes: Vec<Attribute<'a>>,
    marks: Vec<Mark>,
    none: Rc<str>,
    xml: Rc<str>,
}

impl<'a> Scope<'a> {
    pub(super) fn new() -> Self {
        Self {
            bindings: Vec::new(),
            xml_attributes: Vec::new(),
            marks: Vec::new(),
            none: Rc::from(""),
            xml: Rc::from(XML_NAMESPACE),
        }
    }

    /// Enters an element: takes its declarations, then resolves its name and attributes.
    pub(super) fn enter(
        &mut self,
        name: &'a str,
        attributes: Vec<(&'a str, Cow<'a, str>)>,
    ) -> Result<Element<'a>, XmlError> {
        self.marks.push(Mark {
            bindings: self.bindings.len(),
            xml_attributes: self.xml_attributes.len(),
        });
        let mut declarations = Vec::new();
        let mut plain = Vec::new();
        for (name, value) in attributes {
            match declared_prefix(name) {
                Some("") if name != "xmlns" => {
                    return Err(XmlError::Malformed("an improper name"));
                }
                Some(prefix) => self.declare(prefix, &value, &mut declarations)?,
                None => plain.push((name, value)),
            }
        }
        let attributes = self.attributes(plain)?;
        self.xml_attributes.extend(attributes.iter().filter(|a| a.name.prefix == "xml").cloned());
        Ok(Element { name: self.element_name(name)?, attributes, declarations })
    }

    /// Leaves the element entered last.
    pub(super) fn leave(&mut self) {
        if let Some(mark) = self.marks.pop() {
            self.bindings.truncate(mark.bindings);
            self.xml_attributes.truncate(mark.xml_attributes);
        }
    }

    pub(super) fn context(&self) -> Context {
        let mut context = Context::default();
        for binding in self.bindings.iter().rev() {
            if !context.namespaces.iter().any(|(prefix, _)| prefix == binding.prefix) {
                context.namespaces.push((binding.prefix.to_owned(), Rc::clone(&binding.uri)));
            }
        }
        context.namespaces.sort_by(|a, b| a.0.cmp(&b.0));
        for attribute in self.xml_attributes.iter().rev() {
            let local = attribute.name.local;
            if !context.xml_attributes.iter().any(|(name, _)| name == local) {
                context.xml_attributes.push((local.to_owned(), attribute.value.to_string()));
            }
        }
        context
    }

    fn declare(
        &mut self,
        prefix: &'a str,
        uri: &str,
        declarations: &mut Vec<Declaration<'a>>,
    ) -> Result<(), XmlError> {
        let wrong = || XmlError::Namespace(prefix.to_owned());
        if prefix == "xml" {
            // Allowed, says nothing new, and is never repeated by canonical XML.
            return if uri == XML_NAMESPACE { Ok(()) } else { Err(wrong()) };
        }
        let undeclares_default = prefix.is_empty() && uri.is_empty();
        // Canonical XML 1.0, 1.3: relative namespace URIs have no canonical form.
        let absolute = Uri::new(uri).is_ok() && uri != XML_NAMESPACE && uri != XMLNS_NAMESPACE;
        let named = prefix.is_empty() || (is_simple_name(prefix) && prefix != "xmlns");
        if !named || !(absolute || undeclares_default) {
            return Err(wrong());
        }
        if declarations.iter().any(|declared| declared.prefix == prefix) {
            return Err(XmlError::DuplicateAttribute(format!("xmlns:{prefix}")));
        }
        if self.bindings.len() >= MAX_NAMESPACES {
            return Err(XmlError::TooManyAttributes);
        }
        let declaration = Declaration { prefix, uri: Rc::from(uri) };
        self.bindings.push(declaration.clone());
        declarations.push(declaration);
        Ok(())
    }

    /// Resolves attributes, puts them into canonical order and refuses one that occurs twice.
    fn attributes(
        &self,
        plain: Vec<(&'a str, Cow<'a, str>)>,
    ) -> Result<Vec<Attribute<'a>>, XmlError> {
        let mut attributes = plain
            .into_iter()
            .map(|(name, value)| Ok(Attribute { name: self.attribute_name(name)?, value }))
            .collect::<Result<Vec<_>, XmlError>>()?;
        attributes.sort_by(|a, b| canonical_key(a).cmp(&canonical_key(b)));
        let twice = attributes
            .windows(2)
            .find_map(|pair| {
                matches!(pair, [a, b] if canonical_key(a) == canonical_key(b)).then(|| pair.first())
            })
            .flatten();
        match twice {
            Some(attribute) => Err(XmlError::DuplicateAttribute(attribute.name.local.to_owned())),
            None => Ok(attributes),
        }
    }

    fn element_name(&self, name: &'a str) -> Result<Name<'a>, XmlError> {
        let (prefix, local) = split_name(name)?;
        let namespace = if prefix.is_empty() {
            self.find("").unwrap_or_else(|| Rc::clone(&self.none))
        } else {
            self.bound(prefix)?
        };
        Ok(Name { prefix, local, namespace })
    }

    fn attribute_name(&self, name: &'a str) -> Result<Name<'a>, XmlError> {
        let (prefix, local) = split_name(name)?;
        let namespace = if prefix.is_empty() { Rc::clone(&self.none) } else { self.bound(prefix)? };
        Ok(Name { prefix, local, namespace })
    }

    fn bound(&self, prefix: &str) -> Result<Rc<str>, XmlError> {
        if prefix == "xml" {
            return Ok(Rc::clone(&self.xml));
        }
        self.find(prefix).ok_or_else(|| XmlError::Namespace(prefix.to_owned()))
    }

    fn find(&self, prefix: &str) -> Option<Rc<str>> {
        self.bindings.iter().rev().find(|b| b.prefix == prefix).map(|b| Rc::clone(&b.uri))
    }
}

/// The prefix that an attribute of this name declares, if it is a namespace declaration.
fn declared_prefix(name: &str) -> Option<&str> {
    if name == "xmlns" { Some("") } else { name.strip_prefix("xmlns:") }
}

fn canonical_key<'b>(attribute: &'b Attribute<'_>) -> (&'b str, &'b str) {
    (&attribute.name.namespace, attribute.name.local)
}

fn split_name(name: &str) -> Result<(&str, &str), XmlError> {
    let (prefix, local) = match name.split_once(':') {
        Some((prefix, local)) if is_simple_name(prefix) => (prefix, local),
        Some(_) => return Err(XmlError::Malformed("a name with an improper prefix")),
        None => ("", name),
    };
    if is_simple_name(local) && prefix != "xmlns" {
        Ok((prefix, local))
    } else {
        Err(XmlError::Malformed("an improper name"))
    }
}
