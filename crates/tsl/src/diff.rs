//! What changed from one list to another, place by place.
//!
//! Services are the same when their key is; providers when their registration identifier or their
//! name is; pointers when they lead to the same territory and form. What changed is told with its
//! values, so that whoever approves a list sees all of it.
//! Deliberately not in this module: words for people, and whether the change was allowed; the rules
//! ask that.

use crate::model::{
    Address, DigitalId, Entry, Extension, ExtensionContent, Identity, Multilingual, NextUpdate,
    Notice, Pointer, PointerInformation, Provider, SchemeInformation, Service, TrustedList,
};
use crate::rules::is_same_service;
use std::fmt::Display;
use tenkoku_domain::time::Timestamp;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub place: Place,
    /// What.
    pub what: What,
}

/// Where something changed. Names are in English where the list has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The scheme information.
    Scheme,
    /// The pointer to this address.
    Pointer(String),
    /// The provider of this name.
    Provider(String),
    /// A service.
    Service {
        /// The provider's name.
        provider: String,
        /// The service's name.
        service: String,
    },
}

impl Place {
    /// A provider, by its name.
    pub fn of_provider(provider: &Provider) -> Self {
        Self::Provider(english(&provider.name))
    }

    /// A service of a provider, by their names.
    pub fn of_service(provider: &Provider, service: &Service) -> Self {
        Self::Service { provider: english(&provider.name), service: english(&service.name) }
    }

    /// A pointer, by its address.
    pub fn of_pointer(pointer: &Pointer) -> Self {
        Self::Pointer(pointer.location.to_string())
    }
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It was not there before.
    Added,
    /// It is there no longer.
    Removed,
    /// The service got another status.
    Status {
        /// The status before.
        from: String,
        /// The status now.
        to: String,
        /// Since when.
        since: Timestamp,
    },
    /// Something is said differently.
    Field {
        /// What.
        field: Field,
        /// As it was; empty when nothing was said.
        from: String,
        /// As it is; empty when nothing is said.
        to: String,
    },
}

impl What {
    /// A stable name for machines and for the catalogue of words.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Status { .. } => "status",
            Self::Field { .. } => "field",
        }
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// What can be said differently.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field { $($(#[$doc])* $name,)* }

        impl Field {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// A stable name for machines and for the catalogue of words.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

fields! {
    /// `TSLSequenceNumber`.
    SequenceNumber = "sequence-number",
    /// `TSLType`.
    ListType = "list-type",
    /// `SchemeOperatorName`.
    OperatorName = "operator-name",
    /// An address, postal and electronic.
    Address = "address",
    /// `SchemeName`.
    SchemeName = "scheme-name",
    /// `SchemeInformationURI` or `TSPInformationURI`.
    Information = "information",
    /// `StatusDeterminationApproach`.
    StatusDetermination = "status-determination",
    /// `SchemeTypeCommunityRules`.
    CommunityRules = "community-rules",
    /// `SchemeTerritory`.
    Territory = "territory",
    /// `PolicyOrLegalNotice`.
    Notice = "notice",
    /// `HistoricalInformationPeriod`.
    HistoryPeriod = "history-period",
    /// `ListIssueDateTime`.
    Issue = "issue",
    /// `NextUpdate`.
    NextUpdate = "next-update",
    /// `DistributionPoints`.
    DistributionPoints = "distribution-points",
    /// Extensions.
    Extensions = "extensions",
    /// Who signs the list pointed to.
    Signers = "signers",
    /// The qualifiers of a pointer.
    Qualifiers = "qualifiers",
    /// A name.
    Name = "name",
    /// `TSPTradeName`.
    TradeNames = "trade-names",
    /// `ServiceTypeIdentifier`.
    ServiceType = "service-type",
    /// `ServiceStatus`.
    Status = "status",
    /// Since when the status holds.
    StatusStart = "status-start",
    /// The digital identity.
    Identity = "identity",
    /// `SchemeServiceDefinitionURI`.
    SchemeDefinition = "scheme-definition",
    /// `TSPServiceDefinitionURI`.
    ProviderDefinition = "provider-definition",
    /// `ServiceSupplyPoints`.
    SupplyPoints = "supply-points",
    /// Former states.
    History = "history",
}

/// Everything that `after` says differently from `before`, in the order of `after`; what is there no
/// longer comes last in its group.
pub fn changes(before: &TrustedList, after: &TrustedList) -> Vec<Change> {
    let mut changes = Changes(Vec::new());
    changes.scheme(&before.scheme, &after.scheme);
    changes.pointers(&before.scheme.pointers, &after.scheme.pointers);
    changes.providers(&before.providers, &after.providers);
    changes.services(before, after);
    changes.0
}

struct Changes(Vec<Change>);

/// Compares fields that have a text.
struct At<'c> {
    changes: &'c mut Vec<Change>,
    place: Place,
}

impl At<'_> {
    fn field(&mut self, field: Field, from: String, to: String) -> &mut Self {
        if from != to {
            let what = What::Field { field, from, to };
            self.changes.push(Change { place: self.place.clone(), what });
        }
        self
    }

    fn shown<T: Display>(&mut self, field: Field, from: &T, to: &T) -> &mut Self {
        self.field(field, from.to_string(), to.to_string())
    }

    fn entries<T: Display>(
        &mut self,
        field: Field,
        from: &Multilingual<T>,
        to: &Multilingual<T>,
    ) -> &mut Self {
        self.field(field, entries(from.entries()), entries(to.entries()))
    }
}

impl Changes {
    fn at(&mut self, place: Place) -> At<'_> {
        At { changes: &mut self.0, place }
    }

    fn push(&mut self, place: Place, what: What) {
        self.0.push(Change { place, what });
    }

    fn scheme(&mut self, from: &SchemeInformation, to: &SchemeInformation) {
        self.at(Place::Scheme)
            .shown(Field::SequenceNumber, &from.sequence_number, &to.sequence_number)
            .shown(Field::ListType, &from.list_type, &to.list_type)
            .entries(Field::OperatorName, &from.operator_name, &to.operator_name)
            .field(Field::Address, address(&from.operator_address), address(&to.operator_address))
            .entries(Field::SchemeName, &from.scheme_name, &to.scheme_name)
            .entries(Field::Information, &from.information, &to.information)
            .shown(Field::StatusDetermination, &from.status_determination, &to.status_determination)
            .entries(Field::CommunityRules, &from.community_rules, &to.community_rules)
            .shown(Field::Territory, &from.territory, &to.territory)
            .field(Field::Notice, notice(&from.notice), notice(&to.notice))
            .shown(Field::HistoryPeriod, &from.history_period, &to.history_period)
            .shown(Field::Issue, &from.issue, &to.issue)
            .field(Field::NextUpdate, next_update(from.next_update), next_update(to.next_update))
            .field(
                Field::DistributionPoints,
                lines(from.distribution_points.iter()),
                lines(to.distribution_points.iter()),
            )
            .field(Field::Extensions, extensions(&from.extensions), extensions(&to.extensions));
    }

    fn pointers(&mut self, before: &[Pointer], after: &[Pointer]) {
        let same = |a: &Pointer, b: &Pointer| {
            a.location == b.location
                || (a.territory().is_some()
                    && a.territory() == b.territory()
                    && a.is_for_machines() == b.is_for_machines())
        };
        for to in after {
            let place = Place::of_pointer(to);
            match before.iter().find(|from| same(from, to)) {
                None => self.push(place, What::Added),
                Some(from) => {
                    let signers = |p: &Pointer| lines(p.identities.iter().map(identity));
                    let said = |p: &Pointer| lines(p.information.iter().map(information));
                    let mut at = self.at(place);
                    at.shown(Field::Address, &from.location, &to.location)
                        .field(Field::Signers, signers(from), signers(to))
                        .field(Field::Qualifiers, said(from), said(to));
                }
            }
        }
        for from in before {
            if !after.iter().any(|to| same(from, to)) {
                self.push(Place::Pointer(from.location.to_string()), What::Removed);
            }
        }
    }

    fn providers(&mut self, before: &[Provider], after: &[Provider]) {
        for to in after {
            let place = Place::of_provider(to);
            match before.iter().find(|from| is_same_provider(from, to)) {
                None => self.push(place, What::Added),
                Some(from) => {
                    let traded = |p: &Provider| entries(p.trade_names.entries());
                    let mut at = self.at(place);
                    at.entries(Field::Name, &from.name, &to.name)
                        .field(Field::TradeNames, traded(from), traded(to))
                        .field(Field::Address, address(&from.address), address(&to.address))
                        .entries(Field::Information, &from.information, &to.information)
                        .field(
                            Field::Extensions,
                            extensions(&from.extensions),
                            extensions(&to.extensions),
                        );
                }
            }
        }
        for from in before {
            if !after.iter().any(|to| is_same_provider(from, to)) {
                self.push(Place::Provider(english(&from.name)), What::Removed);
            }
        }
    }

    fn services(&mut self, before: &TrustedList, after: &TrustedList) {
        let place = |provider: &Provider, service: &Service| Place::Service {
            provider: english(&provider.name),
            service: english(&service.name),
        };
        for (provider, to) in after.services() {
            match before.services().find(|(_, from)| is_same_service(to, from)) {
                None => self.push(place(provider, to), What::Added),
                Some((_, from)) => self.service(place(provider, to), from, to),
            }
        }
        for (provider, from) in before.services() {
            if !after.services().any(|(_, to)| is_same_service(to, from)) {
                self.push(place(provider, from), What::Removed);
            }
        }
    }

    fn service(&mut self, place: Place, from: &Service, to: &Service) {
        if from.status == to.status {
            self.at(place.clone()).shown(Field::StatusStart, &from.status_start, &to.status_start);
        } else {
            let what = What::Status {
                from: from.status.to_string(),
                to: to.status.to_string(),
                since: to.status_start,
            };
            self.push(place.clone(), what);
        }
        let none = Multilingual::as_found(Vec::new());
        let pages = |pages: &Option<crate::model::Pages>| {
            entries(pages.as_ref().unwrap_or(&none).entries())
        };
        let points = |service: &Service| {
            lines(service.supply_points.iter().map(|point| match &point.kind {
                Some(kind) => format!("{} ({kind})", point.address),
                None => point.address.to_string(),
            }))
        };
        self.at(place)
            .shown(Field::ServiceType, &from.service_type, &to.service_type)
            .entries(Field::Name, &from.name, &to.name)
            .field(Field::Identity, identity(&from.identity), identity(&to.identity))
            .field(
                Field::SchemeDefinition,
                pages(&from.scheme_definition),
                pages(&to.scheme_definition),
            )
            .field(Field::SupplyPoints, points(from), points(to))
            .field(
                Field::ProviderDefinition,
                pages(&from.provider_definition),
                pages(&to.provider_definition),
            )
            .field(Field::Extensions, extensions(&from.extensions), extensions(&to.extensions))
            .field(Field::History, history(from), history(to));
    }
}

fn is_same_provider(a: &Provider, b: &Provider) -> bool {
    let registration = a.trade_names.registration();
    (registration.is_some() && registration == b.trade_names.registration()) || a.name == b.name
}

fn english(names: &crate::model::Names) -> String {
    let first = || names.entries().first().map(|entry| &entry.value);
    names.in_english().or_else(first).map(ToString::to_string).unwrap_or_default()
}

fn lines<T: Display>(values: impl Iterator<Item = T>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<_>>().join("\n")
}

fn entries<T: Display>(entries: &[Entry<T>]) -> String {
    lines(entries.iter().map(|entry| format!("{}: {}", entry.language, entry.value)))
}

fn address(address: &Address) -> String {
    let postal = address.postal().iter().map(|postal| {
        let parts = [
            Some(postal.street.as_str()),
            Some(postal.locality.as_str()),
            postal.state_or_province.as_ref().map(crate::model::Text::as_str),
            postal.postal_code.as_ref().map(crate::model::Text::as_str),
            Some(postal.country.as_str()),
        ];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        format!("{}: {}", postal.language, parts.join(", "))
    });
    let electronic = address.electronic().entries().iter();
    let electronic = electronic.map(|entry| format!("{}: {}", entry.language, entry.value));
    lines(postal.chain(electronic))
}

fn notice(notice: &Notice) -> String {
    match notice {
        Notice::Policy(pages) => entries(pages.entries()),
        Notice::Legal(texts) => entries(texts.entries()),
    }
}

fn next_update(next: NextUpdate) -> String {
    match next {
        NextUpdate::By(at) => at.to_string(),
        NextUpdate::Closed => String::new(),
    }
}

fn identity(identity: &Identity) -> String {
    lines(identity.ids().iter().map(|id| match id {
        DigitalId::Certificate(certificate) => {
            format!("{} (SHA-256 {})", certificate.subject(), crate::write::sha2(certificate.der()))
        }
        DigitalId::Unreadable(bytes) => format!("SHA-256 {}", crate::write::sha2(bytes)),
        DigitalId::SubjectName(name) => name.clone(),
        DigitalId::KeyIdentifier(identifier) => crate::write::hex(identifier),
        DigitalId::KeyValue(fragment) | DigitalId::Other(fragment) => fragment.xml().to_owned(),
    }))
}

fn information(information: &PointerInformation) -> String {
    use PointerInformation as P;
    match information {
        P::Text(entry) => format!("{}: {}", entry.language, entry.value),
        P::ListType(kind) => kind.to_string(),
        P::OperatorName(names) => entries(names.entries()),
        P::CommunityRules(pages) => entries(pages.entries()),
        P::Territory(territory) => territory.to_string(),
        P::MimeType(kind) => kind.to_string(),
        P::MutualRecognition(agreement) => crate::write::recognition(agreement),
        P::Other(fragment) => fragment.xml().to_owned(),
    }
}

fn extensions(extensions: &[Extension]) -> String {
    lines(extensions.iter().map(|extension| {
        let said = match &extension.content {
            ExtensionContent::AdditionalServiceInformation { page, value, .. } => match value {
                Some(value) => format!("{} ({value})", page.value),
                None => page.value.to_string(),
            },
            ExtensionContent::ExpiredCertsRevocationInfo(since) => {
                format!("ExpiredCertsRevocationInfo {since}")
            }
            ExtensionContent::Qualifications(qualifications) => {
                let all = qualifications
                    .iter()
                    .map(|one| format!("{} {:?}", lines(one.qualifiers.iter()), one.criteria));
                format!("Qualifications {}", lines(all))
            }
            ExtensionContent::TakenOverBy(takeover) => {
                format!("TakenOverBy {} ({})", english(&takeover.provider), takeover.territory)
            }
            ExtensionContent::Unknown(fragment) => fragment.xml().to_owned(),
        };
        if extension.critical { format!("{said} (critical)") } else { said }
    }))
}

fn history(service: &Service) -> String {
    lines(service.history.iter().map(|state| {
        format!("{} {} {}", state.status_start, state.status, extensions(&state.extensions))
    }))
}
