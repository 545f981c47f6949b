//! Challenges: what an applicant signs to show possession of a key, fresh and for one application
//! (DOMAIN 8.4, 9, KM-7).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::id::{ApplicationId, Entropy};
use crate::refusal::{Refusal, RefusalCode};
use crate::time::Timestamp;

/// Random octets of a challenge: 256 bits.
const OCTETS: usize = 32;

/// A challenge for one application. Not a secret: whoever knows it still needs the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The application.
    pub application: ApplicationId,
    /// 43 characters of base64url (RFC 4648, 5): fits challengePassword (RFC 2985, 5.4.1).
    pub text: String,
    /// When it was given out.
    pub issued_at: Timestamp,
    /// The first instant at which it is no longer accepted.
    pub expires_at: Timestamp,
    /// When it was used; it is used once.
    pub used_at: Option<Timestamp>,
}

impl Challenge {
    /// A new challenge.
    pub fn new(
        application: ApplicationId,
        now: Timestamp,
        minutes: i64,
        entropy: &dyn Entropy,
    ) -> Self {
        let mut random = [0_u8; OCTETS];
        entropy.fill(&mut random);
        let text = URL_SAFE_NO_PAD.encode(random);
        let expires_at = now.plus_seconds(minutes.saturating_mul(60));
        Self { application, text, issued_at: now, expires_at, used_at: None }
    }

    /// Whether it may be answered at an instant.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.used_at.is_none() && now < self.expires_at
    }

    /// KM-7: what was signed is this challenge, while it is fresh.
    pub fn check(&self, answered: Option<&str>, now: Timestamp) -> Result<(), Refusal> {
        let problem = match answered {
            None => "challenge-missing",
            Some(text) if text != self.text => "challenge-other",
            Some(_) if !self.is_fresh(now) => "challenge-stale",
            Some(_) => return Ok(()),
        };
        Err(Refusal::new(RefusalCode::PossessionNotShown, "KM-7").with("problem", problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0xFB);
        }
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_795_371_000);

    fn challenge() -> Challenge {
        Challenge::new(ApplicationId::new(NOW, &Fixed), NOW, 60, &Fixed)
    }

    fn check(answered: Option<&str>, at: Timestamp, expected: Result<(), &str>) {
        let told = challenge().check(answered, at).map_err(|refused| {
            assert_eq!(refused.code, RefusalCode::PossessionNotShown);
            refused.facts.get("problem").cloned().unwrap_or_default()
        });
        assert_eq!(told, expected.map_err(str::to_owned));
    }

    #[test]
    fn km_7_takes_only_the_application_s_own_challenge_while_it_is_fresh() {
        let text = challenge().text;
        assert_eq!(text.len(), 43);
        check(Some(&text), NOW, Ok(()));
        check(Some(&text), NOW.plus_seconds(3599), Ok(()));
        check(Some(&text), NOW.plus_seconds(3600), Err("challenge-stale"));
        check(Some("another"), NOW, Err("challenge-other"));
        check(None, NOW, Err("challenge-missing"));
    }

    #[test]
    fn km_7_takes_a_challenge_once() {
        let used = Challenge { used_at: Some(NOW), ..challenge() };
        assert!(used.check(Some(&used.text), NOW).is_err());
    }
}
