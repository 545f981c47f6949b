//! `tenkoku trustlist verify|show|diff` on files and addresses: anybody's lists, without an
//! installation.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde_json::{Value, json};
use tenkoku_console::text::Words;
use tenkoku_console::text::list::{change as change_sentence, finding as finding_sentence};
use tenkoku_domain::time::{Clock as _, Timestamp};
use tenkoku_fetch::{Fetched, Validators, Web};
use tenkoku_tsl::certificate::Certificate;
use tenkoku_tsl::diff::{Change, Place, What, changes};
use tenkoku_tsl::follow::{Freshness, PointedFault, pointer_to};
use tenkoku_tsl::model::{NextUpdate, Provider, Recognition, Service, State, TrustedList};
use tenkoku_tsl::rules::succession;
use tenkoku_tsl::verify::{Refusal, VerifiedList, read_unsigned, verify};

use super::super::path::{CERTIFICATE, instant, several};
use super::super::registry::read;
use crate::clock::WallClock;
use crate::config::{Config, ReaderConfig};
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku trustlist verify`
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The list, a file or an address of the web; `-` reads standard input
    list: ListPlace,
    /// The instant of the judgement, as in 2026-11-22T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    at: Option<Timestamp>,
    /// A certificate that may sign the list, DER or PEM; may stand several times
    #[arg(long, value_name = "FILE")]
    signer: Vec<PathBuf>,
    /// A list of lists that you trust, whose pointer names who may sign
    #[arg(long, value_name = "FILE", conflicts_with = "signer")]
    lotl: Option<PathBuf>,
}

/// Where a list is.
#[derive(Clone, Debug)]
pub(crate) enum ListPlace {
    /// In a file.
    File(PathBuf),
    /// At an address.
    Web(String),
}

impl FromStr for ListPlace {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let web = text.starts_with("http://") || text.starts_with("https://");
        Ok(if web { Self::Web(text.to_owned()) } else { Self::File(PathBuf::from(text)) })
    }
}

impl fmt::Display for ListPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Web(address) => f.write_str(address),
        }
    }
}

/// The web, opened when it is needed.
pub(super) struct OpenWeb(ReaderConfig);

impl OpenWeb {
    /// As the installation reaches it; where there is none, as one would by default.
    pub(super) fn of(config: impl FnOnce() -> Result<Config, Failure>) -> Self {
        Self(config().map(|config| config.reader).unwrap_or_default())
    }

    fn open(&self) -> Result<Web, Failure> {
        wire::web(&self.0)
    }
}

impl ListPlace {
    fn read(&self, web: &OpenWeb) -> Result<Vec<u8>, Failure> {
        let address = match self {
            Self::File(file) => return read(file),
            Self::Web(address) => address,
        };
        match web.open()?.fetch(address, &Validators::default()) {
            Ok(Fetched::Document(document)) => Ok(document.octets),
            Ok(Fetched::Unchanged) => Err(not_fetched(address, "the server sends nothing")),
            Err(error) => Err(not_fetched(address, error)),
        }
    }
}

fn not_fetched(address: &str, why: impl fmt::Display) -> Failure {
    Failure::problem("list-not-fetched", exit::REFUSED).with("detail-text", why).at(address)
}

/// What is known of the signer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signer {
    /// One of the certificates given signed the list.
    Given,
    /// The list of lists names the signer.
    Pointed,
    /// Nobody said who may sign.
    Unknown,
}

impl Signer {
    const fn word(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Pointed => "pointed",
            Self::Unknown => "unknown",
        }
    }
}

const fn freshness_word(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Current => "current",
        Freshness::Stale => "stale",
        Freshness::Closed => "closed",
    }
}

fn refused(list: &ListPlace, why: impl fmt::Display) -> Failure {
    Failure::problem("list-refused", exit::REFUSED).with("detail-text", why).at(list)
}

fn verified(list: &ListPlace, web: &OpenWeb) -> Result<VerifiedList, Failure> {
    verify(&list.read(web)?).map_err(|refusal| refused(list, refusal))
}

/// Judges a list. What cannot be confirmed is told after the result, with an exit code of its own.
pub(super) fn verify_list(
    args: &VerifyArgs,
    web: &OpenWeb,
    output: &Output,
) -> Result<(), Failure> {
    let list = verified(&args.list, web)?;
    let at = args.at.unwrap_or_else(|| WallClock.now());
    let signer = require_signer(&list, args, web)?;
    let freshness = Freshness::of(&list.list().scheme, at);
    tell(&list, signer, freshness, output);
    let unconfirmed = |code| {
        let scheme = &list.list().scheme;
        Err(Failure::problem(code, exit::UNCONFIRMED)
            .with("at", next_update(scheme.next_update).unwrap_or_default())
            .at(&args.list))
    };
    match (signer, freshness) {
        (Signer::Unknown, _) => unconfirmed("list-signer-unknown"),
        (_, Freshness::Stale) => unconfirmed("list-stale"),
        (_, Freshness::Current | Freshness::Closed) => Ok(()),
    }
}

fn require_signer(
    list: &VerifiedList,
    args: &VerifyArgs,
    web: &OpenWeb,
) -> Result<Signer, Failure> {
    let wrong = |why: Refusal| refused(&args.list, why);
    if !args.signer.is_empty() {
        let expected: Vec<_> = several(&args.signer, CERTIFICATE)?
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok())
            .collect();
        list.require_signer(&expected).map_err(wrong)?;
        return Ok(Signer::Given);
    }
    let Some(file) = &args.lotl else { return Ok(Signer::Unknown) };
    let lists = verified(&ListPlace::File(file.clone()), web)?;
    let territory = list.list().scheme.territory.as_str();
    let pointer = pointer_to(&lists.list().scheme, territory)
        .ok_or_else(|| refused(&args.list, PointedFault::NoPointer(territory.to_owned())))?;
    let expected: Vec<_> = pointer.signers().cloned().collect();
    list.require_signer(&expected).map_err(wrong)?;
    Ok(Signer::Pointed)
}

fn next_update(next: NextUpdate) -> Option<String> {
    match next {
        NextUpdate::By(at) => Some(at.to_string()),
        NextUpdate::Closed => None,
    }
}

fn signer_line(list: &VerifiedList) -> String {
    tenkoku_pki::cert::Certificate::parse(list.signer().der())
        .map_or_else(|_| list.signer().subject(), |read| read.subject().subject_line())
}

fn name(list: &TrustedList) -> &str {
    let names = &list.scheme.scheme_name;
    let first = || names.entries().first().map(|entry| &entry.value);
    names.in_english().or_else(first).map_or("", |name| name.as_str())
}

fn tell(verified: &VerifiedList, signer: Signer, freshness: Freshness, output: &Output) {
    let (list, scheme) = (verified.list(), &verified.list().scheme);
    let services = list.services().count();
    let next = next_update(scheme.next_update);
    let value = json!({
        "scheme": name(list),
        "territory": scheme.territory.as_str(),
        "version": verified.version(),
        "sequence": scheme.sequence_number,
        "issued": scheme.issue.to_string(),
        "next_update": next,
        "freshness": freshness_word(freshness),
        "pointers": scheme.pointers.len(),
        "providers": list.providers.len(),
        "services": services,
        "signer": signer_line(verified),
        "signer_sha256": tenkoku_tsl::write::sha2(verified.signer().der()),
        "signer_expected": signer.word(),
        "algorithm": verified.algorithm().uri(),
        "signing_time": verified.signing_time().to_string(),
    });
    output.result("list-verified", value, || {
        facts(&[
            ("signature", "holds".to_owned()),
            ("signer", signer_line(verified)),
            ("signer expected", signer.word().to_owned()),
            ("scheme", name(list).to_owned()),
            ("sequence", scheme.sequence_number.to_string()),
            ("issued", scheme.issue.to_string()),
            ("next update", next.unwrap_or_else(|| "closed".to_owned())),
            ("freshness", freshness_word(freshness).to_owned()),
            ("pointers", scheme.pointers.len().to_string()),
            ("providers", list.providers.len().to_string()),
            ("services", services.to_string()),
        ])
    });
}

/// A list that somebody signed, or a draft that nobody signed yet.
fn load(list: &ListPlace, web: &OpenWeb) -> Result<(bool, TrustedList), Failure> {
    let bytes = list.read(web)?;
    match verify(&bytes) {
        Ok(verified) => Ok((true, verified.into_list())),
        Err(Refusal::NoSignature) => {
            Ok((false, read_unsigned(&bytes).map_err(|refusal| refused(list, refusal))?))
        }
        Err(refusal) => Err(refused(list, refusal)),
    }
}

/// Shows a list, signed or not, with every service and its history.
pub(super) fn show_list(place: &ListPlace, web: &OpenWeb, output: &Output) -> Result<(), Failure> {
    let (signed, list) = load(place, web)?;
    let scheme = &list.scheme;
    let next = next_update(scheme.next_update);
    let value = json!({
        "signature": if signed { "holds" } else { "none" },
        "scheme": name(&list),
        "territory": scheme.territory.as_str(),
        "sequence": scheme.sequence_number,
        "issued": scheme.issue.to_string(),
        "next_update": next,
        "pointers": scheme.pointers.iter().map(|pointer| json!({
            "address": pointer.location.as_str(),
            "territory": pointer.territory().map(ToString::to_string),
            "signers": pointer.signers().map(Certificate::subject).collect::<Vec<_>>(),
            "recognises": pointer.recognition().map(recognition_json),
        })).collect::<Value>(),
        "providers": list.providers.iter().map(provider_json).collect::<Value>(),
    });
    output.result("list", value, || {
        let mut text = facts(&[
            ("signature", if signed { "holds" } else { "none" }.to_owned()),
            ("scheme", name(&list).to_owned()),
            ("sequence", scheme.sequence_number.to_string()),
            ("issued", scheme.issue.to_string()),
            ("next update", next.unwrap_or_else(|| "closed".to_owned())),
            ("pointers", scheme.pointers.len().to_string()),
        ]);
        for provider in &list.providers {
            text.push_str(&provider_text(provider));
        }
        text
    });
    Ok(())
}

/// What of the list pointed to counts as what.
fn recognition_json(agreement: &Recognition) -> Value {
    let services = agreement.services.iter().map(|service| {
        json!({
            "kind": service.legal_identifier.as_str(),
            "status": service.terms.status.as_str(),
            "since": service.terms.since.to_string(),
        })
    });
    services.collect()
}

fn english(names: &tenkoku_tsl::model::Names) -> String {
    let first = || names.entries().first().map(|entry| &entry.value);
    names.in_english().or_else(first).map(ToString::to_string).unwrap_or_default()
}

fn provider_json(provider: &Provider) -> Value {
    let services = provider.services.iter().map(|service| {
        let certificates = service.identity.certificates();
        json!({
            "name": english(&service.name),
            "type": service.service_type.as_str(),
            "status": service.status.as_str(),
            "since": service.status_start.to_string(),
            "certificates": certificates
                .map(|one| tenkoku_tsl::write::sha2(one.der()))
                .collect::<Vec<_>>(),
            "information": service.extensions.iter()
                .filter_map(|extension| extension.as_information())
                .map(|uri| uri.as_str())
                .collect::<Vec<_>>(),
            "history": service.history.iter().map(|past| json!({
                "type": past.service_type.as_str(),
                "status": past.status.as_str(),
                "since": past.status_start.to_string(),
            })).collect::<Value>(),
        })
    });
    let registration = provider.trade_names.registration();
    json!({
        "name": english(&provider.name),
        "registration": registration.map(|identifier| identifier.to_string()),
        "services": services.collect::<Value>(),
    })
}

fn provider_text(provider: &Provider) -> String {
    let services = provider.services.iter().map(service_text);
    format!("\n{}\n{}", english(&provider.name), services.collect::<String>())
}

fn service_text(service: &Service) -> String {
    let mut text = format!("  {}\n", english(&service.name));
    for state in service.states() {
        text.push_str(&state_text(&state));
    }
    text
}

fn state_text(state: &State<'_>) -> String {
    let status = state.status.as_str();
    let word = status.rsplit(['/', '#']).next().unwrap_or(status);
    let kind = state.service_type.as_str();
    let kind = kind.strip_prefix("http://uri.etsi.org/TrstSvc/Svctype/").unwrap_or(kind);
    format!("    {}  {word}  {kind}\n", state.since)
}

/// Says what changed from one list to another, and which changes the standard forbids.
pub(super) fn compare(
    before: &ListPlace,
    after: &ListPlace,
    web: &OpenWeb,
    output: &Output,
) -> Result<(), Failure> {
    let ((_, old), (_, new)) = (load(before, web)?, load(after, web)?);
    let told = changes(&old, &new);
    let broken = succession(&new, &old);
    let words = Words::of(output.language);
    let value = json!({
        "changes": told.iter().map(change_json).collect::<Value>(),
        "broken_rules": broken.iter().map(|finding| json!({
            "clause": finding.clause,
            "sentence": finding_sentence(words, finding),
            "code": finding.rule.code(),
        })).collect::<Value>(),
    });
    output.result("list-difference", value, || {
        if told.is_empty() {
            return words.t("trustlist.same").to_owned();
        }
        let mut lines: Vec<_> = told.iter().map(|change| change_sentence(words, change)).collect();
        lines.extend(broken.iter().map(|finding| {
            let said = format!("{} ({})", finding_sentence(words, finding), finding.clause);
            words.say("trustlist.broken").with("sentence", said).text()
        }));
        lines.join("\n")
    });
    Ok(())
}

fn change_json(change: &Change) -> Value {
    let (place, address, provider, service) = match &change.place {
        Place::Scheme => ("scheme", None, None, None),
        Place::Pointer(address) => ("pointer", Some(address), None, None),
        Place::Provider(provider) => ("provider", None, Some(provider), None),
        Place::Service { provider, service } => ("service", None, Some(provider), Some(service)),
    };
    let (field, from, to, since) = match &change.what {
        What::Added | What::Removed => (None, None, None, None),
        What::Status { from, to, since } => (None, Some(from), Some(to), Some(since.to_string())),
        What::Field { field, from, to } => (Some(field.code()), Some(from), Some(to), None),
    };
    json!({
        "place": place, "address": address, "provider": provider, "service": service,
        "what": change.what.code(), "field": field, "from": from, "to": to, "since": since,
    })
}
