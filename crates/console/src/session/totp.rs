//! One-time codes by time (RFC 6238): six digits, 30 seconds, one step of tolerance each way.
//!
//! A code is good once: the step that was used is remembered, and no earlier step counts again.

use std::fmt::Write as _;

use qrcode::{Color, EcLevel, QrCode};
use tenkoku_domain::id::{Entropy, UserId};
use tenkoku_domain::time::Timestamp;
use totp_rs::{Builder, Secret, Totp};

use super::secret::{ConsoleKey, SealError};

/// The shared secret of an account's code generator: 160 bits (RFC 4226, 4, R6).
pub struct TotpSecret([u8; 20]);

/// Why a code does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeProblem {
    /// It is not the code of this minute.
    #[error("the code is not the one shown now")]
    Wrong,
    /// It was used before.
    #[error("the code was used already")]
    Replayed,
}

impl TotpSecret {
    /// A new secret.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 20];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// Opens a sealed secret.
    pub fn open(key: &ConsoleKey, owner: &Owner<'_>, sealed: &[u8]) -> Result<Self, SealError> {
        let plain = key.open(&owner.context(), sealed)?;
        plain.try_into().map(Self).map_err(|_| SealError)
    }

    /// Seals the secret for its owner.
    pub fn seal(
        &self,
        key: &ConsoleKey,
        entropy: &dyn Entropy,
        owner: &Owner<'_>,
    ) -> Result<Vec<u8>, SealError> {
        key.seal(entropy, &owner.context(), &self.0)
    }

    fn generator(&self) -> Builder {
        Builder::new().with_secret(Secret::new_stack(self.0))
    }

    /// The secret as people type it: base 32 in groups of four.
    pub fn typed(&self) -> String {
        let text = Secret::new_stack(self.0).to_base32();
        text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" ")
    }

    /// The address that code generators read (`otpauth://totp/…`).
    pub fn address(&self, issuer: &str, login: &str) -> String {
        // A colon separates issuer and account in the address and may stand in neither.
        let issuer = issuer.replace(':', " ");
        let generator =
            self.generator().with_issuer(Some(issuer.as_str())).with_account_name(login).build();
        generator.and_then(|totp: Totp| totp.to_url()).unwrap_or_default()
    }

    /// Checks a code. Gives the step that it belongs to, which is now used up.
    pub fn check(&self, code: &str, used: i64, now: Timestamp) -> Result<i64, CodeProblem> {
        let code = half_width(code);
        let seconds = u64::try_from(now.seconds()).unwrap_or_default();
        let totp = self.generator().build().map_err(|_| CodeProblem::Wrong)?;
        let step = totp.check(&code, seconds).ok_or(CodeProblem::Wrong)?;
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        if step > used { Ok(step) } else { Err(CodeProblem::Replayed) }
    }
}

/// Whom a sealed secret belongs to.
#[derive(Clone, Copy, Debug)]
pub enum Owner<'a> {
    /// An account: the secret is in use.
    Account(&'a UserId),
    /// An enrolment that is under way: the secret travels in its form until it is confirmed.
    Enrolment(&'a UserId),
}

impl Owner<'_> {
    fn context(&self) -> String {
        match self {
            Self::Account(user) => format!("totp:{user}"),
            Self::Enrolment(user) => format!("totp-enrolment:{user}"),
        }
    }
}

/// Digits as people and input methods write them: spaces dropped, full width made half width.
fn half_width(code: &str) -> String {
    code.chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| match c {
            '０'..='９' => {
                let digit = u32::from(c) - u32::from('０');
                char::from_digit(digit, 10).unwrap_or(c)
            }
            other => other,
        })
        .collect()
}

/// A QR code as the numbers of an SVG: the side in modules, and the path of the dark ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrPicture {
    /// Side in modules, with the quiet zone of four on each edge (ISO/IEC 18004, 9.1).
    pub side: usize,
    /// Path data of the dark modules.
    pub path: String,
}

/// Draws a QR code. `None` when the text is too long for one.
pub fn qr_picture(text: &str) -> Option<QrPicture> {
    const QUIET: usize = 4;
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (place, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            // Writing to a string cannot fail.
            let _ = write!(path, "M{} {}h1v1h-1z", place % width + QUIET, place / width + QUIET);
        }
    }
    Some(QrPicture { side: width + 2 * QUIET, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the secret of the SHA-1 vectors.
    const RFC: TotpSecret = TotpSecret(*b"12345678901234567890");

    fn check(code: &str, used: i64, at: i64, expected: Result<i64, CodeProblem>) {
        assert_eq!(RFC.check(code, used, Timestamp::from_seconds(at)), expected, "{code} at {at}");
    }

    #[test]
    fn codes_follow_the_vectors_of_rfc_6238() {
        check("287082", 0, 59, Ok(1));
        check("081804", 0, 1_111_111_109, Ok(37_037_036));
        check("005924", 0, 1_234_567_890, Ok(41_152_263));
        check("005 924", 0, 1_234_567_890, Ok(41_152_263));
        check("００５９２４", 0, 1_234_567_890, Ok(41_152_263));
    }

    #[test]
    fn one_step_of_tolerance_each_way_and_no_more() {
        check("005924", 0, 1_234_567_890 + 30, Ok(41_152_263));
        check("005924", 0, 1_234_567_890 - 30, Ok(41_152_263));
        check("005924", 0, 1_234_567_890 + 60, Err(CodeProblem::Wrong));
        check("005924", 0, 1_234_567_890 - 60, Err(CodeProblem::Wrong));
        check("", 0, 59, Err(CodeProblem::Wrong));
        check("28708", 0, 59, Err(CodeProblem::Wrong));
    }

    #[test]
    fn a_code_is_good_once_and_so_is_every_earlier_one() {
        check("005924", 41_152_263, 1_234_567_890, Err(CodeProblem::Replayed));
        check("005924", 41_152_264, 1_234_567_890, Err(CodeProblem::Replayed));
        check("005924", 41_152_262, 1_234_567_890, Ok(41_152_263));
    }

    #[test]
    fn the_picture_and_the_text_carry_the_secret() {
        assert_eq!(RFC.typed(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        let address = RFC.address("Sample: Trust", "megumi");
        assert!(address.starts_with("otpauth://totp/Sample%20%20Trust:megumi?"), "{address}");
        assert!(address.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{address}");
        let picture = qr_picture(&address).unwrap();
        assert!(picture.side > 29);
        assert!(picture.path.starts_with("M4 4h1v1h-1z"));
    }
}
