//! `tenkoku mail`: does mail work, which letters have not left, try them again.

use clap::Subcommand;
use serde_json::{Value, json};
use tenkoku_domain::notice::{Delivery, Notice, Recipient};
use tenkoku_domain::time::Clock as _;

use super::Lang;
use super::user::parse_email;
use crate::clock::WallClock;
use crate::config::Config;
use crate::failure::Failure;
use crate::letters::Post;
use crate::output::{Output, facts};
use crate::wire;

/// Letters shown at most.
const SHOWN: i64 = 200;

/// `tenkoku mail`
#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// Send one letter now, to see that letters arrive
    Test {
        /// Where to
        #[arg(long)]
        to: String,
        /// Language of the letter
        #[arg(long, value_enum, default_value_t = Lang::En)]
        language: Lang,
    },
    /// The letters that have not left, those given up first
    Waiting,
    /// Let the letters that were given up wait again
    Retry,
}

pub(crate) fn run(command: MailCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    match command {
        MailCommand::Test { to, language } => {
            let to = parse_email(&to)?;
            let mailer = wire::mailer(&config.mail)?;
            let post = Post::new(config, mailer);
            post.post_test(to.clone(), language.language(), WallClock.now())?;
            output.result("mail-test", json!({ "sent": true, "to": to }), || {
                facts(&[("sent", format!("a letter to {to}; look whether it arrived"))])
            });
        }
        MailCommand::Waiting => {
            let letters = wire::store(config)?.read(|tx| tx.letters_not_sent(SHOWN))?;
            let all: Vec<Value> = letters.iter().map(letter_json).collect();
            output.result("mail-waiting", json!({ "letters": all }), || {
                letters.iter().map(line).collect()
            });
        }
        MailCommand::Retry => {
            let again = wire::store(config)?.write(|tx| tx.retry_letters(WallClock.now()))?;
            output.result("mail-retry", json!({ "letters": again }), || {
                facts(&[("tried again", format!("{again} letters"))])
            });
        }
    }
    Ok(())
}

fn line(notice: &Notice) -> String {
    let (state, problem) = standing(notice);
    let matter = &notice.matter;
    let to = notice.recipient.mailbox();
    let tried = notice.attempts;
    format!(
        "{}  {state}  {}  {} {}  to {to}  tried {tried} times  {problem}\n",
        notice.number, matter.kind, matter.object.kind, matter.object.id
    )
}

fn letter_json(notice: &Notice) -> Value {
    let (state, problem) = standing(notice);
    let to = match &notice.recipient {
        Recipient::Person { address, .. } => address.as_str(),
        Recipient::Operator => "operator",
    };
    json!({
        "number": notice.number,
        "kind": notice.matter.kind,
        "object": notice.matter.object,
        "step": notice.step.to_string(),
        "to": to,
        "due_at": notice.due_at.to_string(),
        "attempts": notice.attempts,
        "state": state,
        "problem": problem,
    })
}

fn standing(notice: &Notice) -> (&'static str, &str) {
    match &notice.delivery {
        Delivery::Waiting { problem, .. } => ("waits", problem.as_deref().unwrap_or_default()),
        Delivery::Sent { .. } => ("sent", ""),
        Delivery::GivenUp { problem, .. } => ("given up", problem),
    }
}
