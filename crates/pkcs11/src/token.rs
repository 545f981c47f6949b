//! Tokens: which one is meant, in which slot it is, and what it says of itself.

use std::fmt;

use cryptoki::context::{Info, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::slot::{Slot, TokenInfo};
use tenkoku_keys::Container;

use crate::trouble::Trouble;

/// Which token is meant. Slot numbers change when devices are plugged, so they name nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenChoice {
    /// The one with this label.
    Label(String),
    /// The one with this serial number.
    Serial(String),
}

impl fmt::Display for TokenChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Label(name) | Self::Serial(name) => f.write_str(name),
        }
    }
}

impl TokenChoice {
    fn is(&self, token: &TokenInfo) -> bool {
        match self {
            Self::Label(label) => token.label() == label,
            Self::Serial(serial) => token.serial_number() == serial,
        }
    }

    /// The slot that the token is in.
    pub(crate) fn find(&self, module: &Pkcs11) -> Result<(Slot, TokenInfo), Trouble> {
        let mut found = list(module)?;
        found.retain(|(_, token)| self.is(token));
        let more = found.len() > 1;
        match found.pop() {
            Some(one) if !more => Ok(one),
            Some(_) => Err(Trouble::Other(format!(
                "several tokens are called {self}; name the one by its serial number"
            ))),
            None => Err(Trouble::Absent),
        }
    }
}

/// The slots with a token that was set up. One that goes while it is asked is left out.
pub(crate) fn list(module: &Pkcs11) -> Result<Vec<(Slot, TokenInfo)>, Trouble> {
    let mut found = Vec::new();
    for slot in module.get_slots_with_token()? {
        match module.get_token_info(slot) {
            Ok(token) if token.token_initialized() => found.push((slot, token)),
            Ok(_)
            | Err(Error::Pkcs11(
                RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::DeviceRemoved
                | RvError::SlotIdInvalid,
                _,
            )) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(found)
}

/// What a token and its module say of themselves.
pub(crate) fn container(token: &TokenInfo, library: &Info) -> Container {
    let (name, version) = (library.library_description(), library.library_version());
    Container::Token {
        label: token.label().to_owned(),
        serial: token.serial_number().to_owned(),
        model: format!("{} {}", token.manufacturer_id(), token.model()),
        library: format!("{} {name} {version}", library.manufacturer_id()),
    }
}
