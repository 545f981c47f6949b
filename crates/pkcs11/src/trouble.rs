//! What a token answers when it does not do what was asked, told by what follows from it.

use cryptoki::error::{Error, RvError};
use tenkoku_keys::KeyError;

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The session, the log-in or the device went; another session may do.
    Lost(String),
    /// No slot has the token.
    Absent,
    /// The object is gone, or its handle is of a time before.
    Handle,
    /// There is no room for another object.
    Full,
    /// There is no room for another session.
    Sessions,
    /// The PIN is wrong.
    WrongPin,
    /// One wrong PIN more would lock the token.
    FinalTry,
    /// No PIN is accepted any more.
    PinLocked,
    /// The token does not know an attribute or a mechanism.
    Unknown(String),
    /// Anything else.
    Other(String),
    /// What the store itself refuses.
    Refused(KeyError),
}

impl From<KeyError> for Trouble {
    fn from(error: KeyError) -> Self {
        Self::Refused(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match &error {
            Error::Pkcs11(code, _) => of_code(*code, error.to_string()),
            Error::LibraryLoading(_)
            | Error::NotSupported
            | Error::TryFromInt(_)
            | Error::TryFromSlice(_)
            | Error::ParseInt(_)
            | Error::Utf8(_)
            | Error::NulError(_)
            | Error::NullFunctionPointer
            | Error::MissingSymbol(_)
            | Error::InvalidValue
            | Error::PinNotSet => Self::Other(error.to_string()),
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a list of others that grows with the standard")]
fn of_code(code: RvError, said: String) -> Trouble {
    use RvError as R;
    match code {
        R::SessionHandleInvalid
        | R::SessionClosed
        | R::UserNotLoggedIn
        | R::DeviceRemoved
        | R::DeviceError
        | R::TokenNotPresent
        | R::TokenNotRecognized
        | R::SlotIdInvalid
        | R::CryptokiNotInitialized
        // What some modules say of a device that does not answer.
        | R::GeneralError
        | R::FunctionFailed => Trouble::Lost(said),
        R::KeyHandleInvalid | R::ObjectHandleInvalid => Trouble::Handle,
        R::DeviceMemory => Trouble::Full,
        R::SessionCount => Trouble::Sessions,
        R::PinIncorrect | R::PinInvalid | R::PinLenRange => Trouble::WrongPin,
        R::PinLocked => Trouble::PinLocked,
        R::AttributeTypeInvalid
        | R::MechanismInvalid
        | R::MechanismParamInvalid
        | R::KeySizeRange
        | R::CurveNotSupported
        | R::DomainParamsInvalid => Trouble::Unknown(said),
        _ => Trouble::Other(said),
    }
}

impl Trouble {
    /// The same in the words of every key store.
    pub(crate) fn told(self, token: &str, module: String) -> KeyError {
        let token = token.to_owned();
        match self {
            Self::Refused(error) => error,
            Self::Absent => KeyError::TokenAbsent { token, module },
            Self::Full => KeyError::Full { token },
            Self::WrongPin => KeyError::WrongPin { token },
            Self::FinalTry => KeyError::FinalTry { token },
            Self::PinLocked => KeyError::PinLocked { token },
            Self::Lost(problem) | Self::Unknown(problem) | Self::Other(problem) => {
                KeyError::Unreachable { place: token, problem }
            }
            Self::Handle => {
                KeyError::Unreachable { place: token, problem: "an object went".to_owned() }
            }
            Self::Sessions => {
                KeyError::Unreachable { place: token, problem: "no session is free".to_owned() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cryptoki::context::Function;

    use super::*;

    fn check(code: RvError, words: &str) {
        let trouble = Trouble::from(Error::Pkcs11(code, Function::GenerateKeyPair));
        let told = trouble.told("tenkoku", "module.so".to_owned()).to_string();
        assert!(told.contains(words), "{code:?}: {told}");
    }

    #[test]
    fn what_a_token_answers_is_told_by_what_follows_from_it() {
        check(RvError::DeviceMemory, "no room for another key");
        check(RvError::PinIncorrect, "not tried again");
        check(RvError::PinLocked, "is locked");
        check(RvError::SessionCount, "no session is free");
        check(RvError::DeviceRemoved, "cannot be used");
        check(RvError::AttributeValueInvalid, "cannot be used");
    }
}
