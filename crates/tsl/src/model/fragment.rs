//! XML of somebody else's design, kept verbatim.
//!
//! Deliberately not here: its meaning.

use quick_xml::escape::unescape;

use crate::markup::Markup;

/// One element with all that is in it, in exclusive canonical form: it stands on its own wherever it
/// is put, and equal fragments say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    namespace: String,
    name: String,
    xml: String,
}

impl Fragment {
    /// What was read; only the reader makes one, so a fragment is always well-formed.
    pub(crate) fn new(namespace: &str, name: &str, xml: String) -> Self {
        Self { namespace: namespace.to_owned(), name: name.to_owned(), xml }
    }

    /// An element that holds a text and nothing else.
    pub(crate) fn of_text(namespace: &str, name: &'static str, text: &str) -> Self {
        let mut xml = Markup::default();
        xml.text(name, &[("xmlns", namespace)], text);
        Self::new(namespace, name, xml.finish())
    }

    /// The text of an element that holds nothing else.
    pub fn text(&self) -> Option<String> {
        let (_, rest) = self.xml.split_once('>')?;
        let (inner, _) = rest.rsplit_once("</")?;
        if inner.contains('<') { None } else { unescape(inner).ok().map(|text| text.into_owned()) }
    }

    /// The element's namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The element's local name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The element as XML.
    pub fn xml(&self) -> &str {
        &self.xml
    }
}
