//! XML of somebody else's design, kept verbatim.
//!
//! Deliberately not here: its meaning.

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
