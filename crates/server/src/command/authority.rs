//! `tenkoku ca`: create, list, show and export authorities.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use tenkoku_ca::authority::{
    AuthorityError, AuthorityOrder, create_authority, cross_certify, dedication_of, end_authority,
    renew_authority, resume_authority, retire_authority, suspend_authority,
};
use tenkoku_ca::service::{ServiceUse, issue_administrator, issue_service};
use tenkoku_ca::signer::{renew_list_signers, renew_ocsp_signers};
use tenkoku_domain::access::{OperateAuthority, Permit};
use tenkoku_domain::audit::SignedCrl;
use tenkoku_domain::authority::{
    Authority, AuthorityCode, AuthorityKind, ServiceKind, ShardCount, ShardCountError,
};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::ceremony::{Consent, CrossWish};
use tenkoku_domain::certificate::Profile;
use tenkoku_domain::key::{Key, KeyAlgorithm};
use tenkoku_domain::level::Level;
use tenkoku_domain::name::Name;
use tenkoku_domain::origin::KeyEvidence;
use tenkoku_domain::time::Clock as _;
use tenkoku_pki::pem;
use tenkoku_ports::Env;
use tenkoku_publisher::publish::renew_lists;
use tenkoku_responder::crl::{CrlError, current_crl, issue_last_crl};
use tenkoku_store::{Store, StoreError};

use super::certificate::{certificate_json, certificate_text};
use super::danger::confirm;
use super::registry::find_organisation;
use crate::clock::WallClock;
use crate::config::{Config, SAMPLE_OPERATOR};
use crate::failure::{Failure, exit};
use crate::output::{Output, facts};
use crate::wire;

/// `tenkoku ca`
#[derive(Debug, Subcommand)]
pub(crate) enum CaCommand {
    /// Create an authority: key, certificate, signer, first CRL
    Create(CreateArgs),
    /// List the authorities with their files and addresses
    List,
    /// Show one authority
    Show {
        /// Code or id
        authority: String,
    },
    /// Renew an authority: a new key under the next generation; the former stops issuing
    Renew {
        /// Code
        authority: String,
        /// Roots: certify each other in both directions
        #[arg(long)]
        cross: bool,
    },
    /// Let one root certify another
    CrossCertify {
        /// Code of the root that is certified
        certified: String,
        /// Code of the root that signs
        #[arg(long)]
        by: String,
    },
    /// Put an authority on hold: it issues nothing, its status services go on
    Suspend {
        /// Code
        authority: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Do not ask for the code to be typed
        #[arg(long)]
        yes: bool,
    },
    /// Lift a hold
    Resume {
        /// Code
        authority: String,
    },
    /// Stop an authority from issuing for good; its status services go on
    Retire {
        /// Code
        authority: String,
        /// Do not ask for the code to be typed
        #[arg(long)]
        yes: bool,
    },
    /// End an authority: last CRL, then its key is destroyed
    End {
        /// Code
        authority: String,
        /// Do not ask for the code to be typed
        #[arg(long)]
        yes: bool,
    },
    /// Certify a service, or the client key of an administrator
    Certify(CertifyArgs),
    /// Print an authority's certificate, or its chain up to the root, as PEM
    Export {
        /// Code or id
        authority: String,
        /// With its issuers
        #[arg(long)]
        chain: bool,
    },
}

/// `tenkoku ca create`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tenkoku ca create --kind root --code root-g1 --name 'Sample Root CA G1'
  tenkoku ca create --kind issuing --level 2 --code seal-l2-g1 --issuer root-g1 \\
      --name 'Sample E-Seal Issuing CA L2 G1'")]
pub(crate) struct CreateArgs {
    /// Kind
    #[arg(long, value_enum)]
    kind: Kind,
    /// Short name in addresses
    #[arg(long)]
    code: String,
    /// Common name, ending with the generation: … G1
    #[arg(long)]
    name: String,
    /// Level that an issuing authority serves
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=3))]
    level: Option<u8>,
    /// The authority that issues it
    #[arg(long)]
    issuer: Option<String>,
    /// The one organisation that an issuing authority serves: identifier or id
    #[arg(long = "for", value_name = "ORG")]
    organisation: Option<String>,
    /// Generation
    #[arg(long, default_value_t = 1)]
    generation: i32,
    /// Algorithm of its key: P-384 or RSA-4096
    #[arg(long, default_value = "P-384")]
    key: String,
    /// Validity in days [default: the most for its kind]
    #[arg(long)]
    days: Option<i64>,
    /// Into how many lists its CRL is cut: 1, 2, 4, 8 … 1024; never changed afterwards
    #[arg(long, value_name = "N", default_value = "1", value_parser = shard_count)]
    crl_shards: ShardCount,
}

/// Reads a count of shards.
pub(crate) fn shard_count(text: &str) -> Result<ShardCount, String> {
    let count = text.parse().map_err(|_| ShardCountError.to_string())?;
    ShardCount::new(count).map_err(|error| error.to_string())
}

/// Kind of an authority on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Issues authorities.
    Root,
    /// Issues issuing authorities, below a root.
    Policy,
    /// Issues seals of one level.
    Issuing,
    /// Issues time-stamping units.
    Tsa,
    /// Issues certificates of administrators and audit signers.
    Internal,
}

pub(crate) fn run(command: CaCommand, config: &Config, output: &Output) -> Result<(), Failure> {
    match command {
        CaCommand::Create(args) => create(&args, config, output),
        CaCommand::Certify(args) => certify(&args, config, output),
        CaCommand::List => list(config, output),
        CaCommand::Show { authority } => show(&authority, config, output),
        CaCommand::Export { authority, chain } => export(&authority, chain, config, output),
        CaCommand::Renew { authority, cross } => {
            let cross = if cross { CrossWish::Both } else { CrossWish::None };
            renew(&authority, cross, config, output)
        }
        CaCommand::CrossCertify { certified, by } => cross(&certified, &by, config, output),
        CaCommand::Suspend { authority, reason, yes } => {
            confirm("suspend", &authority, yes, output)?;
            change(&authority, config, output, |env, permit, code| {
                suspend_authority(env, permit, code, &reason)
            })
        }
        CaCommand::Resume { authority } => {
            change(&authority, config, output, |env, permit, code| {
                let consent = Consent::evaluation(env.settings.installation)?;
                resume_authority(env, permit, code, &consent)
            })
        }
        CaCommand::Retire { authority, yes } => {
            confirm("retire", &authority, yes, output)?;
            change(&authority, config, output, retire_authority)
        }
        CaCommand::End { authority, yes } => {
            confirm("end", &authority, yes, output)?;
            change(&authority, config, output, |env, permit, code| {
                let consent = Consent::evaluation(env.settings.installation)?;
                end_authority(env, permit, code, &consent, &|code| last_crl(env, code).map(|_| ()))
            })
        }
    }
}

/// Takes one step in the life of an authority and shows it.
fn change(
    authority: &str,
    config: &Config,
    output: &Output,
    act: impl FnOnce(
        &Env,
        &Permit<OperateAuthority>,
        &AuthorityCode,
    ) -> Result<Authority, AuthorityError>,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let code = AuthorityCode::parse(authority)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let changed = act(&env, &permit, &code).map_err(|e| Failure::from(e).named(authority))?;
    output.result("ca", authority_json(&changed, config), || text(&changed, config));
    Ok(())
}

/// The last CRL of an authority that ends.
pub(crate) fn last_crl(env: &Env, code: &AuthorityCode) -> Result<SignedCrl, AuthorityError> {
    let permit = wire::shell().permit(env.clock.now())?;
    issue_last_crl(env, &permit, code).map_err(of_crl)
}

/// What went wrong with a CRL, in the words of the authority's use cases.
pub(crate) fn of_crl(error: CrlError) -> AuthorityError {
    match error {
        CrlError::Refused(refusal) => refusal.into(),
        CrlError::Lint(lint) => lint.into(),
        CrlError::Keys(keys) => keys.into(),
        CrlError::Assemble(assemble) => assemble.into(),
        CrlError::StoredCertificate(certificate) => certificate.into(),
        CrlError::StoredKey(key) => key.into(),
        CrlError::Address(address) => address.into(),
        CrlError::Store(store) => store.into(),
    }
}

fn renew(
    authority: &str,
    cross: CrossWish,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let code = AuthorityCode::parse(authority)?;
    let consent = Consent::evaluation(env.settings.installation)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let successor = renew_authority(&env, &permit, &code, cross, &consent)
        .map_err(|e| Failure::from(e).named(authority))?;
    into_service(&env, &successor, config)?;
    output.result("ca", authority_json(&successor, config), || text(&successor, config));
    Ok(())
}

/// What a new authority needs besides its certificate: signers, its first CRL, its place in the
/// list.
pub(crate) fn into_service(
    env: &Env,
    authority: &Authority,
    config: &Config,
) -> Result<(), Failure> {
    let shell = wire::shell();
    let now = env.clock.now();
    match authority.kind {
        AuthorityKind::Root => {
            renew_list_signers(env, &shell.permit(now)?)?;
        }
        AuthorityKind::Policy | AuthorityKind::Service(_) => {}
        AuthorityKind::Issuing(_) => {
            renew_ocsp_signers(env, &shell.permit(now)?)?;
            renew_lists(env, &shell.permit(now)?)?;
        }
    }
    current_crl(env, &authority.code)?;
    write_certificates(&env.store, config)?;
    Ok(())
}

fn cross(certified: &str, by: &str, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let (certified, by) = (AuthorityCode::parse(certified)?, AuthorityCode::parse(by)?);
    let consent = Consent::evaluation(env.settings.installation)?;
    let permit = wire::shell().permit(env.clock.now())?;
    let made = cross_certify(&env, &permit, &certified, &by, &consent)?;
    let der = made.der.as_deref().unwrap_or_default();
    let file = config.data.join("certificates").join(format!("{certified}-by-{by}.pem"));
    fs::write(&file, pem::encode("CERTIFICATE", der))
        .map_err(|error| Failure::file(file.display(), &error))?;
    let address = config.settings.public_address.cross_certificate(&certified, &by);
    let value = json!({
        "certified": certified,
        "by": by,
        "serial": made.serial,
        "sha256": Digest::of(der),
        "not_after": made.validity.not_after.to_string(),
        "certificate_file": absolute(file.clone()),
        "address": address,
    });
    output.result("cross-certificate", value, || {
        facts(&[
            ("cross-certificate", format!("{certified} by {by}")),
            ("valid until", made.validity.not_after.to_string()),
            ("certificate", absolute(file).display().to_string()),
            ("fetched at", address.clone()),
        ])
    });
    Ok(())
}

fn create(args: &CreateArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let kind = kind_of(args)?;
    let sample = config.settings.operator.identifier.as_str() == SAMPLE_OPERATOR;
    if sample && !config.is_evaluation() {
        return Err(Failure::problem("config-malformed", exit::REFUSED)
            .with("key", "operator.identifier")
            .with("detail-text", "this is the sample's; write your own [operator] and [scheme]"));
    }
    let algorithm = KeyAlgorithm::parse(&args.key)
        .map_err(|_| Failure::word(&args.key, &["P-384", "RSA-4096"]))?;
    let env = wire::env(config)?;
    let dedicated = match &args.organisation {
        Some(name) => Some(dedication_of(&find_organisation(&env.store, name)?)),
        None => None,
    };
    let order = AuthorityOrder {
        code: AuthorityCode::parse(&args.code)?,
        kind,
        generation: args.generation,
        common_name: Name::parse(&args.name)?,
        algorithm,
        validity_days: args.days,
        issuer: args.issuer.as_deref().map(AuthorityCode::parse).transpose()?,
        dedicated,
        predecessor: None,
        crl_shards: args.crl_shards,
    };
    let authority = create_authority(&env, &wire::shell().permit(env.clock.now())?, &order)?;
    into_service(&env, &authority, config)?;
    output.result("ca", authority_json(&authority, config), || text(&authority, config));
    Ok(())
}

/// `tenkoku ca certify`
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  tenkoku ca certify --by tsa-g1 tsa
  tenkoku ca certify --by internal-g1 audit-signer
  tenkoku ca certify --by internal-g1 administrator --user admin --csr admin.csr")]
pub(crate) struct CertifyArgs {
    /// What for
    #[arg(value_enum)]
    what: Certified,
    /// Code of the authority that issues
    #[arg(long)]
    by: String,
    /// The administrator's sign-in name
    #[arg(long)]
    user: Option<String>,
    /// The administrator's certification request (PKCS #10), PEM or DER
    #[arg(long, value_name = "FILE")]
    csr: Option<PathBuf>,
}

/// What a service authority certifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Certified {
    /// A time-stamping unit; its key is made here.
    Tsa,
    /// A signer of the audit trail; its key is made here.
    AuditSigner,
    /// The client key of an administrator, who keeps it.
    Administrator,
}

fn certify(args: &CertifyArgs, config: &Config, output: &Output) -> Result<(), Failure> {
    let env = wire::env(config)?;
    let (now, shell) = (env.clock.now(), wire::shell());
    let by = AuthorityCode::parse(&args.by)?;
    let service = match args.what {
        Certified::Tsa => Some(ServiceUse::TimeStamping),
        Certified::AuditSigner => Some(ServiceUse::AuditSigning),
        Certified::Administrator => None,
    };
    let issued = if let Some(service) = service {
        issue_service(&env, &shell.permit(now)?, &by, service)
    } else {
        let missing = |flag: &str| Failure::problem("flag-missing", exit::USAGE).with("flag", flag);
        let login = args.user.as_deref().ok_or_else(|| missing("--user"))?;
        let file = args.csr.as_deref().ok_or_else(|| missing("--csr"))?;
        let accounts = env.store.read(|tx| tx.list_accounts())?;
        let account = accounts.into_iter().find(|account| account.login == login);
        let account = account.ok_or_else(|| Failure::nothing("account", login))?;
        let request = super::registry::read(file)?;
        issue_administrator(&env, &shell.permit(now)?, &by, (&account.id, &request))
    };
    let certificate = issued.map_err(|error| Failure::from(error).named(&args.by))?;
    let (value, text) = (certificate_json(&certificate), certificate_text(&certificate));
    output.result("certificate", value, || text);
    Ok(())
}

fn kind_of(args: &CreateArgs) -> Result<AuthorityKind, Failure> {
    match (args.kind, args.level) {
        (Kind::Root, None) => Ok(AuthorityKind::Root),
        (Kind::Policy, None) => Ok(AuthorityKind::Policy),
        (Kind::Tsa, None) => Ok(AuthorityKind::Service(ServiceKind::TimeStamping)),
        (Kind::Internal, None) => Ok(AuthorityKind::Service(ServiceKind::Internal)),
        (Kind::Issuing, Some(level)) => {
            Ok(AuthorityKind::Issuing(Level::try_from(level).map_err(Failure::internal)?))
        }
        (Kind::Root | Kind::Policy | Kind::Tsa | Kind::Internal, Some(_))
        | (Kind::Issuing, None) => {
            Err(Failure::word("--level", &["with --kind issuing only, and always"]))
        }
    }
}

fn list(config: &Config, output: &Output) -> Result<(), Failure> {
    let store = wire::store(config)?;
    write_certificates(&store, config)?;
    let authorities = store.read(|tx| tx.list_authorities())?;
    let all: Vec<Value> = authorities.iter().map(|a| authority_json(a, config)).collect();
    output.result("ca-list", json!({ "authorities": all }), || {
        authorities.iter().map(|a| text(a, config)).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

fn show(name: &str, config: &Config, output: &Output) -> Result<(), Failure> {
    let store = wire::store(config)?;
    let authority = find(&store, name)?;
    let keys = platform_keys(&store, &authority)?;
    let mut value = authority_json(&authority, config);
    if let Some(object) = value.as_object_mut() {
        let all: Vec<Value> = keys.iter().map(PlatformKey::json).collect();
        object.insert("keys".to_owned(), all.into());
    }
    output.result("ca", value, || {
        let rows: Vec<_> = keys.iter().flat_map(PlatformKey::rows).collect();
        format!("{}{}", text(&authority, config), facts(&rows))
    });
    Ok(())
}

/// A key that is used for an authority, and what its store said of where it lies (K2 of DOMAIN 9).
struct PlatformKey {
    key: Key,
    evidence: Vec<KeyEvidence>,
}

/// The key of the authority, and those of its signers that are in use.
fn platform_keys(store: &Store, authority: &Authority) -> Result<Vec<PlatformKey>, Failure> {
    let now = WallClock.now();
    let found = store.read(|tx| {
        let mut ids = vec![authority.key.clone()];
        for profile in [Profile::OcspSigner, Profile::ListSigner, Profile::AuditSigner] {
            ids.extend(tx.current_signer(&authority.id, profile, now)?.map(|signer| signer.key));
        }
        ids.iter()
            .map(|id| Ok(PlatformKey { key: tx.load_key(id)?, evidence: tx.origin_of_key(id)? }))
            .collect::<Result<Vec<_>, StoreError>>()
    });
    Ok(found?)
}

impl PlatformKey {
    fn json(&self) -> Value {
        let evidence = self.evidence.iter().map(|one| {
            json!({
                "format": one.format,
                "class": one.class,
                "device": one.serial,
                "object": one.object,
                "sha256": one.digest,
                "at": one.at.to_string(),
            })
        });
        json!({
            "id": self.key.id,
            "role": self.key.role,
            "algorithm": self.key.algorithm,
            "fingerprint": self.key.fingerprint,
            "origin": self.key.origin,
            "evidence": evidence.collect::<Vec<_>>(),
        })
    }

    fn rows(&self) -> Vec<(&'static str, String)> {
        let key = &self.key;
        let mut rows =
            vec![("key", format!("{} {} {} ({})", key.role, key.algorithm, key.id, key.origin))];
        rows.extend(self.evidence.iter().map(|one| {
            let device = one.serial.as_deref().unwrap_or("files");
            ("lies in", format!("{device}, object {}", one.object.as_deref().unwrap_or("-")))
        }));
        rows
    }
}

fn export(name: &str, chain: bool, config: &Config, output: &Output) -> Result<(), Failure> {
    let store = wire::store(config)?;
    let mut authority = find(&store, name)?;
    output.raw(authority_pem(&authority).as_bytes());
    while let (true, Some(issuer)) = (chain, authority.issuer.clone()) {
        authority = store.read(|tx| tx.load_authority(&issuer))?;
        output.raw(authority_pem(&authority).as_bytes());
    }
    Ok(())
}

/// An authority by code or id.
pub(crate) fn find(store: &Store, name: &str) -> Result<Authority, Failure> {
    let found = store.read(|tx| tx.find_authority(name))?;
    found.ok_or_else(|| Failure::nothing("authority", name))
}

/// The certificate as PEM; empty while there is none.
pub(crate) fn authority_pem(authority: &Authority) -> String {
    authority.certificate.as_deref().map_or_else(String::new, |der| pem::encode("CERTIFICATE", der))
}

/// The authorities' certificates as PEM files in the data folder; gives their number.
pub(crate) fn write_certificates(store: &Store, config: &Config) -> Result<usize, Failure> {
    let authorities = store.read(|tx| tx.list_authorities())?;
    let certified: Vec<_> = authorities.iter().filter(|a| a.certificate.is_some()).collect();
    for authority in &certified {
        let file = certificate_file(authority, config);
        let wrong = |error: std::io::Error| Failure::file(file.display(), &error);
        let pem = authority_pem(authority);
        if fs::read_to_string(&file).is_ok_and(|there| there == pem) {
            continue;
        }
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(wrong)?;
        }
        fs::write(&file, pem).map_err(wrong)?;
    }
    Ok(certified.len())
}

fn certificate_file(authority: &Authority, config: &Config) -> PathBuf {
    config.data.join("certificates").join(format!("{}.pem", authority.code))
}

fn authority_json(authority: &Authority, config: &Config) -> Value {
    let address = &config.settings.public_address;
    let code = &authority.code;
    let ocsp = authority.kind.level().map(|_| address.ocsp(code));
    json!({
        "id": authority.id,
        "code": code,
        "kind": authority.kind.word(),
        "level": authority.kind.level(),
        "generation": authority.generation,
        "name": authority.name.common_name,
        "state": authority.state,
        "custody": authority.custody,
        "dedicated": authority.dedicated,
        "predecessor": authority.predecessor,
        "issuer": authority.issuer,
        "key": authority.key,
        "algorithm": authority.algorithm,
        "serial": authority.serial,
        "not_before": authority.validity.not_before.to_string(),
        "not_after": authority.validity.not_after.to_string(),
        "sha256": authority.certificate.as_deref().map(Digest::of),
        "certificate_file": absolute(certificate_file(authority, config)),
        "addresses": {
            "ocsp": ocsp,
            "crl": address.crl(code),
            "certificate": address.certificate(code),
        },
    })
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

fn text(authority: &Authority, config: &Config) -> String {
    let address = &config.settings.public_address;
    let level = authority.kind.level().map_or_else(String::new, |level| format!(" level {level}"));
    let mut rows = vec![
        ("authority", format!("{} ({}{level})", authority.code, authority.kind.word())),
        ("id", authority.id.to_string()),
        ("name", authority.name.common_name.to_string()),
        ("generation", authority.generation.to_string()),
        ("state", authority.state.to_string()),
        ("custody", authority.custody.word().to_owned()),
    ];
    if authority.certificate.is_none() {
        return facts(&rows);
    }
    rows.extend([
        ("valid until", authority.validity.not_after.to_string()),
        ("certificate", absolute(certificate_file(authority, config)).display().to_string()),
        ("fetched at", address.certificate(&authority.code)),
        ("CRL", address.crl(&authority.code)),
    ]);
    if authority.kind.level().is_some() {
        rows.push(("OCSP", address.ocsp(&authority.code)));
    }
    facts(&rows)
}
