//! The cookie that carries the secret of a session. Nothing else rests in it.

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite, time::Duration};
use tenkoku_domain::account::Session;

use super::Console;
use super::secret::Secret;

/// The name of the cookie.
pub const NAME: &str = "tenkoku_session";

/// The cookie that begins a session. It is never readable by script, never sent from other sites.
pub fn begin(console: &Console, secret: &Secret) -> Cookie<'static> {
    cookie(console, secret.expose().to_owned(), Duration::seconds(Session::LIFE_SECONDS))
}

/// The cookie that ends a session in the browser; the server has ended it already.
pub fn end(console: &Console) -> Cookie<'static> {
    cookie(console, String::new(), Duration::ZERO)
}

fn cookie(console: &Console, value: String, age: Duration) -> Cookie<'static> {
    Cookie::build(NAME, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(console.is_tls())
        .max_age(age)
        .finish()
}

/// The secret that a request carries.
pub fn of(request: &HttpRequest) -> Option<String> {
    request.cookie(NAME).map(|cookie| cookie.value().to_owned()).filter(|value| value.len() == 43)
}

#[cfg(test)]
mod tests {
    use tenkoku_domain::id::Entropy;
    use url::Url;

    use super::*;
    use crate::session::{Callers, ConsoleSettings};

    struct Fixed;
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(3);
        }
    }

    fn check(address: &str, expected: &str) {
        let console = Console::open(ConsoleSettings {
            address: Url::parse(address).unwrap(),
            secret_key: [1; 32],
            callers: Callers::Direct,
            tls: None,
        })
        .unwrap();
        let text = begin(&console, &Secret::random(&Fixed)).to_string();
        let (_, attributes) = text.split_once("; ").unwrap();
        assert_eq!(attributes, expected);
    }

    #[test]
    fn the_cookie_is_strict_and_marked_for_tls_where_there_is_tls() {
        check("http://localhost:8081", "HttpOnly; SameSite=Strict; Path=/; Max-Age=43200");
        check(
            "https://console.example.jp",
            "HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=43200",
        );
    }
}
