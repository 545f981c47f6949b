//! What the lint says on authorities and service certificates that are not as DOMAIN 12.4 and 12.5
//! want them.

use super::*;
use crate::scope::NameScope;
use crate::specimens::{
    administrator_order, audit_order, cross_new_order, cross_old_order, dedicated_order,
    dedicated_seal_order, issuing_order, name, policy_order, scope, service_authority_order,
    tsa_order,
};

/// An order that is itself what is wrong; the body follows it.
fn check_wrong(rule: &str, mut order: Order, change: impl FnOnce(&mut Order)) {
    change(&mut order);
    check(rule, &order, |_| {});
}

#[test]
fn only_a_root_is_its_own_issuer_by_name() {
    check_wrong("subject-issuer", cross_new_order(), |order| {
        order.subject = order.issuer.name.clone();
    });
    check_wrong("subject-issuer", root_order(), |order| {
        order.subject = operator("Tenkoku Evaluation Root CA G2");
    });
    check_wrong("key-own", cross_old_order(), |order| order.key = order.issuer.key.clone());
}

#[test]
fn path_lengths_are_those_of_the_kind_of_authority() {
    let length = |length: &[u8]| write::sequence(&[&[1, 1, 0xFF], length]);
    let none = length(&[]);
    let [zero, one, two] = [0, 1, 2].map(|n| length(&[2, 1, n]));
    for (order, wrong) in [
        (policy_order(), [&none, &zero, &two]),
        (cross_new_order(), [&zero, &one, &two]),
        (dedicated_order(), [&none, &one, &two]),
        (issuing_order(Level::Two), [&none, &one, &two]),
        (service_authority_order(profile::Service::Internal), [&none, &one, &two]),
    ] {
        for value in wrong {
            check("fixed-values", &order, |parts| {
                replace(parts, &oid::BASIC_CONSTRAINTS, true, value);
            });
        }
    }
}

#[test]
fn i_8_a_cross_certificate_ends_with_the_earlier_of_both_roots() {
    for order in [cross_new_order(), cross_old_order()] {
        check_wrong("validity-issuer", order, |order| {
            order.validity = days("2026-11-11T00:00:00Z", 7300);
        });
    }
    check_wrong("validity-issuer", cross_new_order(), |order| {
        order.validity = days("2026-11-09T00:00:00Z", 7000);
    });
}

#[test]
fn i_8_no_authority_or_service_outlives_its_profile() {
    for (order, most) in [
        (policy_order(), 5475),
        (dedicated_order(), 3650),
        (tsa_order(), 3650),
        (administrator_order(), 365),
        (audit_order(), 1095),
    ] {
        check_wrong("validity-length", order, |order| {
            order.issuer.validity = days("2026-11-01T00:00:00Z", 9000);
            order.validity = days("2026-11-12T00:00:00Z", most + 1);
        });
    }
}

#[test]
fn authorities_have_strong_keys_only() {
    for order in [policy_order(), dedicated_order(), cross_new_order()] {
        check_wrong("key-type", order, |order| order.key = public("seal"));
    }
    check_wrong("key-type", tsa_order(), |order| order.key = public("seal-rsa2048"));
}

#[test]
fn a_policy_authority_has_any_policy_and_an_issuing_one_has_not() {
    let of = |order: &Order| profile::parts(order).extensions.swap_remove(4);
    check("policies", &policy_order(), |parts| parts.extensions[4] = of(&dedicated_order()));
    check("policies", &dedicated_order(), |parts| parts.extensions[4] = of(&policy_order()));
    check("policies", &tsa_order(), |parts| parts.extensions[4] = of(&administrator_order()));
    check("policies", &audit_order(), |parts| {
        replace(parts, &oid::CERTIFICATE_POLICIES, false, &[0x30, 0]);
    });
}

#[test]
fn name_constraints_are_critical_and_those_ordered() {
    let value = |scope: &NameScope| {
        let mut order = dedicated_order();
        if let Content::Dedicated { scope: own, .. } = &mut order.content {
            *own = scope.clone();
        }
        profile::parts(&order).extensions.swap_remove(5)
    };
    let narrow = DistinguishedName::subtree(
        "JP",
        &name("別の会社"),
        &OrganizationIdentifier::parse("NTRJP-5010401067252").unwrap(),
    )
    .unwrap();
    let constraints = |key: u8, inner: &[u8]| write::sequence(&[write::context(key, inner)]);
    let subtree = write::sequence(&[write::context(4, narrow.der())]);
    let order = dedicated_order();
    for wrong in [
        constraints(0, &subtree),
        constraints(1, &subtree),
        constraints(0, &[]),
        vec![0x30, 0],
        // A dNSName beside the directory names.
        constraints(0, &[&subtree[..], &[0x30, 3, 0x82, 1, 0x61]].concat()),
    ] {
        check("name-constraints", &order, |parts| {
            replace(parts, &oid::NAME_CONSTRAINTS, true, &wrong);
        });
    }
    check("criticality", &order, |parts| {
        replace(parts, &oid::NAME_CONSTRAINTS, false, &[0x30, 0]);
    });
    check("extension-set", &order, |parts| drop(parts.extensions.remove(5)));
    check("extension-set", &issuing_order(Level::Three), |parts| {
        parts.extensions.insert(5, value(&scope()));
    });
    check_wrong("name-constraints", dedicated_order(), |order| {
        if let Content::Dedicated { scope, .. } = &mut order.content {
            *scope = NameScope::nothing();
        }
    });
}

#[test]
fn a_dedicated_authority_certifies_no_other_organisation() {
    check_wrong("name-scope", dedicated_seal_order(), |order| {
        let mut values = attributes();
        values[1].1 = write::utf8("別の会社");
        order.subject = dn(&values);
    });
    // The Latin form alone leaves the scope.
    check_wrong("name-scope", dedicated_seal_order(), |order| {
        let mut values = attributes();
        values[1].1 = write::utf8("Another Co., Ltd.");
        if let Content::Seal { latin, .. } = &mut order.content {
            *latin = Some(dn(&values));
        }
    });
    // A city before O does so too.
    check_wrong("name-scope", dedicated_seal_order(), |order| {
        let mut values = attributes();
        values.insert(1, (oid::LOCALITY, write::utf8("大阪市")));
        order.subject = dn(&values);
    });
}

#[test]
fn a_time_stamping_unit_has_its_purpose_alone_and_critical() {
    let purpose = |oids: &[ObjectIdentifier]| {
        write::sequence(&oids.iter().map(write::oid).collect::<Vec<_>>())
    };
    let alone = purpose(&[oid::TIME_STAMPING]);
    check("criticality", &tsa_order(), |parts| {
        replace(parts, &oid::EXT_KEY_USAGE, false, &alone);
    });
    check("criticality", &administrator_order(), |parts| {
        replace(parts, &oid::EXT_KEY_USAGE, true, &alone);
    });
    for wrong in [vec![oid::TIME_STAMPING, oid::CLIENT_AUTH], vec![oid::CLIENT_AUTH]] {
        check("fixed-values", &tsa_order(), |parts| {
            replace(parts, &oid::EXT_KEY_USAGE, true, &purpose(&wrong));
        });
    }
    check("extension-set", &audit_order(), |parts| {
        let purpose = profile::parts(&administrator_order()).extensions.swap_remove(3);
        parts.extensions.insert(3, purpose);
    });
}

#[test]
fn an_administrator_s_certificate_names_the_account_and_nothing_else() {
    let account = "https://seal.example.jp/accounts/usr_01J00000000000000000000001";
    let directory = write::context(4, dn(&attributes()).der());
    for wrong in [
        vec![uri("https://seal.example.jp/accounts/usr_01J00000000000000000000002")],
        vec![uri(account), uri(account)],
        vec![uri(account), write::tlv(tag::primitive(1), b"who@seal.example.jp")],
        vec![directory],
        vec![],
    ] {
        check("alternative-name", &administrator_order(), |parts| {
            replace(parts, &oid::SUBJECT_ALT_NAME, false, &write::sequence(&wrong));
        });
    }
}
