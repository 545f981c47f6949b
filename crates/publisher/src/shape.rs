//! Empty lists of the shapes that the standard knows, to begin a draft with: of a scheme of one's
//! own, as the European Union gives it, and a list of lists (TS 119 612, 5.3.3 and D.6).

use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::SchemeCode;
use tenkoku_ports::Env;
use tenkoku_tsl::model::{Entry, Language, Multilingual, Pages, Territory, Text, TrustedList, Uri};

use crate::compose::{ComposeError, compose};

/// The base of the addresses that ETSI registers.
const BASE: &str = "http://uri.etsi.org/TrstSvc/TrustedList";

/// A shape of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A list with types and statuses of the scheme's own.
    National(Territory),
    /// The list of a country as the European Union gives it.
    European(Territory),
    /// A list that points at lists.
    ListOfLists(Territory),
}

/// An empty list of a shape. Whoever begins with it says the rest.
pub(crate) fn shaped(
    env: &Env,
    scheme: &SchemeCode,
    shape: &Shape,
    now: Timestamp,
) -> Result<TrustedList, ComposeError> {
    let mut list = compose(env, &[], now)?;
    let (territory, kind, approach, rules) = match shape {
        Shape::National(territory) => {
            let approach = format!("{territory}determination");
            (territory, format!("{territory}list"), approach, vec![territory.to_string()])
        }
        Shape::European(territory) => (
            territory,
            "EUgeneric".to_owned(),
            "EUappropriate".to_owned(),
            vec!["EUcommon".to_owned(), territory.to_string()],
        ),
        Shape::ListOfLists(territory) => {
            let name = format!("{territory}listofthelists");
            // The European list of lists has its own names; others have those of their scheme.
            if territory.as_str() == "EU" {
                (territory, name.clone(), name.clone(), vec![name])
            } else {
                (territory, name, format!("{territory}determination"), vec![territory.to_string()])
            }
        }
    };
    let registered = |what: &str| Uri::new(&format!("{BASE}/{what}"));
    let english = |value| Entry { language: Language::english(), value };
    let about = &mut list.scheme;
    about.territory = territory.clone();
    about.list_type = registered(&format!("TSLType/{kind}"))?;
    about.status_determination = registered(&format!("StatusDetn/{approach}"))?;
    let rules: Vec<_> = rules
        .iter()
        .map(|rule| registered(&format!("schemerules/{rule}")))
        .collect::<Result<_, _>>()?;
    about.community_rules = Multilingual::new(rules.into_iter().map(english).collect())?;
    let page = Uri::new(&format!("{}/lists/{scheme}", env.settings.public_address.as_str()))?;
    about.information = Pages::english(page);
    about.distribution_points = vec![Uri::new(&env.settings.public_address.list(scheme.as_str()))?];
    // The name of a scheme begins with its territory (5.3.6).
    let former = env.settings.scheme.territory.as_str();
    let renamed = about.scheme_name.entries().iter().map(|entry| {
        let name = entry.value.as_str();
        let name =
            name.strip_prefix(former).and_then(|rest| rest.strip_prefix(':')).unwrap_or(name);
        let value = Text::new(&format!("{territory}:{name}"))?;
        Ok(Entry { language: entry.language.clone(), value })
    });
    about.scheme_name =
        Multilingual::new(renamed.collect::<Result<_, tenkoku_tsl::model::ModelError>>()?)?;
    Ok(list)
}
