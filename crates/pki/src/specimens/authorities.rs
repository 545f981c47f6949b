//! Specimens of the authorities beside the first root and its issuing ones, and what those issue.

use super::*;
use crate::profile::Service;
use crate::scope::NameScope;
use crate::uri::HttpsUri;

/// The root of the second generation.
pub(crate) fn second_root_order() -> Order {
    let validity = Validity::days(at("2026-11-10T00:00:00Z"), 7300);
    let subject = operator("Tenkoku Evaluation Root CA G2");
    Order::root(serial(0x44), validity, subject, public("root-2"))
}

pub(crate) fn policy_order() -> Order {
    let content = Content::Policy { repository: repository("root-g1") };
    under_root("Tenkoku Evaluation Policy CA G1", "policy", 0x45, 5475, content)
}

/// The second root's key, certified by the first: old relying parties reach what is new.
pub(crate) fn cross_new_order() -> Order {
    cross(&second_root_order(), &root_order(), 0x46, "root-g1")
}

/// The first root's key, certified by the second: new relying parties reach what is old.
pub(crate) fn cross_old_order() -> Order {
    cross(&root_order(), &second_root_order(), 0x47, "root-g2")
}

fn cross(certified: &Order, by: &Order, first: u8, code: &str) -> Order {
    let start = Validity::days(at("2026-11-11T00:00:00Z"), 7300);
    let end = certified.validity.not_after.min(by.validity.not_after);
    Order {
        serial: serial(first),
        validity: start.capped(end),
        subject: certified.subject.clone(),
        key: certified.key.clone(),
        issuer: by.issuer.clone(),
        content: Content::Cross { own: certified.validity, repository: repository(code) },
    }
}

/// The names of the organisation of the specimens.
pub(crate) fn scope() -> NameScope {
    let seal = branch_seal();
    let latin = name("Sample Co., Ltd.");
    let operator = operator_name("any");
    NameScope::of("JP", &seal.organisation, Some(&latin), &seal.identifier, &operator).unwrap()
}

pub(crate) fn dedicated_order() -> Order {
    let content = Content::Dedicated {
        level: Level::Three,
        scope: scope(),
        arc: arc(),
        repository: repository("policy-g1"),
    };
    let subject = "Tenkoku Evaluation Sample E-Seal Issuing CA L3 G1";
    Order {
        issuer: issuer_of(&policy_order()),
        ..under_root(subject, "dedicated", 0x48, 3650, content)
    }
}

/// The authority that an order makes.
pub(crate) fn issuer_of(order: &Order) -> Issuer {
    let scope = if let Content::Dedicated { scope, .. } = &order.content {
        Some(scope.clone())
    } else {
        None
    };
    let Order { subject, key, validity, .. } = order.clone();
    Issuer { name: subject, key, validity, scope }
}

/// A seal by the dedicated authority.
pub(crate) fn dedicated_seal_order() -> Order {
    let mut order = seal_order(Level::Three, "seal-p384");
    order.serial = serial(0x54);
    order.issuer = issuer_of(&dedicated_order());
    if let Content::Seal { repository: place, ocsp, .. } = &mut order.content {
        *place = repository("sample-l3-g1");
        *ocsp = uri("ocsp/sample-l3-g1");
    }
    order
}

/// A signer of answers for the dedicated authority; its name is the operator's.
pub(crate) fn dedicated_ocsp_order() -> Order {
    Order { serial: serial(0x62), issuer: issuer_of(&dedicated_order()), ..ocsp_order() }
}

/// A signer of answers for the root.
pub(crate) fn root_ocsp_order() -> Order {
    Order { serial: serial(0x63), issuer: root_order().issuer, ..ocsp_order() }
}

pub(crate) fn service_authority_order(service: Service) -> Order {
    let (subject, first) = match service {
        Service::TimeStamping => ("Tenkoku Evaluation TSA Issuing CA G1", 0x49),
        Service::Internal => ("Tenkoku Evaluation Internal CA G1", 0x4A),
    };
    let content =
        Content::ServiceAuthority { service, arc: arc(), repository: repository("root-g1") };
    under_root(subject, "service", first, 3650, content)
}

/// A certificate by a service authority, valid from the third of November.
fn service(subject: &str, key: &str, first: u8, days: i64, content: Content) -> Order {
    let stamps = matches!(content, Content::TimeStamping { .. });
    let service = if stamps { Service::TimeStamping } else { Service::Internal };
    Order {
        validity: Validity::days(at("2026-11-03T00:00:00Z"), days),
        issuer: issuer_of(&service_authority_order(service)),
        ..under_root(subject, key, first, days, content)
    }
}

pub(crate) fn tsa_order() -> Order {
    let content = Content::TimeStamping { arc: arc(), repository: repository("tsa-g1") };
    service("Tenkoku Evaluation TSU 1", "tsa", 0x64, 3649, content)
}

pub(crate) fn administrator_order() -> Order {
    let account = "https://seal.example.jp/accounts/usr_01J00000000000000000000001";
    let content = Content::Administrator {
        account: HttpsUri::parse(account).unwrap(),
        arc: arc(),
        repository: repository("internal-g1"),
    };
    let subject = "Administrator usr_01J00000000000000000000001";
    service(subject, "administrator", 0x65, 365, content)
}

pub(crate) fn audit_order() -> Order {
    let content = Content::AuditSigner { arc: arc(), repository: repository("internal-g1") };
    service("Tenkoku Evaluation Audit Signer 1", "audit", 0x66, 1095, content)
}

/// The orders of this page, by the names of their golden files, and the keys that sign them.
pub(super) fn orders() -> Vec<(&'static str, Order, &'static str)> {
    vec![
        ("root-2", second_root_order(), "root-2"),
        ("policy", policy_order(), "root"),
        ("cross-new", cross_new_order(), "root"),
        ("cross-old", cross_old_order(), "root-2"),
        ("issuing-dedicated", dedicated_order(), "policy"),
        ("seal-dedicated", dedicated_seal_order(), "dedicated"),
        ("ocsp-dedicated", dedicated_ocsp_order(), "dedicated"),
        ("ocsp-root", root_ocsp_order(), "root"),
        ("issuing-tsa", service_authority_order(Service::TimeStamping), "root"),
        ("issuing-internal", service_authority_order(Service::Internal), "root"),
        ("tsa", tsa_order(), "service"),
        ("administrator", administrator_order(), "service"),
        ("audit-signer", audit_order(), "service"),
    ]
}
