//! Requests that change something at most once: the header `Idempotency-Key`.
//!
//! The key is taken before the request is looked at, and kept with the answer for a day. A request
//! that was refused changed nothing, so its key may be used again. Where the program stopped in
//! between, nobody knows what became of the request, and the key stays taken.

use actix_web::HttpResponse;
use actix_web::body::{BoxBody, MessageBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::Next;
use actix_web::web::{self, Bytes, Data};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::id::UserId;
use tenkoku_ports::Env;
use tenkoku_store::{KnownAnswer, KnownRequest};

use super::door::Known;
use crate::granted::data;
use crate::problem::Problem;

/// The header that carries the key: 1 to 255 visible ASCII characters.
pub const KEY_HEADER: &str = "idempotency-key";
/// The header of an answer that was given before.
const REPLAYED: &str = "idempotency-replayed";

/// Longest key.
const KEY_MAX: usize = 255;

/// Marks an answer that is shown once and kept nowhere.
pub struct ShownOnce;

fn malformed() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "request-malformed")
        .with_field("", format!("{KEY_HEADER}: 1-{KEY_MAX} ASCII"))
}

/// Serves a changing request; one with a known key gets the answer that was given.
///
/// # Errors
/// Those of the inner service.
pub async fn serve(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    known: &Known,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(value) = request.headers().get(KEY_HEADER) else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let key = value.to_str().ok().filter(|key| {
        (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
    });
    let Some(key) = key.map(str::to_owned) else {
        return Ok(request.error_response(malformed()));
    };
    let body = match request.extract::<Bytes>().await {
        Ok(body) => body,
        Err(error) => return Ok(request.error_response(error)),
    };
    let head = format!("{} {}\n", request.method(), request.uri());
    let asked = Digest::of(&[head.as_bytes(), &body].concat());
    request.set_payload(Payload::from(body));
    let keeper = match Keeper::of(&request, known.account.id.clone(), key) {
        Ok(keeper) => keeper,
        Err(problem) => return Ok(request.error_response(problem)),
    };
    match keeper.begin(asked).await {
        Err(problem) => return Ok(request.error_response(problem)),
        Ok(Some(before)) => {
            return Ok(match replay(&before, &asked) {
                Ok(answer) => request.into_response(answer),
                Err(problem) => request.error_response(problem),
            });
        }
        Ok(None) => {}
    }
    let answer = next.call(request).await?.map_into_boxed_body();
    keeper.finish(answer).await
}

/// The answer that was given to the same request; another request under the key is refused.
fn replay(before: &KnownRequest, asked: &Digest) -> Result<HttpResponse, Problem> {
    if before.request != *asked {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-mismatch"));
    }
    let repeated = || Problem::new(StatusCode::CONFLICT, "request-repeated");
    let answer = before.answer.as_ref().ok_or_else(repeated)?;
    let (media_type, body) = answer.body.clone().ok_or_else(repeated)?;
    let status = StatusCode::from_u16(answer.status).map_err(|error| Problem::internal(&error))?;
    Ok(HttpResponse::build(status)
        .content_type(media_type)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((REPLAYED, "true"))
        .body(body))
}

/// Who keeps the answer, and under which key.
struct Keeper {
    env: Data<Env>,
    user: UserId,
    key: String,
}

impl Keeper {
    fn of(request: &ServiceRequest, user: UserId, key: String) -> Result<Self, Problem> {
        Ok(Self { env: data::<Env>(request.request())?, user, key })
    }

    async fn begin(&self, asked: Digest) -> Result<Option<KnownRequest>, Problem> {
        let (env, user, key) = (Data::clone(&self.env), self.user.clone(), self.key.clone());
        let begun = web::block(move || {
            let now = env.clock.now();
            env.store.write(|tx| tx.begin_request(&user, &key, &asked, now))
        });
        Ok(begun.await??)
    }

    async fn finish(
        self,
        answer: ServiceResponse<BoxBody>,
    ) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
        let Self { env, user, key } = self;
        let status = answer.status();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            return Ok(answer);
        }
        if !status.is_success() {
            let forgotten =
                web::block(move || env.store.write(|tx| tx.forget_request(&user, &key)));
            forgotten.await.map_err(Problem::from)?.map_err(Problem::from)?;
            return Ok(answer);
        }
        let (request, response) = answer.into_parts();
        let once = response.extensions().get::<ShownOnce>().is_some();
        let media_type = response.headers().get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = media_type.to_owned();
        let (head, body) = response.into_parts();
        let body = to_bytes(body).await.map_err(|_| {
            Problem::internal(&std::io::Error::other("an answer's body cannot be read"))
        })?;
        let kept = KnownAnswer {
            status: status.as_u16(),
            digest: Digest::of(&body),
            body: (!once).then(|| (media_type, body.to_vec())),
        };
        let stored =
            web::block(move || env.store.write(|tx| tx.finish_request(&user, &key, &kept)));
        stored.await.map_err(Problem::from)?.map_err(Problem::from)?;
        let response = head.set_body(BoxBody::new(body));
        Ok(ServiceResponse::new(request, response))
    }
}
