//! Every rule with its stable code, its weight, and what it says in English.
//!
//! Deliberately not here: what offends a rule. `{subject}` is what is said wrongly and where,
//! `{place}` where it is, `{a}` and `{b}` what is quoted.

use super::{Finding, Weight};
use crate::diff::Place;
use crate::model::ModelError;

macro_rules! rules {
    ($($name:ident = $weight:ident, $code:literal, $pattern:literal;)*) => {
        /// A rule of the standard, or of one of the standards it builds on. Each says what it wants
        /// in its [`Rule::pattern`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $(#[doc = $pattern] $name,)* }

        impl Rule {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// A stable name for machines and for catalogues of words.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How much it weighs when it is offended.
            pub const fn weight(self) -> Weight {
                match self { $(Self::$name => Weight::$weight,)* }
            }

            /// The English sentence with its gaps: `{subject}`, `{place}`, `{a}`, `{b}`.
            pub const fn pattern(self) -> &'static str {
                match self { $(Self::$name => $pattern,)* }
            }
        }
    };
}

rules! {
    TextBlank = Refused, "text-blank",
        "{subject} cannot stand in a list: the text “{a}” is empty or begins or ends with space.";
    ForbiddenCharacter = Refused, "forbidden-character",
        "{subject} contains the character {a}, which a list must not use.";
    MarkUp = Refused, "mark-up",
        "{subject} contains mark-up: “{a}”.";
    LanguageTag = Refused, "language-tag",
        "{subject} is given in “{a}”, which is not a language tag such as en, ja or ja-Latn.";
    EnglishMissing = Refused, "english-missing",
        "{subject} must be given in English.";
    NotAnAddress = Refused, "not-an-address",
        "{subject} names “{a}”, which is not an absolute address.";
    PlaceCode = Refused, "place-code",
        "{subject} names “{a}”, which is not a code of clause 5.1.5: EL is Greece, UK the United Kingdom.";
    RegistrationIdentifier = Refused, "registration-identifier",
        "{subject} names “{a}”, which is no registration identifier such as NTRJP-7010001008844.";
    LanguageTwice = Refused, "language-twice",
        "{subject} is given more than once in {a}.";
    LatinMissing = Refused, "latin-missing",
        "{subject} in {a} needs a second value in Latin letters, {b}.";
    NotLatin = Refused, "not-latin",
        "{subject} in {a} has other than Latin letters.";
    MailMissing = Refused, "mail-missing",
        "{subject} needs an e-mail address, written mailto:name@host.";
    WebMissing = Refused, "web-missing",
        "{subject} needs the address of a web page.";
    OddAddress = Refused, "odd-address",
        "{subject} has {a}, which is no e-mail, web or telephone address.";
    NoWebPage = Refused, "no-web-page",
        "{subject} names {a}, which is no web page.";
    SequenceBegins = Refused, "sequence-begins",
        "The sequence number begins at 1.";
    ListOfListsProviders = Refused, "list-of-lists-providers",
        "A list of lists points at lists and has no providers of its own.";
    EuropeanExtensions = Refused, "european-extensions",
        "A list of the European Union has no scheme extensions.";
    ListType = Refused, "list-type",
        "The list type must be {a}{b}list or {a}{b}listofthelists. The European Union has {a}EUgeneric and {a}EUlistofthelists. An address of the scheme's own is allowed too.";
    SchemeNamePrefix = Refused, "scheme-name-prefix",
        "The scheme name in {a} must be “{b}” and a name.";
    Approach = Refused, "approach",
        "The status determination approach must be {a}. Outside the European Union it may be an address of the scheme's own.";
    CommunityRules = Refused, "community-rules",
        "The community rules must name {a}. Outside the European Union they may be rules of the scheme's own.";
    HistoryPeriod = Refused, "history-period",
        "The history period must be 65535: history is never removed.";
    NextBeforeIssue = Refused, "next-before-issue",
        "The next update must lie after the issue.";
    NextTooLate = Refused, "next-too-late",
        "The next update, {a}, is more than six months away.";
    ClosedRunning = Refused, "closed-running",
        "A closed list has no running service, but {a} are running.";
    DistributionPoint = Refused, "distribution-point",
        "The distribution point {a} must be a web address that ends in .xml or .xtsl.";
    PointerToUnion = Refused, "pointer-to-union",
        "A list of the European Union points at the list of lists.";
    PointerNone = Refused, "pointer-none",
        "A list of lists points at least at one list.";
    PointerSignerMissing = Refused, "pointer-signer-missing",
        "{place} must name who signs that list, each by a certificate.";
    PointerSignersInvalid = Refused, "pointer-signers-invalid",
        "No signer that {place} names is valid when this list is issued.";
    PointerOneSigner = Advised, "pointer-one-signer",
        "{place} should name two signers, so that one can follow the other.";
    PointerQualifier = Refused, "pointer-qualifier",
        "{place} must give {a} once, and gives it {b} times.";
    PointerTwoKeys = Advised, "pointer-two-keys",
        "{place} gives two keys as one identity.";
    RegistrationMissing = Refused, "registration-missing",
        "{place} needs a registration identifier as a trade name, such as NTRJP-7010001008844.";
    ServiceMissing = Refused, "service-missing",
        "{place} has no service; a provider has at least one.";
    CriticalUnknown = Refused, "critical-unknown",
        "{place} carries the critical extension {a}, which readers do not understand.";
    ExtensionTwice = Refused, "extension-twice",
        "{place} says the same in two extensions.";
    RootInformation = Refused, "root-information",
        "{place} says RootCA-QC, which only CA/QC may say.";
    OtherPurpose = Refused, "other-purpose",
        "{place} is for other services, so it is not for signatures, seals or sites.";
    ExpiredType = Refused, "expired-type",
        "{place} tells of expired certificates, but is of a type that does not issue certificates.";
    ExpiredCritical = Refused, "expired-critical",
        "What {place} tells of expired certificates must not be critical.";
    QualificationsType = Refused, "qualifications-type",
        "{place} has qualifications, which only CA/QC may have.";
    QualifierMissing = Refused, "qualifier-missing",
        "A qualification of {place} has no qualifier.";
    QualifierUnknown = Refused, "qualifier-unknown",
        "{place} names {a}, which is no registered qualifier.";
    CriteriaIncomplete = Refused, "criteria-incomplete",
        "A criteria list of {place} lacks its criteria or says not how many count.";
    EuropeanStatus = Refused, "european-status",
        "{place} has {a}, which is no status for the type of the service.";
    StatusInFuture = Refused, "status-in-future",
        "The status of {place} begins after the list is issued.";
    ProviderDefinition = Refused, "provider-definition",
        "{place} needs the address of the provider's definition.";
    SameKey = Refused, "same-key",
        "{place} has the same key and type as “{a}” of “{b}”.";
    TypeUnknown = Refused, "type-unknown",
        "{place} has {a}, which is no registered service type.";
    StatusUnknown = Refused, "status-unknown",
        "{place} has {a}, which is no registered status.";
    CertificateMissing = Refused, "certificate-missing",
        "{place} has no certificate that can be read.";
    KeylessCertificate = Refused, "keyless-certificate",
        "{place} is of a type without a key, but has a certificate.";
    DifferentKeys = Refused, "different-keys",
        "The certificates of {place} have different keys or subjects.";
    NotDer = Refused, "not-der",
        "A certificate of {place} is not encoded as DER prescribes.";
    KeyIdentifier = Refused, "key-identifier",
        "The key identifier of {place} is not the one of its certificate.";
    OtherOrganisation = Advised, "other-organisation",
        "The certificate of {place} is made out to “{a}”, which is no name of the provider; list it as a trade name.";
    PurposeMissing = Advised, "purpose-missing",
        "{place} should say whether its certificates are for signatures, seals or sites.";
    HistorySameInstant = Refused, "history-same-instant",
        "Two states of {place} begin at {a}.";
    HistoryOrder = Refused, "history-order",
        "The history of {place} must run from newest to oldest.";
    PastCertificate = Refused, "past-certificate",
        "A former state of {place} carries a certificate.";
    PastKeyMissing = Refused, "past-key-missing",
        "A former state of {place} lacks the key identifier.";
    PastOtherKey = Refused, "past-other-key",
        "A former state of {place} has another key; that is a new service.";
    PastOtherType = Advised, "past-other-type",
        "A former state of {place} has another service type.";
    SequenceNotHigher = Refused, "sequence-not-higher",
        "The sequence number {a} must be higher than {b}, the one before.";
    IssueNotLater = Refused, "issue-not-later",
        "The list must be issued after {a}, the one before.";
    TerritoryChanged = Refused, "territory-changed",
        "Territory and list type stay what they were.";
    ServiceLost = Refused, "service-lost",
        "{place} is no longer listed.";
    StatusRetroactive = Refused, "status-retroactive",
        "The new status of {place} begins at {a}, before the list that was in force until now.";
    StateLost = Refused, "state-lost",
        "The state {a} of {place}, since {b}, is lost.";
    StatusStart = Refused, "status-start",
        "A new status of {place} begins after the present one, which began at {a}.";
    StatusUnchanged = Refused, "status-unchanged",
        "{place} has the status {a} already.";
    Missing = Refused, "missing",
        "{subject} must be given.";
    LineForm = Refused, "line-form",
        "{subject} has the line “{a}”, which is not written as: {b}.";
    CertificateUnreadable = Refused, "certificate-unreadable",
        "{subject} has something that is no certificate.";
    NoticeEither = Refused, "notice-either",
        "Either the address of the policy is given or the text of the legal notice.";
    IdentityEither = Refused, "identity-either",
        "{place} is named either by its certificates or by an address, not by both.";
    StatusPast = Refused, "status-past",
        "A status of {place} never begins in the past; {a} is over.";
    StatusBeforeIts = Refused, "status-before-its",
        "{place} is not published yet; its first status begins with the publication.";
    BaseChanged = Refused, "base-changed",
        "The live list says something else than when this draft was opened.";
    SignerMissing = Refused, "signer-missing",
        "There is no list signer that is valid now.";
    SignerCountry = Refused, "signer-country",
        "The signing certificate must say C={a}.";
    SignerOperator = Refused, "signer-operator",
        "The O= of the signing certificate must be a name of the scheme operator.";
    SignerUsage = Refused, "signer-usage",
        "The signing certificate's key usage must be digitalSignature, nonRepudiation or both.";
    SignerIdentifier = Refused, "signer-identifier",
        "The signing certificate's key identifier must be made by RFC 5280 method 1 or 2.";
    SignerAuthority = Refused, "signer-authority",
        "The signing certificate must say that it is not an authority's.";
    SignerInvalid = Refused, "signer-invalid",
        "The signing certificate is not valid at the signing time, {a}.";
    SignerWeak = Refused, "signer-weak",
        "The signing key must be on P-256 or P-384, or RSA of {a} bits or more.";
    SignerPurpose = Advised, "signer-purpose",
        "The signing certificate should name the purpose id-tsl-kp-tslSigning.";
    SignerAlone = Advised, "signer-alone",
        "There should be a second announced list signer, so that one can follow the other.";
}

impl Rule {
    /// The rule that a refused value offends, and what its sentence quotes.
    pub fn of(error: &ModelError) -> (Self, Vec<String>) {
        let quoted = |rule, value: &str| (rule, vec![value.to_owned()]);
        match error {
            ModelError::Blank(text) => quoted(Self::TextBlank, text),
            ModelError::ForbiddenCharacter(code) => {
                (Self::ForbiddenCharacter, vec![format!("U+{code:04X}")])
            }
            ModelError::MarkUp(text) => quoted(Self::MarkUp, text),
            ModelError::Language(tag) => quoted(Self::LanguageTag, tag),
            ModelError::EnglishMissing => (Self::EnglishMissing, Vec::new()),
            ModelError::Uri(uri) => quoted(Self::NotAnAddress, uri),
            ModelError::Place(code) => quoted(Self::PlaceCode, code),
            ModelError::RegistrationIdentifier(text) => quoted(Self::RegistrationIdentifier, text),
            ModelError::CertificateMissing => (Self::CertificateMissing, Vec::new()),
            ModelError::SeveralKeys => (Self::DifferentKeys, Vec::new()),
            ModelError::StatusStart(at) => (Self::StatusStart, vec![at.to_string()]),
            ModelError::StatusUnchanged(status) => quoted(Self::StatusUnchanged, status),
            ModelError::KeyIdentifier => (Self::KeyIdentifier, Vec::new()),
        }
    }
}

/// The sentence of a finding in English.
pub(super) fn english(finding: &Finding) -> String {
    let place = match &finding.place {
        Place::Scheme => "the scheme".to_owned(),
        Place::Pointer(address) => format!("the pointer to {address}"),
        Place::Provider(provider) => format!("the provider “{provider}”"),
        Place::Service { provider, service } => {
            format!("the service “{service}” of the provider “{provider}”")
        }
    };
    let subject = match finding.field {
        Some(field) => format!("the {} of {place}", field.code().replace('-', " ")),
        None => place.clone(),
    };
    let quoted = |at: usize| finding.values.get(at).map_or("", String::as_str);
    let gaps =
        [("place", place.as_str()), ("subject", &subject), ("a", quoted(0)), ("b", quoted(1))];
    capitalised(fill(finding.rule.pattern(), &gaps))
}

/// Fills the gaps of a pattern in one pass, so that what is filled in is never read as a gap.
fn fill(pattern: &str, gaps: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let mut rest = pattern;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        text.push_str(gaps.iter().find(|(gap, _)| *gap == name).map_or("", |(_, value)| value));
        rest = behind;
    }
    text.push_str(rest);
    text
}

fn capitalised(mut sentence: String) -> String {
    if let Some(first) = sentence.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_code_of_its_own_and_a_whole_sentence() {
        let codes: std::collections::BTreeSet<_> =
            Rule::ALL.iter().map(|rule| rule.code()).collect();
        assert_eq!(codes.len(), Rule::ALL.len());
        assert!(Rule::ALL.iter().all(|rule| rule.pattern().ends_with('.')));
    }

    #[test]
    fn what_is_quoted_is_never_read_as_a_gap() {
        let values = vec!["{b}".to_owned(), "x".to_owned()];
        let finding = Finding::of_scheme(Rule::SequenceNotHigher, "5.3.2", values);
        assert!(finding.sentence().starts_with("The sequence number {b} must"));
    }
}
