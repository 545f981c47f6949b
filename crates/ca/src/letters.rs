//! Sends the letters that wait: claims each, hands it over outside any transaction, records what
//! became of it. Deliberately not here: how a letter is written and which way it takes.

use tenkoku_domain::access::{OperateAuthority, Origin, Permit};
use tenkoku_domain::audit::{Event, NoticeEvent};
use tenkoku_domain::notice::{MailProblem, Notice, is_stale, try_again};
use tenkoku_domain::time::Timestamp;
use tenkoku_mail::MailError;
use tenkoku_ports::Env;
use tenkoku_store::StoreError;

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Letters that left.
    pub sent: usize,
    /// Letters that did not.
    pub kept: usize,
    /// Why the run ended before its time: the next letter would have met the same.
    pub held_up: Option<MailProblem>,
}

/// Sends every letter that is due. `post` writes one and hands it over; no transaction is open
/// meanwhile. A letter whose end was not recorded, because the power was cut, is sent again under
/// the same Message-ID.
pub fn send_letters(
    env: &Env,
    permit: &Permit<OperateAuthority>,
    post: &dyn Fn(&Notice, Timestamp) -> Result<(), MailError>,
) -> Result<Sent, StoreError> {
    let mut done = Sent { sent: 0, kept: 0, held_up: None };
    loop {
        let now = env.clock.now();
        let Some(notice) = env.store.write(|tx| tx.claim_letter(now))? else {
            return Ok(done);
        };
        let posted = if is_stale(notice.due_at, now) {
            let explanation = "waited for 30 days".to_owned();
            Err(MailError { problem: MailProblem::TooLate, explanation })
        } else {
            post(&notice, now)
        };
        let now = env.clock.now();
        match posted {
            Ok(()) => {
                let event = NoticeEvent::Sent { notice: Box::new(notice) };
                env.store.write(|tx| tx.record(permit.origin(), now, &Event::Notice(event)))?;
                done.sent += 1;
            }
            Err(error) => {
                keep(env, permit.origin(), notice, &error, now)?;
                done.kept += 1;
                if error.problem.concerns_every_letter() {
                    done.held_up = Some(error.problem);
                    return Ok(done);
                }
            }
        }
    }
}

/// Recorded are the first try that failed and the end; what lies between waits in silence.
fn keep(
    env: &Env,
    origin: &Origin,
    notice: Notice,
    error: &MailError,
    now: Timestamp,
) -> Result<(), StoreError> {
    let next_at = if error.problem.is_final() { None } else { try_again(notice.attempts, now) };
    let explanation = format!("{}: {}", error.problem, error.explanation);
    env.store.write(|tx| match next_at {
        Some(next_at) if notice.attempts > 1 => {
            tx.postpone_letter(notice.number, &explanation, next_at)
        }
        next_at => {
            let problem = error.problem;
            let notice = Box::new(notice);
            let event = NoticeEvent::Failed { notice, problem, explanation, next_at };
            tx.record(origin, now, &Event::Notice(event)).map(drop)
        }
    })
}
