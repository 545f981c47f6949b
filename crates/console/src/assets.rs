//! The stylesheet and the script, embedded, with a content hash in the address.
//!
//! Deliberately not here: anything fetched from another host.

use std::fmt::Write as _;
use std::future::{Ready, ready};
use std::sync::LazyLock;

use actix_web::http::{StatusCode, header};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::problem::Problem;

#[derive(RustEmbed)]
#[folder = "../../web"]
struct Web;

/// A file with the address under which it never changes.
struct Asset {
    /// `console.3f2a9c41.css`
    name: String,
    file: EmbeddedFile,
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let served = Web::iter().filter(|path| !path.starts_with("text/"));
    served.filter_map(|path| Web::get(&path).map(|file| Asset::new(&path, file))).collect()
});

impl Asset {
    fn new(path: &str, file: EmbeddedFile) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, end) = name.rsplit_once('.').unwrap_or((name, "bin"));
        let mut hash = String::new();
        for byte in file.metadata.sha256_hash().iter().take(8) {
            // Writing to a string cannot fail.
            let _ = write!(hash, "{byte:02x}");
        }
        Self { name: format!("{stem}.{hash}.{end}"), file }
    }

    fn is(&self, stem: &str, end: &str) -> bool {
        self.name.starts_with(&format!("{stem}.")) && self.name.ends_with(&format!(".{end}"))
    }
}

/// The address of an embedded file: `address_of("console", "css")`.
fn address_of(stem: &str, end: &str) -> String {
    let name = ASSETS.iter().find(|asset| asset.is(stem, end)).map_or("", |asset| &asset.name);
    format!("/assets/{name}")
}

/// The address of the stylesheet.
pub fn style() -> &'static str {
    static ADDRESS: LazyLock<String> = LazyLock::new(|| address_of("console", "css"));
    &ADDRESS
}

/// The address of the script.
pub fn script() -> &'static str {
    static ADDRESS: LazyLock<String> = LazyLock::new(|| address_of("console", "js"));
    &ADDRESS
}

/// The address of the mark shown in browser tabs.
pub fn mark() -> &'static str {
    static ADDRESS: LazyLock<String> = LazyLock::new(|| address_of("mark", "svg"));
    &ADDRESS
}

/// `GET /assets/{name}`: the file, to be kept for ever; a copy at hand is confirmed.
pub fn serve_asset(
    name: Path<String>,
    request: HttpRequest,
) -> Ready<Result<HttpResponse, Problem>> {
    ready(answer(&name, &request))
}

fn answer(name: &str, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or_else(Problem::not_found)?;
    let tag = format!("\"{}\"", asset.name);
    let held = request.headers().get(header::IF_NONE_MATCH).and_then(|held| held.to_str().ok());
    let same = held.is_some_and(|held| held.split(',').any(|one| one.trim() == tag));
    let body = if same { Vec::new() } else { asset.file.data.to_vec() };
    let status = if same { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    Ok(HttpResponse::build(status)
        .insert_header((header::ETAG, tag))
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .content_type(content_type(&asset.name))
        .body(body))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn length(stem: &str, end: &str) -> usize {
        let asset = ASSETS.iter().find(|asset| asset.is(stem, end)).unwrap();
        asset.file.data.len()
    }

    #[test]
    fn addresses_carry_the_hash_of_the_content() {
        for address in [style(), script(), mark()] {
            let parts: Vec<&str> = address.split('.').collect();
            assert_eq!((parts.len(), parts[1].len()), (3, 16), "{address}");
        }
    }

    #[test]
    fn the_script_stays_within_its_budget() {
        assert!(length("console", "js") <= 10_000);
        assert!(length("console", "css") <= 60_000);
    }

    #[actix_web::test]
    async fn a_held_copy_is_confirmed_and_a_wrong_name_is_not_found() {
        let name = style().trim_start_matches("/assets/").to_owned();
        let tag = format!("\"{name}\"");
        let check = async |name: String, held: &str, expected: u16| {
            let request = actix_web::test::TestRequest::get()
                .insert_header((header::IF_NONE_MATCH, held))
                .to_http_request();
            let answer = serve_asset(Path::from(name), request).await;
            let status = answer.map_or_else(|problem| problem.status(), |ok| ok.status());
            assert_eq!(status.as_u16(), expected);
        };
        check(name.clone(), "", 200).await;
        check(name, &tag, 304).await;
        check("console.css".to_owned(), "", 404).await;
    }
}
