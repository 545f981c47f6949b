//! The canonicaliser against the stored cases; `tests/lists/interop.rs` asks `xmllint` too.

use std::fs;
use std::path::PathBuf;

use super::*;

/// A document and its two canonical forms.
struct Case {
    name: String,
    document: Vec<u8>,
    exclusive: Vec<u8>,
    inclusive: Vec<u8>,
}

fn cases() -> Vec<Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/tsl/c14n");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|kind| kind == "xml"))
        .map(|path| Case {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            document: fs::read(&path).unwrap(),
            exclusive: fs::read(path.with_extension("exc")).unwrap(),
            inclusive: fs::read(path.with_extension("inc")).unwrap(),
        })
        .collect()
}

fn check(document: &str, method: Method, extent: Extent, expected: &str) {
    let form = canonicalise(document.as_bytes(), method, extent).unwrap();
    assert_eq!(String::from_utf8(form).unwrap(), expected, "{document}");
}

#[test]
fn every_stored_case_has_its_canonical_forms() {
    let cases = cases();
    assert_eq!(cases.len(), 19);
    for Case { name, document, exclusive, inclusive } in cases {
        let extent = if name == "subtree" { Extent::Element("p1") } else { Extent::Document };
        for (method, expected) in [(Method::Exclusive, exclusive), (Method::Inclusive, inclusive)] {
            let form = canonicalise(&document, method, extent).unwrap();
            let shown = String::from_utf8_lossy(&form);
            assert_eq!(shown, String::from_utf8_lossy(&expected), "{name} {method:?}");
        }
    }
}

#[test]
fn a_subtree_takes_namespaces_and_xml_attributes_from_above_when_inclusive() {
    let document = r#"<r xmlns="urn:d" xmlns:a="urn:a" xml:lang="ja"><p xml:space="preserve" a:z="1" Id="x"><q xmlns=""/></p></r>"#;
    check(
        document,
        Method::Inclusive,
        Extent::Element("x"),
        r#"<p xmlns="urn:d" xmlns:a="urn:a" Id="x" xml:lang="ja" xml:space="preserve" a:z="1"><q xmlns=""></q></p>"#,
    );
    check(
        document,
        Method::Exclusive,
        Extent::Element("x"),
        r#"<p xmlns="urn:d" xmlns:a="urn:a" Id="x" xml:space="preserve" a:z="1"><q xmlns=""></q></p>"#,
    );
}

#[test]
fn the_enveloped_signature_is_left_out_and_the_text_around_it_stays() {
    let ds = r#"xmlns:ds="http://www.w3.org/2000/09/xmldsig#""#;
    check(
        &format!("<r> <a/> <ds:Signature {ds}><ds:Object><r/></ds:Object></ds:Signature> </r>"),
        Method::Exclusive,
        Extent::WithoutSignature,
        "<r> <a></a>  </r>",
    );
    check(
        &format!("<r><a><ds:Signature {ds}/></a></r>"),
        Method::Exclusive,
        Extent::WithoutSignature,
        &format!("<r><a><ds:Signature {ds}></ds:Signature></a></r>"),
    );
    let two = format!("<r><ds:Signature {ds}/><ds:Signature {ds}/></r>");
    assert!(canonicalise(two.as_bytes(), Method::Exclusive, Extent::WithoutSignature).is_err());
}

#[test]
fn an_id_that_no_element_carries_has_no_form() {
    check("<r/>", Method::Exclusive, Extent::Element("x"), "");
}
