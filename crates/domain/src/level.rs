//! Assurance levels of a seal (三文判・認印・実印).

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far a relying party may rely on a seal. A property of the seal: raising it means a new
/// seal, new proofing and a new key (LV-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Level {
    /// Unchanged since sealing; the named organisation asserted it (三文判 相当).
    One,
    /// And the organisation and unit were checked (認印 相当).
    Two,
    /// And checks were strict, and the key was made and stays in hardware (実印 相当).
    Three,
}

/// Why a number is not a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a level is 1, 2 or 3, not {0}")]
pub struct LevelError(pub u8);

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Three];

    /// 1, 2 or 3.
    pub const fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

impl TryFrom<u8> for Level {
    type Error = LevelError;
    fn try_from(number: u8) -> Result<Self, LevelError> {
        match number {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            3 => Ok(Self::Three),
            other => Err(LevelError(other)),
        }
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> u8 {
        level.number()
    }
}
