//! What surrounds every page: who operates the site, the menu, where the reader is.
//!
//! Plain data for `templates/partials/layout_*.html`. Deliberately not here: words and rules.

use std::borrow::Borrow;

use actix_web::HttpRequest;
use askama::Template;
use askama::filters::HtmlSafe;
use tenkoku_domain::organisation::Language;
use tenkoku_domain::policy::Installation;

use crate::assets;
use crate::text::Words;

/// What every page says about the site. The server hands it to the application as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The operator's name in Latin script.
    pub operator_en: String,
    /// The operator's name as registered.
    pub operator_ja: String,
    /// Evaluation installations are marked on every page.
    pub installation: Installation,
    /// The language of readers who ask for none.
    pub language: Language,
    /// The base of the public addresses, without a trailing slash.
    pub address: String,
}

impl Default for Site {
    /// A site that nobody has configured: used where a page must be shown nevertheless.
    fn default() -> Self {
        Self {
            operator_en: "Tenkoku".to_owned(),
            operator_ja: "Tenkoku".to_owned(),
            installation: Installation::Evaluation,
            language: Language::Ja,
            address: String::new(),
        }
    }
}

impl Site {
    /// The operator's name in a language.
    pub fn operator(&self, words: Words) -> &str {
        match words.language() {
            Language::Ja => &self.operator_ja,
            Language::En => &self.operator_en,
        }
    }

    /// Whether this is an evaluation installation.
    pub fn is_evaluation(&self) -> bool {
        match self.installation {
            Installation::Evaluation => true,
            Installation::Production => false,
        }
    }
}

/// What surrounds a public page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicFrame {
    /// The title of the page, without the operator's name.
    pub title: String,
    /// The operator's name in the reader's language.
    pub operator: String,
    /// Whether the mark of a test environment is shown.
    pub evaluation: bool,
    /// Path and query of this page, for the language switch.
    pub here: String,
    /// Where the language switch lies: empty, or `/console`.
    pub base: &'static str,
    /// What stands before the paths of public pages: empty on the public site, its address elsewhere.
    pub site: String,
    /// Address of the stylesheet.
    pub style: &'static str,
    /// Address of the script.
    pub script: &'static str,
    /// Address of the mark in browser tabs.
    pub mark: &'static str,
}

impl PublicFrame {
    /// The frame of the page that a request asks for.
    pub fn new(site: &Site, words: Words, request: &HttpRequest, title: &str) -> Self {
        let uri = request.uri();
        let here = uri.path_and_query().map_or(uri.path(), |path| path.as_str());
        let base = if request.path().starts_with("/console") { "/console" } else { "" };
        Self {
            title: title.to_owned(),
            operator: site.operator(words).to_owned(),
            evaluation: site.is_evaluation(),
            here: here.to_owned(),
            base,
            site: if base.is_empty() { String::new() } else { site.address.clone() },
            style: assets::style(),
            script: assets::script(),
            mark: assets::mark(),
        }
    }

    /// Whether a menu item leads to this page or above it.
    pub fn is_at(&self, path: &str) -> bool {
        let at = self.here.split('?').next().unwrap_or_default();
        at == path || at.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'))
    }
}

/// One step of the way to a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crumb {
    /// Its name.
    pub label: String,
    /// Its address; `None` for the page itself.
    pub href: Option<String>,
}

impl Crumb {
    /// A page above.
    pub fn link(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: Some(href.into()) }
    }

    /// The page itself.
    pub fn here(label: impl Into<String>) -> Self {
        Self { label: label.into(), href: None }
    }
}

/// A group of the console's menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuGroup {
    /// Its heading; `None` for the first group.
    pub title: Option<String>,
    /// Its items.
    pub items: Vec<MenuItem>,
}

/// An item of the console's menu. Items that a person may not use are absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MenuItem {
    /// Its name.
    pub label: String,
    /// Its address.
    pub href: &'static str,
    /// Its icon; see `templates/partials/icon.html`.
    pub icon: &'static str,
    /// Whether it leads to this page or above it.
    pub current: bool,
    /// Work that waits for this person.
    pub waiting: Option<i64>,
}

/// The person who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Name.
    pub name: String,
    /// Role, in words.
    pub role: String,
}

impl Who {
    /// The first character of the name.
    pub fn initial(&self) -> String {
        self.name.chars().take(1).flat_map(char::to_uppercase).collect()
    }
}

/// What surrounds a page of the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminFrame {
    /// What it shares with public pages.
    pub page: PublicFrame,
    /// The person; `None` before signing in.
    pub who: Option<Who>,
    /// The menu; empty before signing in.
    pub menu: Vec<MenuGroup>,
    /// The way to this page.
    pub crumbs: Vec<Crumb>,
    /// The token that every form carries.
    pub csrf: String,
    /// What was searched for, to stand in the box again.
    pub search: String,
    /// Whether the page is for reading only.
    pub view_only: bool,
    /// Whether the page is a form with something to correct; its title says so.
    pub has_errors: bool,
}

/// What is wrong with one field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The `id` of the field.
    pub field: String,
    /// What is wrong and how to correct it.
    pub text: String,
}

/// What is wrong with the field of this `id`; `None` when nothing is.
pub fn error_of<'a>(errors: &'a [FieldError], id: &str) -> Option<&'a FieldError> {
    errors.iter().find(|error| error.field == id)
}

/// An icon in the colour of the text around it.
#[derive(Template)]
#[template(path = "partials/icon.html")]
pub struct Icon<'a> {
    name: &'a str,
}

impl HtmlSafe for Icon<'_> {}

/// The icon of a name; a name that is not drawn gives an empty square.
pub fn icon(name: &str) -> Icon<'_> {
    Icon { name }
}

/// The mark of a state: disc, triangle, octagon or ring, each with its own colour.
#[derive(Template)]
#[template(path = "partials/dot.html")]
pub struct Dot {
    tone: Tone,
}

impl HtmlSafe for Dot {}

/// The mark of a tone.
pub fn dot(tone: impl Borrow<Tone>) -> Dot {
    Dot { tone: *tone.borrow() }
}

/// How a state is shown. The word always stands beside the mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// All is well: green disc.
    Ok,
    /// Something is due: amber triangle.
    Warn,
    /// Something is wrong: red octagon.
    Bad,
    /// For information: no mark, blue.
    Info,
    /// Nothing to say: grey ring.
    Mute,
}

impl Tone {
    /// The end of the class name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
            Self::Info => "info",
            Self::Mute => "mute",
        }
    }
}

/// A state in words with its tone.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(path = "partials/chip.html")]
pub struct Chip {
    /// The tone.
    pub tone: Tone,
    /// The words.
    pub label: String,
}

impl HtmlSafe for Chip {}

impl Chip {
    /// A chip.
    pub fn new(tone: Tone, label: impl Into<String>) -> Self {
        Self { tone, label: label.into() }
    }
}
