//! How the public services are: the status strip of Home, and the page behind it.
//!
//! Every line is told from what the store holds now. Deliberately not here: whether the machine is
//! healthy, which the operations listener answers.

use actix_web::HttpResponse;
use askama::Template;
use tenkoku_domain::authority::{Authority, AuthorityState};
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use super::Reader;
use crate::format;
use crate::layout::{PublicFrame, Tone};
use crate::problem::Problem;
use crate::text::Words;

/// Days before a list's next update from which it is shown as due.
const LIST_DUE_DAYS: i64 = 14;

/// One public service as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceLine {
    /// Its name.
    pub name: String,
    /// How it is, as a mark.
    pub tone: Tone,
    /// How it is, in a word.
    pub state: String,
    /// One detail.
    pub detail: String,
}

/// What the lines are told from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The instant.
    pub now: Timestamp,
    /// Authorities that answer status questions, and how many of them have a signer at hand.
    pub answering: (usize, usize),
    /// The next update of the oldest current CRL; `None` when an authority has no CRL yet.
    pub crl: Option<Timestamp>,
    /// Sequence and next update of the published list; a closed list has no next update.
    pub list: Option<(i64, Option<Timestamp>)>,
}

/// Whether an authority has relying parties to serve.
pub fn is_public(authority: &Authority) -> bool {
    match authority.state {
        AuthorityState::Certified
        | AuthorityState::Active
        | AuthorityState::Suspended
        | AuthorityState::Retiring
        | AuthorityState::Ended => authority.certificate.is_some(),
        AuthorityState::Planned | AuthorityState::Ceremony => false,
    }
}

/// Reads what the lines are told from.
pub fn load_facts(tx: &mut Tx<'_>, env: &Env, now: Timestamp) -> Result<Facts, StoreError> {
    let authorities = tx.list_authorities()?;
    let public: Vec<Authority> = authorities.into_iter().filter(is_public).collect();
    let mut answering = (0, 0);
    let mut next_updates = Vec::new();
    for authority in &public {
        if authority.kind.level().is_some() {
            answering.0 += 1;
            let signer = tx.current_signer(&authority.id, Profile::OcspSigner, now)?;
            answering.1 += usize::from(signer.is_some());
        }
        next_updates.push(tx.latest_crl(&authority.id)?.map(|crl| crl.next_update));
    }
    let crl = next_updates.into_iter().collect::<Option<Vec<_>>>();
    let list = tx.latest_list(&env.settings.scheme.code)?;
    Ok(Facts {
        now,
        answering,
        crl: crl.and_then(|all| all.into_iter().min()),
        list: list.map(|list| (list.sequence, list.next_update)),
    })
}

impl Facts {
    /// The lines, in the order in which relying parties need them.
    pub fn lines(&self, w: Words) -> Vec<ServiceLine> {
        vec![self.ocsp(w), self.crl(w), self.list(w)]
    }

    /// The sentence above the lines.
    pub fn headline(&self, w: Words) -> &'static str {
        let lines = self.lines(w);
        let has = |tone| lines.iter().any(|line| line.tone == tone);
        let key = if has(Tone::Bad) {
            "bad"
        } else if has(Tone::Warn) || has(Tone::Mute) {
            "warn"
        } else {
            "ok"
        };
        w.word("status.headline", key)
    }

    fn ocsp(&self, w: Words) -> ServiceLine {
        let (all, ready) = self.answering;
        let (tone, state) = match (all, ready) {
            (0, _) => (Tone::Mute, w.t("status.not-yet")),
            (all, ready) if ready == all => (Tone::Ok, w.t("status.normal")),
            (_, _) => (Tone::Info, w.t("status.on-demand")),
        };
        line(w.t("status.ocsp"), tone, state, w.count_of("status.authorities", all).text())
    }

    fn crl(&self, w: Words) -> ServiceLine {
        let name = w.t("status.crl");
        match self.crl {
            None => line(name, Tone::Mute, w.t("status.not-yet"), String::new()),
            Some(next) => self.dated(w, name, next, 0),
        }
    }

    fn list(&self, w: Words) -> ServiceLine {
        let name = w.t("status.list");
        match self.list {
            None => line(name, Tone::Mute, w.t("status.not-yet"), String::new()),
            Some((_, None)) => line(name, Tone::Mute, w.t("lists.closed"), String::new()),
            Some((sequence, Some(next))) => {
                let mut told = self.dated(w, name, next, LIST_DUE_DAYS);
                told.detail =
                    w.say("status.sequence").with("n", sequence).with("rest", told.detail).text();
                told
            }
        }
    }

    fn dated(&self, w: Words, name: &str, next: Timestamp, due_days: i64) -> ServiceLine {
        match format::until(w, self.now, next) {
            None => {
                let late = w.say("status.since").with("date", format::date_time(next)).text();
                line(name, Tone::Bad, w.t("status.overdue"), late)
            }
            Some(left) => {
                let due = self.now.days_until(next) < due_days;
                let detail = w.say("status.next").with("left", left).text();
                if due {
                    line(name, Tone::Warn, w.t("status.due"), detail)
                } else {
                    line(name, Tone::Ok, w.t("status.normal"), detail)
                }
            }
        }
    }
}

fn line(name: &str, tone: Tone, state: &str, detail: String) -> ServiceLine {
    ServiceLine { name: name.to_owned(), tone, state: state.to_owned(), detail }
}

#[derive(Template)]
#[template(path = "public/status.html")]
pub(super) struct StatusPage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) headline: &'static str,
    pub(super) lines: Vec<ServiceLine>,
    pub(super) now: String,
}

/// `GET /status`
pub async fn show_status(reader: Reader) -> Result<HttpResponse, Problem> {
    let facts = reader.read(load_facts).await?;
    let w = reader.words;
    reader.show(&StatusPage {
        w,
        frame: reader.frame(w.t("status.title")),
        headline: facts.headline(w),
        lines: facts.lines(w),
        now: format::long_date_time(w, facts.now),
    })
}

#[cfg(test)]
mod tests {
    use tenkoku_domain::organisation::Language;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn check(facts: Facts, expected: [Tone; 3]) {
        let lines = facts.lines(Words::of(Language::En));
        let tones: Vec<Tone> = lines.iter().map(|line| line.tone).collect();
        assert_eq!(tones, expected, "{lines:?}");
    }

    #[test]
    fn each_service_is_told_as_it_is() {
        let soon = Some(NOW.plus_days(1));
        let facts = |answering, crl, list: Option<i64>| Facts {
            now: NOW,
            answering,
            crl,
            list: list.map(|days| (7, Some(NOW.plus_days(days)))),
        };
        check(facts((3, 3), soon, Some(100)), [Tone::Ok, Tone::Ok, Tone::Ok]);
        check(facts((3, 1), soon, Some(3)), [Tone::Info, Tone::Ok, Tone::Warn]);
        check(facts((0, 0), None, None), [Tone::Mute, Tone::Mute, Tone::Mute]);
        check(facts((1, 1), Some(NOW.plus_days(-1)), Some(-1)), [Tone::Ok, Tone::Bad, Tone::Bad]);
    }
}
