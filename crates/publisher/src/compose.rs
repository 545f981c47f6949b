//! The content of a first list, and of a service that is proposed: the operator as the one provider,
//! its issuing authorities as services.
//!
//! Service type `CA/PKC` with `ForeSeals`; the level and the statuses are addresses of the scheme's
//! own, explained on the scheme's page (TS 119 612, 5.5.4 and D.6).

use tenkoku_domain::authority::{Authority, AuthorityState};
use tenkoku_domain::level::Level;
use tenkoku_domain::time::Timestamp;
use tenkoku_ports::Env;
use tenkoku_ports::settings::{Operator, Scheme};
use tenkoku_tsl::certificate::{Certificate, CertificateError};
use tenkoku_tsl::model::{
    Address, Country, Extension, ExtensionContent, Identity, Language, ModelError, Names,
    NextUpdate, Notice, Pages, PostalAddress, Provider, RegistrationIdentifier, SchemeInformation,
    Service, SupplyPoint, Territory, Text, TradeNames, TrustedList, Uri,
};

/// For how long a list is good, in days. Months are not all alike: 180 days never exceed six of them (TS 119 612, 5.3.15).
pub(crate) const NEXT_UPDATE_DAYS: i64 = 180;

const ETSI: &str = "http://uri.etsi.org/TrstSvc";

/// Why the parts do not make a list.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// A name, address or code cannot stand in a list.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// An authority's certificate cannot be read.
    #[error("an authority's certificate cannot be read: {0}")]
    Certificate(#[from] CertificateError),
}

/// Composes the first list of the platform's own scheme.
pub(crate) fn compose(
    env: &Env,
    authorities: &[Authority],
    now: Timestamp,
) -> Result<TrustedList, ComposeError> {
    let services = authorities
        .iter()
        .filter(|authority| is_listed(authority))
        .filter_map(|authority| service(env, authority, now).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    let providers = if services.is_empty() { Vec::new() } else { vec![provider(env, services)?] };
    Ok(TrustedList { scheme: scheme(env, now)?, providers })
}

/// A service is listed from its first day; what ends later stays as history.
pub(crate) fn is_listed(authority: &Authority) -> bool {
    match authority.state {
        AuthorityState::Active
        | AuthorityState::Suspended
        | AuthorityState::Retiring
        | AuthorityState::Ended => authority.certificate.is_some(),
        AuthorityState::Planned | AuthorityState::Ceremony | AuthorityState::Certified => false,
    }
}

fn scheme(env: &Env, now: Timestamp) -> Result<SchemeInformation, ComposeError> {
    let Scheme { code, territory, name_en, name_ja, name_latn } = &env.settings.scheme;
    let operator = &env.settings.operator;
    let named = |name: &str| format!("{territory}:{name}");
    let trusted_list = |what: &str| Uri::new(&format!("{ETSI}/TrustedList/{what}"));
    Ok(SchemeInformation {
        sequence_number: 1,
        list_type: trusted_list(&format!("TSLType/{territory}list"))?,
        operator_name: operator_names(operator)?,
        operator_address: address(operator)?,
        scheme_name: names(&named(name_en), &named(name_ja), &named(name_latn))?,
        information: Pages::english(page(env, &format!("/lists/{code}"))?),
        status_determination: trusted_list(&format!("StatusDetn/{territory}determination"))?,
        community_rules: Pages::english(trusted_list(&format!("schemerules/{territory}"))?),
        territory: Territory::new(territory)?,
        notice: Notice::Policy(Pages::english(page(env, "/policies")?)),
        history_period: SchemeInformation::HISTORY_FOR_EVER,
        pointers: Vec::new(),
        issue: now,
        next_update: NextUpdate::By(now.plus_days(NEXT_UPDATE_DAYS)),
        distribution_points: vec![Uri::new(&env.settings.public_address.list(code))?],
        extensions: Vec::new(),
    })
}

pub(crate) fn provider(env: &Env, services: Vec<Service>) -> Result<Provider, ComposeError> {
    let operator = &env.settings.operator;
    Ok(Provider {
        name: operator_names(operator)?,
        trade_names: TradeNames::new(
            &RegistrationIdentifier::new(operator.identifier.as_str())?,
            Vec::new(),
        ),
        address: address(operator)?,
        information: Pages::english(page(env, "/policies")?),
        extensions: Vec::new(),
        services,
    })
}

/// The service that an authority is; `None` for one that issues no seal certificates.
pub(crate) fn service(
    env: &Env,
    authority: &Authority,
    now: Timestamp,
) -> Result<Option<Service>, ComposeError> {
    let Some(level) = authority.kind.level() else { return Ok(None) };
    let der = authority.certificate.as_deref().unwrap_or_default();
    let certificate = Certificate::from_der(der)?;
    let code = &env.settings.scheme.code;
    let own = |fragment: &str| page(env, &format!("/lists/{code}#{fragment}"));
    let status = if is_vouched_for(authority) { "granted" } else { "withdrawn" };
    let supply = |kind: &str, address: String| {
        Ok::<_, ModelError>(SupplyPoint {
            kind: Some(Uri::new(&format!("{ETSI}/Svctype/Certstatus/{kind}"))?),
            address: Uri::new(&address)?,
        })
    };
    let public = &env.settings.public_address;
    Ok(Some(Service {
        service_type: Uri::new(&format!("{ETSI}/Svctype/CA/PKC"))?,
        name: service_name(authority, level)?,
        identity: Identity::of(certificate),
        status: own(status)?,
        status_start: now.floor(),
        scheme_definition: None,
        supply_points: vec![
            supply("OCSP", public.ocsp(&authority.code))?,
            supply("CRL", public.crl(&authority.code))?,
        ],
        provider_definition: None,
        extensions: vec![
            Extension::information(Uri::new(&format!("{ETSI}/TrustedList/SvcInfoExt/ForeSeals"))?),
            Extension::information(own(&format!("level-{level}"))?),
            Extension::new(ExtensionContent::ExpiredCertsRevocationInfo(
                authority.validity.not_before,
            )),
        ],
        history: Vec::new(),
    }))
}

/// Whether an authority is one that a list may vouch for: it works, or worked and is being followed
/// by the next.
pub(crate) const fn is_vouched_for(authority: &Authority) -> bool {
    match authority.state {
        AuthorityState::Active | AuthorityState::Retiring => true,
        AuthorityState::Suspended
        | AuthorityState::Ended
        | AuthorityState::Planned
        | AuthorityState::Ceremony
        | AuthorityState::Certified => false,
    }
}

fn service_name(authority: &Authority, level: Level) -> Result<Names, ModelError> {
    let generation = authority.generation;
    names(
        authority.name.common_name.as_str(),
        &format!("eシール用証明書の発行 レベル{level} 第{generation}世代"),
        &format!("e-shiiru-yo shomeisho no hakko reberu {level} dai {generation} sedai"),
    )
}

fn operator_names(operator: &Operator) -> Result<Names, ModelError> {
    names(operator.name.as_str(), operator.name_ja.as_str(), operator.name_latn.as_str())
}

fn names(en: &str, ja: &str, latn: &str) -> Result<Names, ModelError> {
    Ok(Names::english(Text::new(en)?)
        .and(Language::japanese(), Text::new(ja)?)
        .and(Language::japanese_in_latin(), Text::new(latn)?))
}

fn address(operator: &Operator) -> Result<Address, ModelError> {
    let postal = PostalAddress {
        language: Language::english(),
        street: Text::new(&operator.street)?,
        locality: Text::new(&operator.locality)?,
        state_or_province: None,
        postal_code: Some(Text::new(&operator.postal_code)?),
        country: Country::new(&operator.country)?,
    };
    let electronic = Pages::english(Uri::new(&format!("mailto:{}", operator.email))?)
        .and(Language::english(), Uri::new(&operator.website)?);
    Address::new(vec![postal], electronic)
}

fn page(env: &Env, path: &str) -> Result<Uri, ModelError> {
    Uri::new(&format!("{}{path}", env.settings.public_address.as_str()))
}
