//! Who is asked at a ceremony: the people at the terminal, or a file of ticks.

use std::io::Write as _;

use tenkoku_ca::authority::AuthorityError;
use tenkoku_ca::ceremony::Attendance;
use tenkoku_console::text::Words;
use tenkoku_domain::ceremony::record::Output;
use tenkoku_domain::ceremony::script::WrittenTick;
use tenkoku_domain::ceremony::{Ceremony, CeremonyRole, Participant, Step, StepAct};
use tenkoku_domain::organisation::Language;

/// Who is asked.
pub(super) enum Attending {
    /// Ticks that were written before.
    Written(Vec<WrittenTick>),
    /// The people at the terminal.
    Terminal(Box<Ceremony>, Words),
}

impl Attending {
    pub(super) fn written(ticks: Vec<WrittenTick>) -> Self {
        Self::Written(ticks)
    }

    pub(super) fn terminal(ceremony: Ceremony, language: Language) -> Self {
        Self::Terminal(Box::new(ceremony), Words::of(language))
    }

    fn ask(&self, step: &Step, asked: impl Fn(CeremonyRole) -> bool) -> Vec<WrittenTick> {
        match self {
            Self::Written(ticks) => {
                ticks.iter().filter(|t| t.step == step.number && asked(t.role)).cloned().collect()
            }
            Self::Terminal(ceremony, words) => ceremony
                .roles
                .iter()
                .filter(|participant| asked(participant.role))
                .filter_map(|participant| prompt(*words, step, participant))
                .collect(),
        }
    }
}

/// Asks one person to type the first letter of yes; anything after it is a deviation.
fn prompt(words: Words, step: &Step, participant: &Participant) -> Option<WrittenTick> {
    let question = words
        .say("cli-ceremony.ask")
        .with("step", step.number)
        .with("person", &participant.person)
        .with("role", words.word("cli-ceremony.role", participant.role.word()))
        .text();
    let _ = write!(std::io::stderr(), "{question} ");
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed).ok()?;
    let (answer, rest) = typed.trim().split_once(' ').unwrap_or((typed.trim(), ""));
    let yes = ["y", "yes", "はい"].contains(&answer.to_lowercase().as_str());
    yes.then(|| WrittenTick {
        step: step.number,
        role: participant.role,
        person: participant.person.clone(),
        deviation: (!rest.is_empty()).then(|| rest.to_owned()),
    })
}

impl Attendance for Attending {
    fn before(&mut self, step: &Step) -> Result<Vec<WrittenTick>, AuthorityError> {
        if let Self::Terminal(..) = self {
            let _ = writeln!(std::io::stderr(), "\n{}. {}", step.number, step.instruction);
        }
        let everybody = [StepAct::RollCall, StepAct::Sign].contains(&step.act);
        let who = step.who;
        Ok(self.ask(step, |role| (everybody || role == who) && role != CeremonyRole::Witness))
    }

    fn after(
        &mut self,
        step: &Step,
        outputs: &[Output],
    ) -> Result<Vec<WrittenTick>, AuthorityError> {
        if let Self::Terminal(..) = self {
            let _ = writeln!(std::io::stderr(), "   → {}", step.expect);
            for output in outputs {
                let _ = writeln!(std::io::stderr(), "     {}: {}", output.name, output.value);
            }
        }
        Ok(self.ask(step, |role| role == CeremonyRole::Witness))
    }
}
