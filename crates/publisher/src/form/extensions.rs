//! Extensions as lines, what belongs together indented by two spaces:
//!
//! ```text
//! information en: http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/ForeSeals
//! expired-since 2026-01-01T00:00:00Z
//! qualifications
//!   for QCForESeal QCWithQSCD
//!     all: what it is about
//!       key-usage nonRepudiation=yes digitalSignature=no
//!       policy 0.4.0.194112.1.3
//!       at-least-one
//!         extended-key-usage 1.3.6.1.5.5.7.3.36
//!         subject-attribute 2.5.4.97
//! critical taken-over-by JP en: https://example.jp/takeover
//!   provider en: Example
//!   operator en: Example Operator
//! kept 5 SomethingElse
//! ```
//!
//! What nobody here can write is kept as it is, by its place.

use tenkoku_domain::time::Timestamp;
use tenkoku_tsl::model::{
    Assertion, CriteriaList, Criterion, Extension, ExtensionContent, Names, ObjectId,
    Qualification, TakenOverBy, Territory, Text, Uri, Usage, UsageBit,
};

use super::lines::{entry, form, names, of, show_entries};
use super::{Mistake, Read};

/// Where ETSI's own qualifiers are.
const QUALIFIERS: &str = "http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/";
/// How an object identifier is written as an address (XAdES, `OIDAsURN`).
const URN: &str = "urn:oid:";
const URN_QUALIFIER: &str = "OIDAsURN";

/// A line with those that are indented below it.
struct Node<'t> {
    text: &'t str,
    below: Vec<Node<'t>>,
}

fn depth(line: &str) -> usize {
    (line.len() - line.trim_start_matches(' ').len()) / 2
}

/// The lines from the first on that are at `level` or below.
fn tree<'t>(
    lines: &mut std::iter::Peekable<std::vec::IntoIter<&'t str>>,
    level: usize,
) -> Vec<Node<'t>> {
    let mut nodes = Vec::new();
    while let Some(line) = lines.next_if(|line| depth(line) >= level) {
        nodes.push(Node { text: line.trim(), below: tree(lines, level + 1) });
    }
    nodes
}

fn nodes(text: &str) -> Vec<Node<'_>> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    tree(&mut lines.into_iter().peekable(), 0)
}

/// Reads extensions; `known` are those that may be kept by their places.
pub(super) fn read_extensions(text: &str, known: &[Extension]) -> Read<Vec<Extension>> {
    nodes(text).iter().map(|node| extension(node, known)).collect()
}

fn extension(node: &Node<'_>, known: &[Extension]) -> Read<Extension> {
    let (critical, said) = match node.text.strip_prefix("critical ") {
        Some(said) => (true, said),
        None => (false, node.text),
    };
    let (word, rest) = said.split_once(' ').unwrap_or((said, ""));
    let wrong =
        || form(node.text, "information | expired-since | qualifications | taken-over-by | kept");
    let content = match word {
        "information" => information(rest)?,
        "expired-since" => {
            let since =
                Timestamp::parse(rest.trim()).ok_or_else(|| form(rest, "2026-01-01T00:00:00Z"))?;
            ExtensionContent::ExpiredCertsRevocationInfo(since)
        }
        "qualifications" => {
            let all = node.below.iter().map(qualification).collect::<Result<_, _>>()?;
            ExtensionContent::Qualifications(all)
        }
        "taken-over-by" => ExtensionContent::TakenOverBy(takeover(rest, node)?),
        "kept" => {
            let number = rest.split_whitespace().next().and_then(|number| number.parse().ok());
            let place = number.and_then(|number: usize| number.checked_sub(1));
            return place.and_then(|place| known.get(place)).cloned().ok_or_else(wrong);
        }
        _ => return Err(wrong()),
    };
    Ok(Extension { critical, content })
}

/// `en: https://… [value]`.
fn information(rest: &str) -> Read<ExtensionContent> {
    let (page, value) = match rest.split_once(" value ") {
        Some((page, value)) => (page, Some(Text::new(value.trim()).map_err(of)?)),
        None => (rest, None),
    };
    let page = entry(page, Uri::new)?;
    Ok(ExtensionContent::AdditionalServiceInformation { page, value, other: None })
}

fn takeover(rest: &str, node: &Node<'_>) -> Read<TakenOverBy> {
    let (territory, page) =
        rest.split_once(' ').ok_or_else(|| form(node.text, "taken-over-by JP en: https://…"))?;
    let said = |what: &str| -> Read<Names> {
        let lines = node.below.iter().filter_map(|below| below.text.strip_prefix(what));
        names(&lines.collect::<Vec<_>>().join("\n"))
    };
    Ok(TakenOverBy {
        page: entry(page, Uri::new)?,
        provider: said("provider ")?,
        operator: said("operator ")?,
        territory: Territory::new(territory).map_err(of)?,
        other: Vec::new(),
    })
}

fn qualification(node: &Node<'_>) -> Read<Qualification> {
    let wrong = || form(node.text, "for QCForESeal");
    let named = node.text.strip_prefix("for ").ok_or_else(wrong)?;
    let qualifiers = named
        .split_whitespace()
        .map(|name| {
            let uri =
                if name.contains(':') { name.to_owned() } else { format!("{QUALIFIERS}{name}") };
            Uri::new(&uri).map_err(of)
        })
        .collect::<Result<_, _>>()?;
    let [criteria] = node.below.as_slice() else { return Err(wrong()) };
    let criteria = criteria_list(criteria)?.ok_or_else(|| form(criteria.text, "all"))?;
    Ok(Qualification { qualifiers, criteria })
}

/// `all`, `at-least-one` or `none`, with what it is about; nothing for another word.
fn criteria_list(node: &Node<'_>) -> Read<Option<CriteriaList>> {
    let (word, description) = match node.text.split_once(':') {
        Some((word, description)) => (word, Some(description.trim().to_owned())),
        None => (node.text, None),
    };
    let assertion = match word {
        "all" => Assertion::All,
        "at-least-one" => Assertion::AtLeastOne,
        "none" => Assertion::None,
        _ => return Ok(None),
    };
    let criteria = node.below.iter().map(criterion).collect::<Result<_, _>>()?;
    Ok(Some(CriteriaList { assertion: Some(assertion), criteria, description }))
}

fn criterion(node: &Node<'_>) -> Read<Criterion> {
    if let Some(list) = criteria_list(node)? {
        return Ok(Criterion::List(list));
    }
    let (word, rest) = node.text.split_once(' ').unwrap_or((node.text, ""));
    let ids = || rest.split_whitespace().map(object_id).collect::<Vec<_>>();
    match word {
        "key-usage" => rest
            .split_whitespace()
            .map(usage_bit)
            .collect::<Result<_, _>>()
            .map(Criterion::KeyUsage),
        "policy" => Ok(Criterion::PolicySet(ids())),
        "extended-key-usage" => Ok(Criterion::ExtendedKeyUsage(ids())),
        "subject-attribute" => Ok(Criterion::SubjectAttributes(ids())),
        _ => Err(form(node.text, "key-usage | policy | extended-key-usage | subject-attribute")),
    }
}

fn usage_bit(word: &str) -> Read<UsageBit> {
    let wrong = || -> Mistake { form(word, "nonRepudiation=yes") };
    let (name, value) = word.split_once('=').ok_or_else(wrong)?;
    let value = match value {
        "yes" => true,
        "no" => false,
        _ => return Err(wrong()),
    };
    Ok(UsageBit { usage: Usage::from_name(name).ok_or_else(wrong)?, value })
}

fn object_id(dotted: &str) -> ObjectId {
    ObjectId {
        identifier: format!("{URN}{dotted}"),
        qualifier: Some(URN_QUALIFIER.to_owned()),
        description: None,
        references: None,
    }
}

/// Extensions as lines. What would not read back as it is, is kept by its place.
pub(super) fn show_extensions(extensions: &[Extension]) -> String {
    let shown = extensions.iter().enumerate().map(|(place, extension)| {
        let said = show(extension).filter(|said| {
            read_extensions(said, &[]).is_ok_and(|read| read.as_slice() == [extension.clone()])
        });
        said.unwrap_or_else(|| format!("kept {} {}\n", place + 1, kind(extension)))
    });
    shown.collect()
}

const fn kind(extension: &Extension) -> &'static str {
    match &extension.content {
        ExtensionContent::AdditionalServiceInformation { .. } => "AdditionalServiceInformation",
        ExtensionContent::ExpiredCertsRevocationInfo(_) => "ExpiredCertsRevocationInfo",
        ExtensionContent::Qualifications(_) => "Qualifications",
        ExtensionContent::TakenOverBy(_) => "TakenOverBy",
        ExtensionContent::Unknown(_) => "Extension",
    }
}

fn show(extension: &Extension) -> Option<String> {
    let said = match &extension.content {
        ExtensionContent::AdditionalServiceInformation { page, value, .. } => {
            let value = value.as_ref().map(|value| format!(" value {value}")).unwrap_or_default();
            format!("information {}: {}{value}\n", page.language, page.value)
        }
        ExtensionContent::ExpiredCertsRevocationInfo(since) => format!("expired-since {since}\n"),
        ExtensionContent::Qualifications(all) => {
            let all: String = all.iter().map(show_qualification).collect();
            format!("qualifications\n{all}")
        }
        ExtensionContent::TakenOverBy(takeover) => show_takeover(takeover),
        ExtensionContent::Unknown(_) => return None,
    };
    Some(if extension.critical { format!("critical {said}") } else { said })
}

fn show_takeover(takeover: &TakenOverBy) -> String {
    let said = |what: &str, names: &Names| {
        let indented = |line: &str| format!("  {what} {line}\n");
        show_entries(names.entries()).lines().map(indented).collect::<String>()
    };
    format!(
        "taken-over-by {} {}: {}\n{}{}",
        takeover.territory,
        takeover.page.language,
        takeover.page.value,
        said("provider", &takeover.provider),
        said("operator", &takeover.operator),
    )
}

fn show_qualification(one: &Qualification) -> String {
    let named = one
        .qualifiers
        .iter()
        .map(|uri| uri.as_str().strip_prefix(QUALIFIERS).unwrap_or(uri.as_str()).to_owned());
    let named = named.collect::<Vec<_>>().join(" ");
    format!("  for {named}\n{}", show_criteria(&one.criteria, 2))
}

fn show_criteria(list: &CriteriaList, level: usize) -> String {
    let indent = "  ".repeat(level);
    let word = match list.assertion {
        Some(Assertion::All) => "all",
        Some(Assertion::AtLeastOne) => "at-least-one",
        Some(Assertion::None) => "none",
        None => "",
    };
    let about = list.description.as_ref().map(|about| format!(": {about}")).unwrap_or_default();
    let criteria: String =
        list.criteria.iter().map(|criterion| show_criterion(criterion, level + 1)).collect();
    format!("{indent}{word}{about}\n{criteria}")
}

fn show_criterion(criterion: &Criterion, level: usize) -> String {
    let indent = "  ".repeat(level);
    let ids = |ids: &[ObjectId]| {
        ids.iter().map(|id| id.dotted().to_owned()).collect::<Vec<_>>().join(" ")
    };
    match criterion {
        Criterion::KeyUsage(bits) => {
            let bits = bits.iter().map(|bit| {
                format!("{}={}", bit.usage.as_str(), if bit.value { "yes" } else { "no" })
            });
            format!("{indent}key-usage {}\n", bits.collect::<Vec<_>>().join(" "))
        }
        Criterion::PolicySet(all) => format!("{indent}policy {}\n", ids(all)),
        Criterion::ExtendedKeyUsage(all) => format!("{indent}extended-key-usage {}\n", ids(all)),
        Criterion::SubjectAttributes(all) => format!("{indent}subject-attribute {}\n", ids(all)),
        Criterion::List(list) => show_criteria(list, level),
        // Do not read back, so the whole extension is kept as it is.
        Criterion::QcStatements(_) | Criterion::Unknown(_) => format!("{indent}unknown\n"),
    }
}
