//! Tests of the edge's one error.

use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, web};
use serde_json::Value;
use tenkoku_domain::organisation::Language;

use super::*;

const HOSTILE: &str = "<script>alert(1)</script>";

async fn refuse() -> Result<HttpResponse, Problem> {
    let refusal = Refusal::new(RefusalCode::KeyDuplicate, "KM-6").with("branch", HOSTILE);
    Err(Problem::from_refusal(&refusal))
}

async fn break_down() -> Result<HttpResponse, Problem> {
    Err(Problem::internal(&std::io::Error::other("the disk is full of secrets")))
}

/// Asks for a path and gives status, content type and body.
async fn ask(path: &str, accept: &str, language: &str) -> (u16, String, String) {
    let app = init_service(
        App::new()
            .app_data(Data::new(Site {
                address: "http://seal.example.jp".into(),
                ..Site::default()
            }))
            .wrap(from_fn(answer_problems))
            .route("/refuse", web::get().to(refuse))
            .route("/break", web::get().to(break_down))
            .service(web::resource("/only-post").route(web::post().to(refuse))),
    );
    let request = TestRequest::get()
        .uri(path)
        .insert_header((header::ACCEPT, accept))
        .insert_header((header::ACCEPT_LANGUAGE, language));
    let answer = call_service(&app.await, request.to_request()).await;
    let status = answer.status().as_u16();
    let kind = answer.headers().get(header::CONTENT_TYPE).unwrap().to_str().unwrap().to_owned();
    (status, kind, String::from_utf8(read_body(answer).await.to_vec()).unwrap())
}

#[actix_web::test]
async fn a_program_gets_a_problem_document() {
    let (status, kind, body) = ask("/refuse", "application/json", "en").await;
    assert_eq!((status, kind.as_str()), (409, "application/problem+json"));
    let document: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(document["type"], "http://seal.example.jp/errors/key-duplicate");
    assert_eq!(document["title"], "This key is already in use");
    assert_eq!(document["status"], 409);
    assert_eq!(document["code"], "key-duplicate");
    assert_eq!(document["instance"], "/refuse");
    assert_eq!(document["rule"], "KM-6");
    let detail = document["detail"].as_str().unwrap();
    assert_eq!(detail, format!("This key is already in use by the branch {HOSTILE}."));
}

#[actix_web::test]
async fn a_browser_gets_a_page_in_its_language_with_everything_escaped() {
    let (status, kind, body) = ask("/refuse", "text/html,*/*;q=0.8", "ja").await;
    assert_eq!((status, kind.as_str()), (409, "text/html; charset=utf-8"));
    assert!(body.contains("<html lang=\"ja\">"));
    assert!(body.contains("この鍵はすでに使われています"));
    assert!(!body.contains(HOSTILE));
    assert!(body.contains("試験環境"));
}

#[actix_web::test]
async fn the_cause_of_a_fault_stays_inside() {
    for accept in ["text/html", "application/json"] {
        let (status, _, body) = ask("/break", accept, "en").await;
        assert_eq!(status, 500);
        assert!(!body.contains("secrets"));
    }
}

#[actix_web::test]
async fn what_no_handler_answers_is_explained_too() {
    let check = async |path: &str, expected: (u16, &str)| {
        let (status, _, body) = ask(path, "*/*", "en").await;
        let document: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, document["code"].as_str().unwrap()), expected);
    };
    check("/nothing", (404, "not-found")).await;
    check("/only-post", (405, "method-not-allowed")).await;
}

#[test]
fn every_code_has_a_page_s_worth_of_words() {
    for code in RefusalCode::ALL {
        let problem = Problem::from_refusal(&Refusal::new(*code, "1"));
        for language in [Language::Ja, Language::En] {
            let told = problem.explanation(Words::of(language));
            assert!(![told.title, told.what, told.why, told.remedy].iter().any(String::is_empty));
        }
    }
}
