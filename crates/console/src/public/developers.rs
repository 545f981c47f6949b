//! For developers: examples that can be copied, with the real addresses of this site.

use actix_web::HttpResponse;
use askama::Template;
use tenkoku_domain::authority::Authority;
use tenkoku_ports::Env;
use tenkoku_store::{StoreError, Tx};

use super::Reader;
use super::status::is_public;
use crate::layout::PublicFrame;
use crate::problem::Problem;
use crate::text::Words;

/// The addresses that the examples use.
pub(super) struct Addresses {
    pub(super) base: String,
    pub(super) root: String,
    pub(super) issuing: String,
    pub(super) ocsp: String,
    pub(super) crl: String,
    pub(super) list: String,
    pub(super) scheme: String,
}

/// How a discovery document is fetched and verified, step by step: fetch, take the signer's
/// certificate out, check its chain, check the signature.
const DISCOVERY: &str = "\
curl -fs -o discovery.json {base}/discovery/NTRJP-0000000000000.json
python3 - <<'VERIFY'
import base64, json
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
text = lambda s: base64.urlsafe_b64decode(s + '=' * (-len(s) % 4))
jws = json.load(open('discovery.json'))
chain = json.loads(text(jws['protected']))['x5c']
signer = x509.load_der_x509_certificate(base64.b64decode(chain[0]))
with open('signer.pem', 'wb') as f: f.write(signer.public_bytes(serialization.Encoding.PEM))
raw = text(jws['signature']); half = len(raw) // 2
der = utils.encode_dss_signature(*(int.from_bytes(n, 'big') for n in (raw[:half], raw[half:])))
signed = (jws['protected'] + '.' + jws['payload']).encode()
signer.public_key().verify(der, signed, ec.ECDSA(hashes.SHA256()))
print(json.dumps(json.loads(text(jws['payload'])), indent=1))
VERIFY
openssl verify -CAfile {root}.pem -untrusted {issuing}.pem signer.pem";

impl Addresses {
    /// The recipe with the addresses of this site.
    pub(super) fn discovery(&self) -> String {
        DISCOVERY
            .replace("{base}", &self.base)
            .replace("{root}", &self.root)
            .replace("{issuing}", &self.issuing)
    }
}

#[derive(Template)]
#[template(path = "public/developers.html")]
pub(super) struct DevelopersPage {
    pub(super) w: Words,
    pub(super) frame: PublicFrame,
    /// `None` until there is an issuing authority.
    pub(super) at: Option<Addresses>,
}

/// `GET /developers`
pub async fn show_developers(reader: Reader) -> Result<HttpResponse, Problem> {
    let at = reader.read(|tx, env, _| load(tx, env)).await?;
    let w = reader.words;
    reader.show(&DevelopersPage { w, frame: reader.frame(w.t("developers.title")), at })
}

fn load(tx: &mut Tx<'_>, env: &Env) -> Result<Option<Addresses>, StoreError> {
    let public: Vec<Authority> = tx.list_authorities()?.into_iter().filter(is_public).collect();
    let root = public.iter().find(|authority| authority.kind.level().is_none());
    let issuing = public.iter().find(|authority| authority.kind.level().is_some());
    let (Some(root), Some(issuing)) = (root, issuing) else { return Ok(None) };
    let address = &env.settings.public_address;
    let scheme = env.settings.scheme.code.clone();
    Ok(Some(Addresses {
        base: address.as_str().to_owned(),
        root: root.code.to_string(),
        issuing: issuing.code.to_string(),
        ocsp: address.ocsp(&issuing.code),
        crl: address.crl(&issuing.code),
        list: address.list(&scheme),
        scheme,
    }))
}
