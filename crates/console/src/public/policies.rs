//! Policies: the key policy in force as sentences with its digest, and the object identifiers.

use actix_web::HttpResponse;
use askama::Template;
use tenkoku_domain::level::Level;
use tenkoku_domain::policy::KeyPolicy;
use tenkoku_ports::Env;

use super::Reader;
use crate::format;
use crate::layout::PublicFrame;
use crate::problem::Problem;
use crate::text::Words;

/// What the policy says about a level.
pub(super) struct LevelView {
    pub(super) number: u8,
    pub(super) name: String,
    pub(super) oid: String,
    pub(super) sentences: Vec<String>,
}

#[derive(Template)]
#[template(path = "public/policies.html")]
pub(super) struct PoliciesPage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    pub(super) id: String,
    pub(super) version: String,
    pub(super) digest: String,
    pub(super) levels: Vec<LevelView>,
    pub(super) common: Vec<String>,
    pub(super) list_oid: String,
}

/// `GET /policies`
pub async fn show_policies(reader: Reader) -> Result<HttpResponse, Problem> {
    let w = reader.words;
    let found = reader.read(move |tx, env, now| {
        let policy = tx.current_policy(now)?;
        let levels =
            Level::ALL.map(|level| level_view(w, env, &policy, level)).into_iter().collect();
        Ok((policy, levels, env.settings.arc.list_signing().to_string()))
    });
    let (policy, levels, list_oid) = found.await?;
    let digest = policy.digest().map_err(|error| Problem::internal(&error))?;
    reader.show(&PoliciesPage {
        w,
        frame: reader.frame(w.t("policies.title")),
        digest: digest.to_string(),
        levels,
        common: common(w, &policy),
        list_oid,
        id: policy.id,
        version: policy.version,
    })
}

fn level_view(w: Words, env: &Env, policy: &KeyPolicy, level: Level) -> LevelView {
    let rules = policy.level(level);
    let algorithms: Vec<&str> = rules.algorithms.iter().map(|algorithm| algorithm.name()).collect();
    let mut sentences = vec![
        w.say("policies.algorithms").with("names", algorithms.join(", ")).text(),
        w.say("policies.validity").with("n", format::number(rules.validity_days)).text(),
        w.say("policies.sealing").with("n", format::number(rules.sealing_days)).text(),
        w.word("policies.origin", rules.origin.word()).to_owned(),
    ];
    if let Some(last) = rules.rsa_2048_until {
        sentences.push(w.say("policies.rsa-2048").with("date", format::long_date(w, last)).text());
    }
    LevelView {
        number: level.number(),
        name: w.word("seal.level", &level.to_string()).to_owned(),
        oid: env.settings.arc.level(level).to_string(),
        sentences,
    }
}

fn common(w: Words, policy: &KeyPolicy) -> Vec<String> {
    let number = format::number;
    vec![
        w.t("policies.one-key").to_owned(),
        w.say("policies.instances").with("n", number(policy.instances.max_per_seal)).text(),
        w.say("policies.ocsp-signer")
            .with("n", number(policy.validity.ocsp_signer))
            .with("rotation", number(policy.ocsp_signer_rotation_days()))
            .text(),
        w.say("policies.list-signer").with("n", number(policy.validity.list_signer)).text(),
    ]
}
