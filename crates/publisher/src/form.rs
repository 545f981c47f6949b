//! The parts of a list as people write them: named fields, a value to a line.
//!
//! A form shows what a part says and takes what it is to say; what is left as it was shown stays as
//! it was, to the last octet. Deliberately not here: words for people, and whether the standard
//! allows what is said; the rules ask that of the whole list.

mod extensions;
mod lines;

use tenkoku_domain::trusted_list::draft::{Fields, ListPart};
use tenkoku_tsl::diff::{Field, Place};
use tenkoku_tsl::model::{
    Address, Identity, ModelError, Names, NextUpdate, Notice, Pages, Pointer, PointerInformation,
    Provider, Recognition, SchemeInformation, Service, SupplyPoint, TrustedList,
};
use tenkoku_tsl::rules::{Finding, Rule};
use tenkoku_tsl::write::recognition;

use self::extensions::{read_extensions, show_extensions};
use self::lines::{
    agreement, certificates, each, names, one, pages, postal, show_certificates, show_entries,
    show_postal, territory, text, trade_names, uri, uris,
};

/// What a line could not be read as: the rule and what its sentence quotes.
type Mistake = (Rule, Vec<String>);
type Read<T> = Result<T, Mistake>;

/// How much a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// One value.
    Line,
    /// A value to a line.
    Lines,
}

/// A field of a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormField {
    /// Its name, in forms, at the command line and in records.
    pub name: &'static str,
    /// What of the list it says.
    pub field: Field,
    /// How much it takes.
    pub size: Size,
}

const fn line(name: &'static str, field: Field) -> FormField {
    FormField { name, field, size: Size::Line }
}

const fn lines(name: &'static str, field: Field) -> FormField {
    FormField { name, field, size: Size::Lines }
}

const SCHEME: &[FormField] = &[
    lines("operator-name", Field::OperatorName),
    lines("postal-address", Field::Address),
    lines("electronic-address", Field::Address),
    lines("scheme-name", Field::SchemeName),
    line("territory", Field::Territory),
    line("list-type", Field::ListType),
    lines("information", Field::Information),
    line("status-determination", Field::StatusDetermination),
    lines("community-rules", Field::CommunityRules),
    lines("policy", Field::Notice),
    lines("legal-notice", Field::Notice),
    lines("distribution-points", Field::DistributionPoints),
    lines("extensions", Field::Extensions),
];

const POINTER: &[FormField] = &[
    line("address", Field::Address),
    line("territory", Field::Territory),
    line("list-type", Field::ListType),
    lines("operator-name", Field::OperatorName),
    lines("community-rules", Field::CommunityRules),
    line("mime-type", Field::Qualifiers),
    lines("signers", Field::Signers),
    lines("mutual-recognition", Field::Qualifiers),
];

const PROVIDER: &[FormField] = &[
    lines("name", Field::Name),
    lines("trade-names", Field::TradeNames),
    lines("postal-address", Field::Address),
    lines("electronic-address", Field::Address),
    lines("information", Field::Information),
    lines("extensions", Field::Extensions),
];

const SERVICE: &[FormField] = &[
    lines("name", Field::Name),
    line("service-type", Field::ServiceType),
    lines("certificates", Field::Identity),
    line("identifier", Field::Identity),
    line("status", Field::Status),
    lines("supply-points", Field::SupplyPoints),
    lines("scheme-definition", Field::SchemeDefinition),
    lines("provider-definition", Field::ProviderDefinition),
    lines("extensions", Field::Extensions),
];

/// The fields of a part, in the order in which people fill them in.
pub const fn fields(part: ListPart) -> &'static [FormField] {
    match part {
        ListPart::Scheme => SCHEME,
        ListPart::Pointer(_) => POINTER,
        ListPart::Provider(_) => PROVIDER,
        ListPart::Service { .. } => SERVICE,
    }
}

/// A part of a list.
pub(crate) enum Found<'l> {
    /// The scheme.
    Scheme(&'l SchemeInformation),
    /// A pointer.
    Pointer(&'l Pointer),
    /// A provider.
    Provider(&'l Provider),
    /// A service.
    Service(&'l Provider, &'l Service),
}

/// The part of a list, if it is there.
pub(crate) fn find(list: &TrustedList, part: ListPart) -> Option<Found<'_>> {
    let provider = |number: usize| list.providers.get(number.checked_sub(1)?);
    Some(match part {
        ListPart::Scheme => Found::Scheme(&list.scheme),
        ListPart::Pointer(number) => {
            Found::Pointer(list.scheme.pointers.get(number.checked_sub(1)?)?)
        }
        ListPart::Provider(number) => Found::Provider(provider(number)?),
        ListPart::Service { provider: whose, service } => {
            let provider = provider(whose)?;
            Found::Service(provider, provider.services.get(service.checked_sub(1)?)?)
        }
    })
}

/// Where a part is, in the words of findings.
pub fn place(list: &TrustedList, part: ListPart) -> Place {
    match find(list, part) {
        None | Some(Found::Scheme(_)) => Place::Scheme,
        Some(Found::Pointer(pointer)) => Place::of_pointer(pointer),
        Some(Found::Provider(provider)) => Place::of_provider(provider),
        Some(Found::Service(provider, service)) => Place::of_service(provider, service),
    }
}

/// What a part says, field by field; `None` where the list has no such part.
pub fn show(list: &TrustedList, part: ListPart) -> Option<Fields> {
    let said: Vec<(&str, String)> = match find(list, part)? {
        Found::Scheme(scheme) => show_scheme(scheme),
        Found::Pointer(pointer) => show_pointer(pointer),
        Found::Provider(provider) => show_provider(provider),
        Found::Service(_, service) => show_service(service),
    };
    Some(said.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn show_scheme(scheme: &SchemeInformation) -> Vec<(&'static str, String)> {
    let (policy, legal) = match &scheme.notice {
        Notice::Policy(pages) => (show_entries(pages.entries()), String::new()),
        Notice::Legal(texts) => (String::new(), show_entries(texts.entries())),
    };
    vec![
        ("operator-name", show_entries(scheme.operator_name.entries())),
        ("postal-address", show_postal(&scheme.operator_address)),
        ("electronic-address", show_entries(scheme.operator_address.electronic().entries())),
        ("scheme-name", show_entries(scheme.scheme_name.entries())),
        ("territory", scheme.territory.to_string()),
        ("list-type", scheme.list_type.to_string()),
        ("information", show_entries(scheme.information.entries())),
        ("status-determination", scheme.status_determination.to_string()),
        ("community-rules", show_entries(scheme.community_rules.entries())),
        ("policy", policy),
        ("legal-notice", legal),
        ("distribution-points", each(scheme.distribution_points.iter())),
        ("extensions", show_extensions(&scheme.extensions)),
    ]
}

fn show_provider(provider: &Provider) -> Vec<(&'static str, String)> {
    let registration = provider.trade_names.registration();
    let further = show_entries(provider.trade_names.further());
    let trade_names = registration
        .map(|one| one.to_string())
        .into_iter()
        .chain(Some(further).filter(|further| !further.is_empty()));
    vec![
        ("name", show_entries(provider.name.entries())),
        ("trade-names", each(trade_names)),
        ("postal-address", show_postal(&provider.address)),
        ("electronic-address", show_entries(provider.address.electronic().entries())),
        ("information", show_entries(provider.information.entries())),
        ("extensions", show_extensions(&provider.extensions)),
    ]
}

fn show_service(service: &Service) -> Vec<(&'static str, String)> {
    let pages = |pages: &Option<Pages>| {
        pages.as_ref().map_or_else(String::new, |pages| show_entries(pages.entries()))
    };
    let points = service.supply_points.iter().map(|point| match &point.kind {
        Some(kind) => format!("{} {kind}", point.address),
        None => point.address.to_string(),
    });
    vec![
        ("name", show_entries(service.name.entries())),
        ("service-type", service.service_type.to_string()),
        ("certificates", show_certificates(service.identity.certificates())),
        ("identifier", show_identifier(&service.identity)),
        ("status", service.status.to_string()),
        ("supply-points", each(points)),
        ("scheme-definition", pages(&service.scheme_definition)),
        ("provider-definition", pages(&service.provider_definition)),
        ("extensions", show_extensions(&service.extensions)),
    ]
}

/// The address that stands for a service without a key.
fn show_identifier(identity: &Identity) -> String {
    let keyless = identity.certificate().is_none();
    identity.address().filter(|_| keyless).map(|address| address.to_string()).unwrap_or_default()
}

fn show_pointer(pointer: &Pointer) -> Vec<(&'static str, String)> {
    use PointerInformation as P;
    let find = |wanted: fn(&P) -> Option<String>| {
        pointer.information.iter().find_map(wanted).unwrap_or_default()
    };
    vec![
        ("address", pointer.location.to_string()),
        ("territory", pointer.territory().map(ToString::to_string).unwrap_or_default()),
        ("list-type", pointer.list_type().map(ToString::to_string).unwrap_or_default()),
        ("operator-name", find(|one| operator_of(one).map(|names| show_entries(names.entries())))),
        ("community-rules", find(|one| rules_of(one).map(|pages| show_entries(pages.entries())))),
        ("mime-type", find(|one| mime_of(one).map(str::to_owned))),
        ("signers", show_certificates(pointer.signers())),
        ("mutual-recognition", find(|one| recognition_of(one).map(recognition))),
    ]
}

macro_rules! qualifier {
    ($name:ident, $variant:ident, $kind:ty, $value:ident => $shown:expr) => {
        fn $name(information: &PointerInformation) -> Option<&$kind> {
            if let PointerInformation::$variant($value) = information { Some($shown) } else { None }
        }
    };
}
qualifier!(operator_of, OperatorName, Names, names => names);
qualifier!(rules_of, CommunityRules, Pages, pages => pages);
qualifier!(mime_of, MimeType, str, kind => kind.as_str());
qualifier!(recognition_of, MutualRecognition, Recognition, agreement => &**agreement);

/// Reads the fields that say something else than what is shown, and says what is wrong with them.
struct Form<'f> {
    place: Place,
    shown: Fields,
    given: &'f Fields,
    mistakes: Vec<Finding>,
}

impl Form<'_> {
    /// What a field is to say; nothing where it is left as it is.
    fn changed(&self, name: &str) -> Option<String> {
        let given = self.given.get(name)?.replace("\r\n", "\n");
        let given = given.trim().to_owned();
        let same = self.shown.get(name).is_some_and(|shown| shown.trim() == given);
        (!same).then_some(given)
    }

    /// Reads a field into its place; what cannot be read is a mistake.
    fn take<T>(&mut self, field: &FormField, target: &mut T, read: impl FnOnce(&str) -> Read<T>) {
        if let Some(given) = self.changed(field.name) {
            match read(&given) {
                Ok(value) => *target = value,
                Err(mistake) => self.wrong(field.field, mistake),
            }
        }
    }

    fn wrong(&mut self, field: Field, (rule, values): Mistake) {
        let finding =
            Finding { rule, clause: "5", place: self.place.clone(), field: Some(field), values };
        self.mistakes.push(finding);
    }

    fn address(&mut self, address: &mut Address) {
        let (shown_postal, shown_electronic) =
            (show_postal(address), show_entries(address.electronic().entries()));
        let changed = [self.changed("postal-address"), self.changed("electronic-address")];
        if changed.iter().all(Option::is_none) {
            return;
        }
        let [written, electronic] = changed;
        let read = postal(&written.unwrap_or(shown_postal)).and_then(|postal| {
            let electronic = pages(&electronic.unwrap_or(shown_electronic))?;
            Address::new(postal, electronic).map_err(|error| Rule::of(&error))
        });
        match read {
            Ok(read) => *address = read,
            Err(mistake) => self.wrong(Field::Address, mistake),
        }
    }

    fn identity(&mut self, before: &mut Identity) {
        let changed = [self.changed("certificates"), self.changed("identifier")];
        if changed.iter().all(Option::is_none) {
            return;
        }
        let [given, identifier] = changed;
        let given = given.unwrap_or_else(|| show_certificates(before.certificates()));
        match identity(&given, &identifier.unwrap_or_else(|| show_identifier(before))) {
            Ok(read) => *before = read,
            Err(mistake) => self.wrong(Field::Identity, mistake),
        }
    }

    fn finish(self) -> Result<(), Vec<Finding>> {
        if self.mistakes.is_empty() { Ok(()) } else { Err(self.mistakes) }
    }
}

/// Makes a part say what a form says.
///
/// # Errors
/// Everything that cannot be read, each with its field.
pub(crate) fn apply(
    list: &mut TrustedList,
    part: ListPart,
    given: &Fields,
) -> Result<(), Vec<Finding>> {
    let place = place(list, part);
    let shown = show(list, part).unwrap_or_default();
    let form = Form { place, shown, given, mistakes: Vec::new() };
    match part {
        ListPart::Scheme => apply_scheme(&mut list.scheme, form),
        ListPart::Pointer(number) => match list.scheme.pointers.get_mut(number.saturating_sub(1)) {
            Some(pointer) => apply_pointer(pointer, form),
            None => Ok(()),
        },
        ListPart::Provider(number) => match list.providers.get_mut(number.saturating_sub(1)) {
            Some(provider) => apply_provider(provider, form),
            None => Ok(()),
        },
        ListPart::Service { provider, service } => {
            let provider = list.providers.get_mut(provider.saturating_sub(1));
            match provider.and_then(|one| one.services.get_mut(service.saturating_sub(1))) {
                Some(service) => apply_service(service, form),
                None => Ok(()),
            }
        }
    }
}

fn apply_scheme(scheme: &mut SchemeInformation, mut form: Form<'_>) -> Result<(), Vec<Finding>> {
    form.address(&mut scheme.operator_address);
    for field in SCHEME {
        match field.name {
            "operator-name" => form.take(field, &mut scheme.operator_name, names),
            "scheme-name" => form.take(field, &mut scheme.scheme_name, names),
            "territory" => form.take(field, &mut scheme.territory, territory),
            "list-type" => form.take(field, &mut scheme.list_type, uri),
            "information" => form.take(field, &mut scheme.information, pages),
            "status-determination" => form.take(field, &mut scheme.status_determination, uri),
            "community-rules" => form.take(field, &mut scheme.community_rules, pages),
            "distribution-points" => form.take(field, &mut scheme.distribution_points, uris),
            "extensions" => {
                let known = scheme.extensions.clone();
                form.take(field, &mut scheme.extensions, |text| read_extensions(text, &known));
            }
            _ => {}
        }
    }
    notice(scheme, &mut form);
    form.finish()
}

/// The address of a policy or the text of a legal notice: whichever is filled in.
fn notice(scheme: &mut SchemeInformation, form: &mut Form<'_>) {
    let changed = ["policy", "legal-notice"].map(|name| form.changed(name));
    if changed.iter().all(Option::is_none) {
        return;
    }
    let shown = |name: &str| form.shown.get(name).cloned().unwrap_or_default();
    let [policy, legal] = changed;
    let policy = policy.unwrap_or_else(|| shown("policy"));
    let legal = legal.unwrap_or_else(|| shown("legal-notice"));
    let read = match (policy.is_empty(), legal.is_empty()) {
        (false, true) => pages(&policy).map(Notice::Policy),
        (true, false) => names(&legal).map(Notice::Legal),
        (true, true) | (false, false) => Err((Rule::NoticeEither, Vec::new())),
    };
    match read {
        Ok(notice) => scheme.notice = notice,
        Err(mistake) => form.wrong(Field::Notice, mistake),
    }
}

fn apply_provider(provider: &mut Provider, mut form: Form<'_>) -> Result<(), Vec<Finding>> {
    form.address(&mut provider.address);
    for field in PROVIDER {
        match field.name {
            "name" => form.take(field, &mut provider.name, names),
            "trade-names" => form.take(field, &mut provider.trade_names, trade_names),
            "information" => form.take(field, &mut provider.information, pages),
            "extensions" => {
                let known = provider.extensions.clone();
                form.take(field, &mut provider.extensions, |text| read_extensions(text, &known));
            }
            _ => {}
        }
    }
    form.finish()
}

fn apply_service(service: &mut Service, mut form: Form<'_>) -> Result<(), Vec<Finding>> {
    form.identity(&mut service.identity);
    for field in SERVICE {
        match field.name {
            "name" => form.take(field, &mut service.name, names),
            "service-type" => form.take(field, &mut service.service_type, uri),
            "status" => form.take(field, &mut service.status, uri),
            "supply-points" => form.take(field, &mut service.supply_points, supply_points),
            "scheme-definition" => form.take(field, &mut service.scheme_definition, optional),
            "provider-definition" => form.take(field, &mut service.provider_definition, optional),
            "extensions" => {
                let known = service.extensions.clone();
                form.take(field, &mut service.extensions, |text| read_extensions(text, &known));
            }
            _ => {}
        }
    }
    form.finish()
}

/// A service is its key, or an address that stands for it where it has none (5.5.3).
fn identity(given: &str, identifier: &str) -> Read<Identity> {
    match (given.is_empty(), identifier.is_empty()) {
        (true, false) => Ok(Identity::by_address(&uri(identifier)?)),
        (false, false) => Err((Rule::IdentityEither, Vec::new())),
        (_, true) => Identity::new(certificates(given)?).map_err(|error| Rule::of(&error)),
    }
}

fn optional(text: &str) -> Read<Option<Pages>> {
    if text.is_empty() { Ok(None) } else { pages(text).map(Some) }
}

fn supply_points(text: &str) -> Read<Vec<SupplyPoint>> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let mut words = line.split_whitespace();
            match (words.next(), words.next(), words.next()) {
                (Some(address), kind, None) => {
                    Ok(SupplyPoint { kind: kind.map(uri).transpose()?, address: uri(address)? })
                }
                _ => Err(lines::form(line, "ADDRESS [TYPE]")),
            }
        })
        .collect()
}

fn apply_pointer(pointer: &mut Pointer, mut form: Form<'_>) -> Result<(), Vec<Finding>> {
    use PointerInformation as P;
    for field in POINTER {
        match field.name {
            "address" => form.take(field, &mut pointer.location, uri),
            "territory" => {
                qualify(&mut form, field, pointer, |text| Ok(P::Territory(territory(text)?)));
            }
            "list-type" => qualify(&mut form, field, pointer, |text| Ok(P::ListType(uri(text)?))),
            "operator-name" => {
                qualify(&mut form, field, pointer, |text| Ok(P::OperatorName(names(text)?)));
            }
            "community-rules" => {
                qualify(&mut form, field, pointer, |text| Ok(P::CommunityRules(pages(text)?)));
            }
            "mime-type" => {
                qualify(&mut form, field, pointer, |line| Ok(P::MimeType(text(one(line)?)?)));
            }
            "mutual-recognition" => {
                qualify(&mut form, field, pointer, |text| {
                    Ok(P::MutualRecognition(Box::new(agreement(text)?)))
                });
            }
            "signers" => form.take(field, &mut pointer.identities, |text| {
                Ok(certificates(text)?.into_iter().map(Identity::of).collect())
            }),
            _ => {}
        }
    }
    form.finish()
}

/// Puts a qualifier in the place of the one of its kind, or takes that out where nothing is said.
fn qualify(
    form: &mut Form<'_>,
    field: &FormField,
    pointer: &mut Pointer,
    read: impl FnOnce(&str) -> Read<PointerInformation>,
) {
    let mut said = None;
    form.take(
        field,
        &mut said,
        |text| if text.is_empty() { Ok(None) } else { read(text).map(Some) },
    );
    let Some(given) = form.changed(field.name) else { return };
    let same_kind = |one: &PointerInformation| match field.name {
        "territory" => matches!(one, PointerInformation::Territory(_)),
        "list-type" => matches!(one, PointerInformation::ListType(_)),
        "operator-name" => operator_of(one).is_some(),
        "community-rules" => rules_of(one).is_some(),
        "mime-type" => mime_of(one).is_some(),
        _ => recognition_of(one).is_some(),
    };
    match said {
        Some(said) => match pointer.information.iter_mut().find(|one| same_kind(one)) {
            Some(place) => *place = said,
            None => pointer.information.push(said),
        },
        None if given.is_empty() => pointer.information.retain(|one| !same_kind(one)),
        None => {}
    }
}

/// A provider that a form describes from the first letter on.
pub(crate) fn new_provider(given: &Fields) -> Result<Provider, Vec<Finding>> {
    let field = |name: &str| given.get(name).map_or("", String::as_str);
    let mut form = blank(given, field("name"));
    let address = form.read(Field::Address, || {
        let postal = postal(field("postal-address"))?;
        let electronic = pages(field("electronic-address"))?;
        Address::new(postal, electronic).map_err(|error| Rule::of(&error))
    });
    let name = form.read(Field::Name, || names(field("name")));
    let trade_names = form.read(Field::TradeNames, || trade_names(field("trade-names")));
    let information = form.read(Field::Information, || pages(field("information")));
    let extensions = form.read(Field::Extensions, || read_extensions(field("extensions"), &[]));
    let (Some(name), Some(trade_names), Some(address), Some(information), Some(extensions)) =
        (name, trade_names, address, information, extensions)
    else {
        return Err(form.mistakes);
    };
    Ok(Provider { name, trade_names, address, information, extensions, services: Vec::new() })
}

/// A service that a form describes from the first letter on; its status begins at `at`.
pub(crate) fn new_service(
    given: &Fields,
    at: tenkoku_domain::time::Timestamp,
) -> Result<Service, Vec<Finding>> {
    let field = |name: &str| given.get(name).map_or("", String::as_str);
    let mut form = blank(given, field("name"));
    let name = form.read(Field::Name, || names(field("name")));
    let service_type = form.read(Field::ServiceType, || uri(field("service-type")));
    let identity =
        form.read(Field::Identity, || identity(field("certificates"), field("identifier")));
    let status = form.read(Field::Status, || uri(field("status")));
    let points = form.read(Field::SupplyPoints, || supply_points(field("supply-points")));
    let scheme_definition =
        form.read(Field::SchemeDefinition, || optional(field("scheme-definition")));
    let provider_definition =
        form.read(Field::ProviderDefinition, || optional(field("provider-definition")));
    let extensions = form.read(Field::Extensions, || read_extensions(field("extensions"), &[]));
    let (Some(name), Some(service_type), Some(identity), Some(status)) =
        (name, service_type, identity, status)
    else {
        return Err(form.mistakes);
    };
    let (Some(supply_points), Some(scheme_definition), Some(provider_definition), Some(extensions)) =
        (points, scheme_definition, provider_definition, extensions)
    else {
        return Err(form.mistakes);
    };
    Ok(Service {
        service_type,
        name,
        identity,
        status,
        status_start: at,
        scheme_definition,
        supply_points,
        provider_definition,
        extensions,
        history: Vec::new(),
    })
}

/// A pointer that a form describes from the first letter on.
pub(crate) fn new_pointer(given: &Fields) -> Result<Pointer, Vec<Finding>> {
    let field = |name: &str| given.get(name).map_or("", String::as_str);
    let mut form = blank(given, "");
    let location = form.read(Field::Address, || uri(field("address")));
    let Some(location) = location else { return Err(form.mistakes) };
    let mut pointer = Pointer { identities: Vec::new(), location, information: Vec::new() };
    let place = Place::of_pointer(&pointer);
    let form = Form { place, shown: Fields::new(), given, mistakes: Vec::new() };
    apply_pointer(&mut pointer, form)?;
    Ok(pointer)
}

fn blank<'f>(given: &'f Fields, name: &str) -> Form<'f> {
    let first = name.lines().next().unwrap_or_default();
    let name = first.split_once(':').map_or(first, |(_, name)| name).trim();
    let place = Place::Provider(name.to_owned());
    Form { place, shown: Fields::new(), given, mistakes: Vec::new() }
}

impl Form<'_> {
    /// Reads something that must be given.
    fn read<T>(&mut self, field: Field, read: impl FnOnce() -> Read<T>) -> Option<T> {
        read().map_err(|mistake| self.wrong(field, mistake)).ok()
    }
}

/// Whether a service says something else that counts from an instant on, so that its history must
/// keep what was said before.
pub(crate) fn says_otherwise(before: &Service, after: &Service) -> bool {
    before.extensions != after.extensions
}

/// Whether the identity of a service names another key than before, or another address where it has
/// no key: that is a new service (G.4).
pub(crate) fn is_other_key(before: &Service, after: &Service) -> bool {
    let (before, after) = (&before.identity, &after.identity);
    before.public_key() != after.public_key()
        || (before.certificate().is_none() && before.address() != after.address())
}

/// Whether a list is closed.
pub(crate) const fn is_closed(list: &TrustedList) -> bool {
    matches!(list.scheme.next_update, NextUpdate::Closed)
}

/// A refused value as a finding of the list's own.
pub(crate) fn mistake(list: &TrustedList, part: ListPart, error: &ModelError) -> Finding {
    Finding::of(error, "5.5.4", place(list, part), Field::Status)
}

#[cfg(test)]
mod tests;
