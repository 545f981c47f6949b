//! A small writer of XML: what is opened is closed, and every value is escaped.
//!
//! Deliberately not here: indentation, comments and processing instructions, none of which belongs
//! into a signed list.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::escape::{escape, partial_escape};

/// XML text in the making.
#[derive(Default)]
pub(crate) struct Markup {
    out: String,
}

/// Attribute names and their values.
pub(crate) type Attributes<'v> = [(&'static str, &'v str)];

impl Markup {
    /// Writes an element with what `content` writes inside it.
    pub(crate) fn element(
        &mut self,
        name: &str,
        attributes: &Attributes,
        content: impl FnOnce(&mut Self),
    ) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.value(value);
            self.out.push('"');
        }
        self.out.push('>');
        content(self);
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// Writes an element without attributes around what `content` writes.
    pub(crate) fn group(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.element(name, &[], content);
    }

    /// Writes an element that holds a text.
    pub(crate) fn text(&mut self, name: &str, attributes: &Attributes, text: &str) {
        self.element(name, attributes, |xml| {
            // A carriage return written plainly would be read as a line feed (XML 1.0, 2.11).
            xml.out.push_str(&partial_escape(text).replace('\r', "&#13;"));
        });
    }

    /// An attribute's value; white space written plainly would be read as a space (XML 1.0, 3.3.3).
    fn value(&mut self, value: &str) {
        for character in escape(value).chars() {
            match character {
                '\t' => self.out.push_str("&#9;"),
                '\n' => self.out.push_str("&#10;"),
                '\r' => self.out.push_str("&#13;"),
                other => self.out.push(other),
            }
        }
    }

    /// Writes an element that holds bytes in base64.
    pub(crate) fn base64(&mut self, name: &str, bytes: &[u8]) {
        self.text(name, &[], &STANDARD.encode(bytes));
    }

    /// Writes mark-up that is already complete.
    pub(crate) fn markup(&mut self, markup: &str) {
        self.out.push_str(markup);
    }

    /// What was written.
    pub(crate) fn finish(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_elements_closed() {
        let mut xml = Markup::default();
        xml.element("a", &[("b", "\"<&>'")], |xml| xml.text("c", &[], "<&>\"'特"));
        xml.base64("d", &[1, 2, 3]);
        xml.text("e", &[("f", "\t\n\r")], "\t\n\r");
        assert_eq!(
            xml.finish(),
            "<a b=\"&quot;&lt;&amp;&gt;&apos;\"><c>&lt;&amp;&gt;\"'特</c></a><d>AQID</d>\
             <e f=\"&#9;&#10;&#13;\">\t\n&#13;</e>"
        );
    }
}
