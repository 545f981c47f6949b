//! From the Official Journal's certificates to national lists, with what the Commission published.

use std::collections::BTreeMap;
use std::fs;

use tenkoku_domain::time::Timestamp;
use tenkoku_tsl::certificate::Certificate;
use tenkoku_tsl::follow::{
    Freshness, Journal, ListOfLists, LotlFault, PointedFault, PointedList, pivots,
};
use tenkoku_tsl::model::{
    Criterion, Identity, Pointer, PointerInformation, QcStatementInfo, Territory, TrustedList, Uri,
};
use tenkoku_tsl::verify::{Refusal, verify};

use crate::sample::{at, shared, uri};

const JOURNAL_2019: &str =
    "https://eur-lex.europa.eu/legal-content/EN/TXT/?uri=uriserv:OJ.C_.2019.276.01.0001.01.ENG";
const JOURNAL_2026: &str = "https://eur-lex.europa.eu/eli/C/2026/1944/oj";
const BASE: &str = "https://ec.europa.eu/tools/lotl/";

fn file(path: &str) -> Option<Vec<u8>> {
    shared(&format!("trust-list/{path}")).map(|path| fs::read(path).unwrap())
}

fn journal(address: &str, file_name: &str) -> Option<Journal> {
    let pem = String::from_utf8(file(&format!("anchors/{file_name}"))?).unwrap();
    let certificates = pem
        .split("-----BEGIN CERTIFICATE-----")
        .skip(1)
        .map(|block| {
            use base64::Engine;
            let text: String = block.split("-----END").next().unwrap().split_whitespace().collect();
            let der = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
            Certificate::from_der(&der).unwrap()
        })
        .collect();
    Some(Journal { address: uri(address), certificates })
}

fn journal_2019() -> Option<Journal> {
    journal(JOURNAL_2019, "eu-lotl-oj-2019-C276.pem")
}

fn journal_2026() -> Option<Journal> {
    journal(JOURNAL_2026, "eu-lotl-oj-2026-C1944.pem")
}

/// The pivots of the list of lists no. 369, by address.
fn published_pivots() -> BTreeMap<String, Vec<u8>> {
    [282, 300, 335, 341]
        .into_iter()
        .map(|number| {
            let name = format!("eu-lotl-pivot-{number}.xml");
            (format!("{BASE}{name}"), file(&format!("lists/eu-lotl/{name}")).unwrap())
        })
        .collect()
}

fn follow(
    bytes: &[u8],
    pivots: &BTreeMap<String, Vec<u8>>,
    journal: &Journal,
    time: Timestamp,
) -> Result<ListOfLists, LotlFault> {
    let fetched = |address: &Uri| pivots.get(address.as_str()).map(Vec::as_slice);
    ListOfLists::verify(bytes, fetched, journal, time)
}

#[test]
fn four_pivots_lead_from_the_anchors_of_2019_to_the_list_of_2025() {
    let Some(journal) = journal_2019() else { return };
    let bytes = file("lists/eu-lotl/eu-lotl-sn369-v5.xml").unwrap();
    let list = verify(&bytes).unwrap().into_list();
    let named: Vec<_> =
        pivots(&list.scheme, &journal.address).unwrap().iter().map(|uri| uri.as_str()).collect();
    let expected = [341, 335, 300, 282].map(|n| format!("{BASE}eu-lotl-pivot-{n}.xml"));
    assert_eq!(named, expected);
    let found = follow(&bytes, &published_pivots(), &journal, at("2025-08-01T00:00:00Z")).unwrap();
    // 43 pointers, of which 11 lead to forms for people.
    assert_eq!(found.pointers().count(), 32);
    assert_eq!(found.location().unwrap().as_str(), format!("{BASE}eu-lotl.xml"));
}

#[test]
fn the_anchors_of_2026_need_no_pivot() {
    let Some(journal) = journal_2026() else { return };
    let bytes = file("lists/eu-lotl/eu-lotl-sn388-v6.xml").unwrap();
    let found = follow(&bytes, &BTreeMap::new(), &journal, at("2026-06-01T00:00:00Z")).unwrap();
    assert_eq!(found.verified().version(), 6);
}

#[test]
fn a_chain_that_is_broken_anywhere_is_named() {
    let (Some(old), Some(new)) = (journal_2019(), journal_2026()) else { return };
    let bytes = file("lists/eu-lotl/eu-lotl-sn369-v5.xml").unwrap();
    let (all, time) = (published_pivots(), at("2025-08-01T00:00:00Z"));

    let mut missing = all.clone();
    missing.remove(&format!("{BASE}eu-lotl-pivot-300.xml"));
    let fault = follow(&bytes, &missing, &old, time).unwrap_err();
    assert!(
        matches!(&fault, LotlFault::PivotMissing(uri) if uri.as_str().ends_with("300.xml")),
        "{fault}"
    );

    let mut damaged = all.clone();
    let pivot = damaged.get_mut(&format!("{BASE}eu-lotl-pivot-335.xml")).unwrap();
    let at_name = String::from_utf8(pivot.clone()).unwrap().find("European Commission").unwrap();
    pivot[at_name] = b'X';
    let fault = follow(&bytes, &damaged, &old, time).unwrap_err();
    let expected = matches!(&fault, LotlFault::PivotRefused { address, refusal: Refusal::Digest(_) }
        if address.as_str().ends_with("335.xml"));
    assert!(expected, "{fault}");

    // Another pivot under the same address: good, but it does not announce the signer.
    let mut swapped = all.clone();
    let older = all[&format!("{BASE}eu-lotl-pivot-282.xml")].clone();
    swapped.insert(format!("{BASE}eu-lotl-pivot-341.xml"), older);
    let fault = follow(&bytes, &swapped, &old, time).unwrap_err();
    assert!(matches!(&fault, LotlFault::NotAnnounced { .. }), "{fault}");

    // The journal of 2026 without what both published.
    let only_new = new.certificates.iter().filter(|one| !old.certificates.contains(one));
    let stranger = Journal { certificates: only_new.cloned().collect(), ..old.clone() };
    let fault = follow(&bytes, &all, &stranger, time).unwrap_err();
    assert!(matches!(&fault, LotlFault::NotInJournal(_)), "{fault}");

    let fault = follow(&bytes, &all, &new, time).unwrap_err();
    assert!(matches!(&fault, LotlFault::JournalNotNamed(_)), "{fault}");

    let fault = follow(&bytes, &all, &old, at("2026-02-01T00:00:00Z")).unwrap_err();
    assert!(matches!(&fault, LotlFault::Stale(_)), "{fault}");
}

#[test]
fn a_new_journal_above_the_pivots_waits_for_a_person() {
    let Some(old) = journal_2019() else { return };
    let bytes = file("lists/eu-lotl/eu-lotl-sn388-v6.xml").unwrap();
    let fault = follow(&bytes, &published_pivots(), &old, at("2026-06-01T00:00:00Z")).unwrap_err();
    assert!(
        matches!(&fault, LotlFault::NewJournal(uri) if uri.as_str() == JOURNAL_2026),
        "{fault}"
    );
}

#[test]
fn a_national_list_is_believed_when_its_pointer_names_the_signer() {
    let (Some(old), Some(new)) = (journal_2019(), journal_2026()) else { return };
    let bytes = file("lists/eu-lotl/eu-lotl-sn388-v6.xml").unwrap();
    let time = at("2026-06-01T00:00:00Z");
    let lists = follow(&bytes, &BTreeMap::new(), &new, time).unwrap();
    let belgium = file("lists/national/BE-sn81-v6.xml").unwrap();
    let pointer = lists.pointer("BE").unwrap();
    let list = PointedList::verify(&belgium, pointer, time).unwrap();
    assert_eq!(list.freshness, Freshness::Current);
    let late = PointedList::verify(&belgium, pointer, at("2027-06-01T00:00:00Z")).unwrap();
    assert_eq!(late.freshness, Freshness::Stale);

    // Signed by a key of a test library, which no pointer names.
    let finland = file("lists/national/FI-sample-v6-resigned.xml").unwrap();
    let fault = PointedList::verify(&finland, lists.pointer("FI").unwrap(), time).unwrap_err();
    assert!(matches!(&fault, PointedFault::Refused(Refusal::UnexpectedSigner(_))), "{fault}");

    let fault = lists.pointer("JP").unwrap_err();
    assert!(matches!(&fault, PointedFault::NoPointer(territory) if territory == "JP"));

    // The list of 2025 points at the lists that were in force then.
    let older = file("lists/eu-lotl/eu-lotl-sn369-v5.xml").unwrap();
    let then = at("2025-08-01T00:00:00Z");
    let lists = follow(&older, &published_pivots(), &old, then).unwrap();
    for (territory, name) in
        [("IT", "IT-sn194-v5-large"), ("EL", "EL-sn69-v5-ecdsa"), ("SE", "SE-sn55-v5")]
    {
        let list = file(&format!("lists/national/{name}.xml")).unwrap();
        let verdict = PointedList::verify(&list, lists.pointer(territory).unwrap(), then);
        let known =
            matches!(&verdict, Ok(_) | Err(PointedFault::Refused(Refusal::UnexpectedSigner(_))));
        assert!(known, "{territory}: {verdict:?}");
    }
}

#[test]
fn a_third_country_s_list_is_found_through_the_pilot_s_pointer() {
    let Some(bytes) = file("lists/third-country/mra-lotl.xml") else { return };
    let pilot = verify(&bytes).unwrap();
    let pointer = list_pointer(pilot.list(), "XX");
    assert!(pointer.recognition().is_some() && pointer.is_for_machines());
    let third = file("lists/third-country/mra-zz-tl.xml").unwrap();
    let time = at("2026-06-01T00:00:00Z");
    // The list is signed anew, by a test key that the pilot's pointer does not name.
    let fault = PointedList::verify(&third, pointer, time).unwrap_err();
    assert!(matches!(&fault, PointedFault::Refused(Refusal::UnexpectedSigner(_))), "{fault}");
    let mut right = pointer.clone();
    right.identities = vec![Identity::of(verify(&third).unwrap().signer().clone())];
    // The pilot points at a country "XX" and its list says "ZZ", which is told and not passed over.
    let fault = PointedList::verify(&third, &right, time).unwrap_err();
    assert!(
        matches!(&fault, PointedFault::Territory { expected, found }
            if expected == "XX" && found == "ZZ"),
        "{fault}"
    );
    for information in &mut right.information {
        if let PointerInformation::Territory(territory) = information {
            *territory = Territory::new("ZZ").unwrap();
        }
    }
    let list = PointedList::verify(&third, &right, time).unwrap();
    assert_eq!(list.verified.list().services().count(), 1);
}

#[test]
fn an_agreement_says_what_of_the_other_list_counts_as_what() {
    let Some(bytes) = file("lists/third-country/mra-lotl.xml") else { return };
    let pilot = verify(&bytes).unwrap();
    let agreement = list_pointer(pilot.list(), "XX").recognition().unwrap();
    let [seals] = agreement.services.as_slice() else { panic!("{agreement:?}") };
    assert_eq!(seals.legal_identifier.as_str(), "QCForESig");
    assert!(seals.terms_at(at("2020-05-16T23:59:58Z")).is_none());
    let terms = seals.terms_at(at("2026-06-01T00:00:00Z")).unwrap();
    assert!(terms.is_enacted());
    let theirs = |path: &str| uri(&format!("http://zz-trusted-list.go.zz/TrstSvc/{path}"));
    assert_eq!(terms.types.pointed[0].service_type, theirs("Svctype/CA/QC/for-eSig"));
    let narrowed = terms.types.pointing[0].information.as_ref().unwrap();
    assert!(narrowed.page.value.as_str().ends_with("/ForeSignatures"));
    let means = |word: &str| terms.means_valid(&theirs(&format!("TrustedList/Svcstatus/{word}")));
    assert_eq!(
        [means("granted"), means("withdrawn"), means("else")],
        [Some(true), Some(false), None]
    );
    let contexts =
        terms.contents.iter().map(|one| one.context.as_str().rsplit('/').next().unwrap());
    assert_eq!(contexts.collect::<Vec<_>>(), ["QcCompliance", "QcType", "QcQSCD"]);
    let compliance = &terms.contents[0].declarations.pointed;
    let Criterion::QcStatements(wanted) = &compliance.criteria[0] else { panic!("{compliance:?}") };
    assert_eq!(wanted[0].id.dotted(), "0.4.0.1862.1.1");
    assert_eq!(wanted[1].says, Some(QcStatementInfo::Legislation("ZZ".to_owned())));
    assert_eq!(terms.qualifiers.as_ref().unwrap().lists[0].len(), 8);
}

fn list_pointer<'l>(list: &'l TrustedList, territory: &str) -> &'l Pointer {
    let pointers = &list.scheme.pointers;
    pointers.iter().find(|p| p.territory().is_some_and(|t| t.as_str() == territory)).unwrap()
}
