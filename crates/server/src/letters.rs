//! The sender of letters: a thread of its own, so that a mail server which does not answer keeps no
//! revocation waiting.

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tenkoku_ca::letters::{Sent, send_letters};
use tenkoku_console::letter::{Letterhead, Written, write, write_test};
use tenkoku_console::text::Words;
use tenkoku_domain::notice::{EmailAddress, MailProblem, Notice, Recipient};
use tenkoku_domain::organisation::Language;
use tenkoku_domain::time::Timestamp;
use tenkoku_mail::{Letter, MailError, Mailbox, Mailer};
use tenkoku_ports::Env;

use crate::config::Config;
use crate::failure::Failure;

/// How often the outbox is looked into.
const IDLE: Duration = Duration::from_secs(2);
/// How long is waited while no letter can leave: at first, and at most.
const HELD_UP: Duration = Duration::from_secs(30);
const HELD_UP_MOST: Duration = Duration::from_mins(15);

/// Writes letters and hands them over.
pub(crate) struct Post {
    mailer: Arc<dyn Mailer>,
    from: EmailAddress,
    names: [String; 2],
    operator: (EmailAddress, Language),
    console: String,
    evaluation: bool,
}

impl Post {
    /// The post of an installation.
    pub(crate) fn new(config: &Config, mailer: Arc<dyn Mailer>) -> Self {
        let operator = &config.settings.operator;
        // What cannot be written to is answered by the sender, who is the operator too.
        let address = EmailAddress::parse(&operator.email);
        Self {
            mailer,
            from: config.mail.from.clone(),
            names: [operator.name_ja.to_string(), operator.name.to_string()],
            operator: (address.unwrap_or_else(|_| config.mail.from.clone()), operator.language),
            console: config.console_address.clone(),
            evaluation: config.is_evaluation(),
        }
    }

    /// Writes the letter of a notice and hands it over.
    pub(crate) fn post(&self, notice: &Notice, now: Timestamp) -> Result<(), MailError> {
        let (to, language) = match &notice.recipient {
            Recipient::Person { address, name, language } => {
                (Mailbox { name: name.clone(), address: address.clone() }, *language)
            }
            Recipient::Operator => {
                let (address, language) = self.operator.clone();
                (Mailbox { name: self.name(language), address }, language)
            }
        };
        let written = write(Words::of(language), &self.head(language), notice, now);
        self.send((format!("notice-{}", notice.number), to, language), written, now)
    }

    /// Sends a letter that only shows that letters arrive.
    pub(crate) fn post_test(
        &self,
        to: EmailAddress,
        language: Language,
        now: Timestamp,
    ) -> Result<(), MailError> {
        let written = write_test(Words::of(language), &self.head(language));
        let to = Mailbox { name: String::new(), address: to };
        self.send((format!("test-{}", now.millis()), to, language), written, now)
    }

    fn send(
        &self,
        (id, to, language): (String, Mailbox, Language),
        written: Result<Written, impl ToString>,
        date: Timestamp,
    ) -> Result<(), MailError> {
        let Written { subject, text, html } = written.map_err(|error| MailError {
            problem: MailProblem::Unwritable,
            explanation: error.to_string(),
        })?;
        let from = Mailbox { name: self.name(language), address: self.from.clone() };
        self.mailer.send(&Letter { id, from, to, date, language, subject, text, html })
    }

    fn name(&self, language: Language) -> String {
        let [ja, en] = &self.names;
        match language {
            Language::Ja => ja.clone(),
            Language::En => en.clone(),
        }
    }

    fn head(&self, language: Language) -> Letterhead {
        Letterhead {
            operator: self.name(language),
            console: self.console.clone(),
            evaluation: self.evaluation,
        }
    }
}

/// What the running sender is told.
enum Word {
    /// Go on with another post.
    Post(Box<Post>),
    /// Stop.
    Stop,
}

/// The running sender.
pub(crate) struct Letters {
    words: Sender<Word>,
    thread: JoinHandle<()>,
}

impl Letters {
    /// Starts it.
    pub(crate) fn start(env: &Arc<Env>, mut post: Post) -> Result<Self, Failure> {
        let env = Arc::clone(env);
        let (words, told) = channel();
        let thread = std::thread::Builder::new()
            .name("letters".to_owned())
            .spawn(move || {
                let mut wait = IDLE;
                loop {
                    match told.recv_timeout(wait) {
                        Err(RecvTimeoutError::Timeout) => wait = work(&env, &post, wait),
                        Ok(Word::Post(other)) => (post, wait) = (*other, IDLE),
                        Ok(Word::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
            })
            .map_err(Failure::internal)?;
        Ok(Self { words, thread })
    }

    /// Goes on with another post from the next letter on.
    pub(crate) fn replace(&self, post: Post) {
        if self.words.send(Word::Post(Box::new(post))).is_err() {
            tracing::error!("the sender of letters had stopped before");
        }
    }

    /// Stops it; the letter under way is finished.
    pub(crate) fn stop(self) {
        // A thread that is gone needs no word.
        let _ = self.words.send(Word::Stop);
        if self.thread.join().is_err() {
            tracing::error!("the sender of letters had stopped before");
        }
    }
}

/// Sends what is due; how long to wait for the next look.
fn work(env: &Env, post: &Post, waited: Duration) -> Duration {
    let permit = match env.system("letters").permit(env.clock.now()) {
        Ok(permit) => permit,
        Err(refusal) => {
            tracing::error!(%refusal, "the sender of letters has no permit");
            return HELD_UP_MOST;
        }
    };
    match send_letters(env, &permit, &|notice, now| post.post(notice, now)) {
        Ok(Sent { held_up: Some(problem), .. }) => {
            let next = waited.saturating_mul(2).clamp(HELD_UP, HELD_UP_MOST);
            tracing::error!(%problem, seconds = next.as_secs(), "no letter can leave; tried again");
            next
        }
        Ok(Sent { sent, kept, held_up: None }) => {
            if sent + kept > 0 {
                tracing::info!(sent, kept, "letters were sent");
            }
            IDLE
        }
        Err(error) => {
            tracing::error!(%error, "the outbox cannot be read");
            HELD_UP
        }
    }
}
