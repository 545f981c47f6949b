//! Reads the list itself, element by element (TS 119 612, 5.2 to 5.6 and Annex C).
//!
//! Values are taken as they are written: other people's lists break rules of their own. Elements are
//! not: what has no place in the schema is refused by its name, so nothing is lost between reading a
//! list and writing it again.
//! Deliberately not here: the signature.

mod criteria;
mod extension;
mod pointer;
mod provider;
mod recognition;
mod scheme;
mod service;
mod values;

use super::Refusal;
use super::cursor::Cursor;
use crate::model::{Fragment, Provider, Recognition, SchemeInformation, TrustedList};
use crate::xml::Element;
use values::{local, missing, unexpected};

/// An agreement on mutual recognition that stands alone; `None` when its schema has no such.
pub(super) fn recognition(fragment: &Fragment) -> Option<Recognition> {
    recognition::read(fragment)
}

/// Gathers a list's content child by child.
#[derive(Default)]
pub(super) struct Builder {
    scheme: Option<(u32, SchemeInformation)>,
    providers: Option<Vec<Provider>>,
}

impl Builder {
    /// Takes a child of the root whose start tag was just read.
    pub(super) fn take<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        child: &Element<'a>,
    ) -> Result<(), Refusal> {
        match (local(child), &self.scheme, &self.providers) {
            ("SchemeInformation", None, None) => self.scheme = Some(scheme::read(cursor)?),
            ("TrustServiceProviderList", Some((version, _)), None) => {
                self.providers = Some(provider::read_all(cursor, *version)?);
            }
            _ => return Err(unexpected(child)),
        }
        Ok(())
    }

    /// The version and the list.
    pub(super) fn finish(self) -> Result<(u32, TrustedList), Refusal> {
        let (version, scheme) = self.scheme.ok_or_else(|| missing("SchemeInformation"))?;
        Ok((version, TrustedList { scheme, providers: self.providers.unwrap_or_default() }))
    }
}
