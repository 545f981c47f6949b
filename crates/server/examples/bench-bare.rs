//! The measure of what a web server costs: actix-web with one answer of fixed octets, as long as an
//! OCSP answer with its signer, and the headers of one. `bench-bare PORT`; run by
//! `scripts/bench-ocsp`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "whoever measures waits for the word that it serves")]

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, LAST_MODIFIED};
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};

/// As long as an answer by a delegated signer on P-256.
static BODY: [u8; 1024] = [0x30; 1024];

async fn answer(_request: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/ocsp-response"))
        .insert_header((CACHE_CONTROL, "max-age=300, public, no-transform, must-revalidate"))
        .insert_header((EXPIRES, "Sun, 22 Nov 2026 18:15:00 GMT"))
        .insert_header((LAST_MODIFIED, "Sun, 22 Nov 2026 18:10:00 GMT"))
        .insert_header((
            ETAG,
            "\"0000000000000000000000000000000000000000000000000000000000000000\"",
        ))
        .body(Bytes::from_static(&BODY))
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(0);
    let server = HttpServer::new(|| App::new().default_service(web::to(answer)));
    let server = server.workers(2).bind(("127.0.0.1", port))?;
    println!("serving on {port}");
    server.run().await
}
