//! The file of a ceremony: TOML, read strictly. Whatever is wrong is told with its line and the
//! nearest key that is known.

use serde::{Deserialize, Serialize};

use super::{
    Ceremony, CeremonyKind, CeremonyRole, CrossWish, NewAuthority, Participant, Step, StepAct,
    Subject,
};
use crate::authority::{AuthorityCode, AuthorityKind, ServiceKind, ShardCount};
use crate::id::{ApplicationId, CeremonyId, ContainerId};
use crate::key::KeyAlgorithm;
use crate::level::Level;
use crate::name::Name;
use crate::organisation::Language;
use crate::policy::Installation;

/// Longest file, in octets.
pub const LIMIT_OCTETS: usize = 256 * 1024;

/// Every key, for the suggestion beside an unknown one.
const KEYS: [&str; 31] = [
    "ceremony",
    "id",
    "kind",
    "title",
    "language",
    "installation",
    "recording",
    "roles",
    "role",
    "person",
    "authority",
    "code",
    "level",
    "generation",
    "name",
    "key",
    "days",
    "issuer",
    "organisation",
    "crl_shards",
    "application",
    "container",
    "target",
    "by",
    "cross",
    "steps",
    "do",
    "expect",
    "who",
    "act",
    "ticks",
];

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// A key that nobody knows.
    #[error("line {line}: the key {key} is not known{}", nearest.as_ref().map(|n| format!("; did you mean {n}?")).unwrap_or_default())]
    UnknownKey {
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// The nearest known key.
        nearest: Option<String>,
    },
    /// Not TOML, a key is missing, or a value is of the wrong type.
    #[error("line {line}: {problem}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A value that breaks a rule.
    #[error("{key}: {problem}")]
    Value {
        /// The key, with its section.
        key: String,
        /// What is wrong.
        problem: String,
    },
    /// Larger than any ceremony.
    #[error("the file is larger than 256 KiB")]
    TooLarge,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct FileToml {
    ceremony: HeadToml,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authority: Option<AuthorityToml>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<TargetToml>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<KeyToml>,
    roles: Vec<RoleToml>,
    steps: Vec<StepToml>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct HeadToml {
    id: String,
    kind: String,
    title: String,
    language: String,
    installation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recording: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct AuthorityToml {
    code: String,
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    level: Option<u8>,
    generation: i32,
    name: String,
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    days: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organisation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crl_shards: Option<u32>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct TargetToml {
    authority: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cross: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct KeyToml {
    application: String,
    container: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RoleToml {
    role: String,
    person: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct StepToml {
    #[serde(rename = "do")]
    instruction: String,
    expect: String,
    who: String,
    act: String,
}

/// Reads the file of a ceremony.
pub fn read(text: &str) -> Result<Ceremony, ScriptError> {
    if text.len() > LIMIT_OCTETS {
        return Err(ScriptError::TooLarge);
    }
    let file: FileToml = toml::from_str(text).map_err(|error| of_toml(text, &error))?;
    let head = &file.ceremony;
    let kind = word("ceremony.kind", &head.kind, CeremonyKind::ALL, CeremonyKind::word)?;
    let installation =
        word("ceremony.installation", &head.installation, Installation::ALL, Installation::word)?;
    let subject = subject(kind, &file)?;
    let roles = file.roles.iter().map(participant).collect::<Result<Vec<_>, _>>()?;
    let ceremony = Ceremony {
        id: ok("ceremony.id", CeremonyId::parse(&head.id))?,
        kind,
        title: head.title.clone(),
        language: word("ceremony.language", &head.language, Language::ALL, Language::word)?,
        installation,
        recording: head.recording.clone(),
        roles,
        subject,
        steps: (1..).zip(&file.steps).map(step).collect::<Result<Vec<_>, _>>()?,
    };
    check_order(&ceremony)?;
    Ok(ceremony)
}

/// Writes the file of a ceremony.
pub fn write(ceremony: &Ceremony) -> Result<String, ScriptError> {
    let (authority, target, key) = subject_toml(&ceremony.subject);
    let file = FileToml {
        ceremony: HeadToml {
            id: ceremony.id.to_string(),
            kind: ceremony.kind.to_string(),
            title: ceremony.title.clone(),
            language: ceremony.language.word().to_owned(),
            installation: ceremony.installation.to_string(),
            recording: ceremony.recording.clone(),
        },
        authority,
        target,
        key,
        roles: ceremony
            .roles
            .iter()
            .map(|p| RoleToml { role: p.role.to_string(), person: p.person.to_string() })
            .collect(),
        steps: ceremony
            .steps
            .iter()
            .map(|step| StepToml {
                instruction: step.instruction.clone(),
                expect: step.expect.clone(),
                who: step.who.to_string(),
                act: step.act.to_string(),
            })
            .collect(),
    };
    toml::to_string_pretty(&file)
        .map_err(|error| ScriptError::Malformed { line: 1, problem: error.to_string() })
}

/// The roll call comes before anything that moves a key, each act stands once, and the record is
/// closed last.
fn check_order(ceremony: &Ceremony) -> Result<(), ScriptError> {
    let wrong = |problem: &str| {
        Err(ScriptError::Value { key: "steps".to_owned(), problem: problem.to_owned() })
    };
    let acts: Vec<StepAct> = ceremony.steps.iter().map(|step| step.act).collect();
    if acts.first() != Some(&StepAct::RollCall) {
        return wrong("the first step must be the roll-call");
    }
    if acts.last() != Some(&StepAct::Close) {
        return wrong("the last step must be close");
    }
    let once =
        |act: &StepAct| *act == StepAct::ByHand || acts.iter().filter(|a| *a == act).count() == 1;
    if !acts.iter().all(once) {
        return wrong("only by-hand may stand more than once");
    }
    if let Some(step) =
        ceremony.steps.iter().find(|s| !ceremony.roles.iter().any(|p| p.role == s.who))
    {
        return wrong(&format!("nobody is named as {}, who does step {}", step.who, step.number));
    }
    Ok(())
}

fn subject(kind: CeremonyKind, file: &FileToml) -> Result<Subject, ScriptError> {
    let missing = |key: &str, what: &str| ScriptError::Value {
        key: key.to_owned(),
        problem: format!("a {kind} needs [{key}] with {what}"),
    };
    let target = || file.target.as_ref().ok_or_else(|| missing("target", "the authority"));
    match kind {
        CeremonyKind::RootGeneration | CeremonyKind::IssuingGeneration => {
            let authority = file.authority.as_ref();
            let authority = authority.ok_or_else(|| missing("authority", "what is to be made"))?;
            let new = new_authority(authority)?;
            let is_root = new.kind == AuthorityKind::Root;
            if is_root != (kind == CeremonyKind::RootGeneration) {
                return Err(ScriptError::Value {
                    key: "authority.kind".to_owned(),
                    problem: format!("a {kind} does not make a {} authority", new.kind.word()),
                });
            }
            Ok(Subject::Create(Box::new(new)))
        }
        CeremonyKind::Rollover => {
            let target = target()?;
            let wish = target.cross.as_deref().unwrap_or("none");
            Ok(Subject::Rollover {
                authority: code("target.authority", &target.authority)?,
                cross: word("target.cross", wish, CrossWish::ALL, CrossWish::word)?,
            })
        }
        CeremonyKind::CrossCertify => {
            let target = target()?;
            let by = target.by.as_deref().unwrap_or_default();
            Ok(Subject::Cross {
                certified: code("target.authority", &target.authority)?,
                by: code("target.by", by)?,
            })
        }
        CeremonyKind::OfflineSign | CeremonyKind::Destruction | CeremonyKind::Activation => {
            Ok(Subject::Authority { authority: code("target.authority", &target()?.authority)? })
        }
        CeremonyKind::WitnessedKey => {
            let key = file.key.as_ref();
            let key = key.ok_or_else(|| missing("key", "the application and the container"))?;
            Ok(Subject::SealKey {
                application: ok("key.application", ApplicationId::parse(&key.application))?,
                container: ok("key.container", ContainerId::parse(&key.container))?,
            })
        }
    }
}

fn new_authority(toml: &AuthorityToml) -> Result<NewAuthority, ScriptError> {
    let kind = match (toml.kind.as_str(), toml.level) {
        ("root", None) => AuthorityKind::Root,
        ("policy", None) => AuthorityKind::Policy,
        ("issuing", Some(level)) => {
            AuthorityKind::Issuing(ok("authority.level", Level::try_from(level))?)
        }
        ("tsa", None) => AuthorityKind::Service(ServiceKind::TimeStamping),
        ("internal", None) => AuthorityKind::Service(ServiceKind::Internal),
        _ => {
            return Err(ScriptError::Value {
                key: "authority.kind".to_owned(),
                problem: "write \"root\", \"policy\", \"tsa\", \"internal\", or \"issuing\" together with a level"
                    .to_owned(),
            });
        }
    };
    let issuer = toml.issuer.as_deref().map(|text| code("authority.issuer", text)).transpose()?;
    Ok(NewAuthority {
        code: code("authority.code", &toml.code)?,
        kind,
        generation: toml.generation,
        name: ok("authority.name", Name::parse(&toml.name))?,
        algorithm: ok("authority.key", KeyAlgorithm::parse(&toml.key))?,
        days: toml.days,
        issuer,
        organisation: toml.organisation.clone(),
        crl_shards: ok("authority.crl_shards", ShardCount::new(toml.crl_shards.unwrap_or(1)))?,
    })
}

fn subject_toml(subject: &Subject) -> (Option<AuthorityToml>, Option<TargetToml>, Option<KeyToml>) {
    let target = |authority: &AuthorityCode, by: Option<String>, cross: Option<String>| {
        (None, Some(TargetToml { authority: authority.to_string(), by, cross }), None)
    };
    match subject {
        Subject::Create(new) => {
            let authority = AuthorityToml {
                code: new.code.to_string(),
                kind: new.kind.word().to_owned(),
                level: new.kind.level().map(Level::number),
                generation: new.generation,
                name: new.name.to_string(),
                key: new.algorithm.to_string(),
                days: new.days,
                issuer: new.issuer.as_ref().map(ToString::to_string),
                organisation: new.organisation.clone(),
                crl_shards: Some(new.crl_shards.get()).filter(|count| *count > 1),
            };
            (Some(authority), None, None)
        }
        Subject::Rollover { authority, cross } => target(authority, None, Some(cross.to_string())),
        Subject::Cross { certified, by } => target(certified, Some(by.to_string()), None),
        Subject::Authority { authority } => target(authority, None, None),
        Subject::SealKey { application, container } => {
            let (application, container) = (application.to_string(), container.to_string());
            (None, None, Some(KeyToml { application, container }))
        }
    }
}

fn participant(toml: &RoleToml) -> Result<Participant, ScriptError> {
    Ok(Participant {
        role: word("roles.role", &toml.role, CeremonyRole::ALL, CeremonyRole::word)?,
        person: ok("roles.person", Name::parse(&toml.person))?,
    })
}

fn step((number, toml): (i32, &StepToml)) -> Result<Step, ScriptError> {
    Ok(Step {
        number,
        instruction: toml.instruction.clone(),
        expect: toml.expect.clone(),
        who: word("steps.who", &toml.who, CeremonyRole::ALL, CeremonyRole::word)?,
        act: word("steps.act", &toml.act, StepAct::ALL, StepAct::word)?,
    })
}

fn code(key: &str, text: &str) -> Result<AuthorityCode, ScriptError> {
    AuthorityCode::parse(text).map_err(|_| ScriptError::Value {
        key: key.to_owned(),
        problem: format!("{text:?} is not the code of an authority"),
    })
}

fn ok<T, E: std::fmt::Display>(key: &str, value: Result<T, E>) -> Result<T, ScriptError> {
    value.map_err(|error| ScriptError::Value { key: key.to_owned(), problem: error.to_string() })
}

/// One of some words; the nearest is suggested for any other.
fn word<T: Copy>(
    key: &str,
    text: &str,
    all: &[T],
    of: impl Fn(T) -> &'static str,
) -> Result<T, ScriptError> {
    if let Some(found) = all.iter().copied().find(|value| of(*value) == text) {
        return Ok(found);
    }
    let known: Vec<&str> = all.iter().map(|value| of(*value)).collect();
    let hint =
        nearest(text, &known).map_or_else(|| known.join(", "), |n| format!("did you mean {n}?"));
    Err(ScriptError::Value {
        key: key.to_owned(),
        problem: format!("{text:?} is not known here; {hint}"),
    })
}

/// Tells what the TOML reader found.
pub(crate) fn of_toml(text: &str, error: &toml::de::Error) -> ScriptError {
    let start = error.span().map_or(0, |span| span.start);
    let before = text.get(..start).unwrap_or_default();
    let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
    let message = error.message();
    match message.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next()) {
        Some(key) => {
            ScriptError::UnknownKey { line, key: key.to_owned(), nearest: nearest(key, &KEYS) }
        }
        None => ScriptError::Malformed { line, problem: message.replace('\n', " ") },
    }
}

fn nearest(word: &str, known: &[&str]) -> Option<String> {
    known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(known, word), *known))
        .min()
        .filter(|(distance, _)| *distance <= 3)
        .map(|(_, known)| known.to_owned())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TicksToml {
    ticks: Vec<TickToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TickToml {
    step: i32,
    role: String,
    person: String,
    #[serde(default)]
    deviation: Option<String>,
}

/// A tick prepared in a file, for a ceremony that runs without a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenTick {
    /// The step.
    pub step: i32,
    /// As what.
    pub role: CeremonyRole,
    /// Who.
    pub person: Name,
    /// What went otherwise, and why.
    pub deviation: Option<String>,
}

/// Reads a file of ticks: `[[ticks]]` with `step`, `role`, `person` and, where the step went
/// otherwise, `deviation`.
pub fn read_ticks(text: &str) -> Result<Vec<WrittenTick>, ScriptError> {
    if text.len() > LIMIT_OCTETS {
        return Err(ScriptError::TooLarge);
    }
    let file: TicksToml = toml::from_str(text).map_err(|error| of_toml(text, &error))?;
    file.ticks
        .iter()
        .map(|tick| {
            Ok(WrittenTick {
                step: tick.step,
                role: word("ticks.role", &tick.role, CeremonyRole::ALL, CeremonyRole::word)?,
                person: ok("ticks.person", Name::parse(&tick.person))?,
                deviation: tick.deviation.clone(),
            })
        })
        .collect()
}
