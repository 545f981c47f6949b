//! TLS of the console: certificate and key out of files, read again while it serves.
//!
//! A certificate of a person is asked for, never demanded, and taken as it comes: the handshake
//! proves that its key is there, and the console judges the rest, so that a page can say what is
//! wrong. Where certificates are asked for no connection resumes an earlier one: each shows the key.

use std::fs;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::verify_server_name;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature,
    verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme, version,
};
use tenkoku_console::session::tls::{Material, Tls};
use tenkoku_pki::path::Holder;
use zeroize::Zeroizing;

use crate::command::path::{CERTIFICATE, REVOCATION_LIST, several};
use crate::config::{Config, TlsPlace, TlsVersion};
use crate::failure::{Failure, exit};
use crate::wire;

/// The console's TLS, as the files say it.
#[derive(Debug)]
pub(crate) struct ConsoleTls {
    /// What the console is told.
    pub(crate) told: Arc<Tls>,
    key: RwLock<Arc<CertifiedKey>>,
}

impl ConsoleTls {
    /// Reads the files; `None` where the console speaks no TLS itself.
    pub(crate) fn load(config: &Config) -> Result<Option<Arc<Self>>, Failure> {
        let Some(place) = &config.tls else { return Ok(None) };
        let (key, material) = read(place, host(&config.console_address))?;
        let told = Arc::new(Tls::new(material));
        Ok(Some(Arc::new(Self { told, key: RwLock::new(Arc::new(key)) })))
    }

    /// Reads the files again. Where they do not fit, nothing changes. Connections go on.
    pub(crate) fn reload(&self, config: &Config) -> Result<(), Failure> {
        let Some(place) = &config.tls else { return Ok(()) };
        let (key, material) = read(place, host(&config.console_address))?;
        self.told.replace(material);
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
        Ok(())
    }

    /// How connections are taken.
    pub(crate) fn server_config(
        self: &Arc<Self>,
        place: &TlsPlace,
    ) -> Result<ServerConfig, Failure> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let versions: &[_] = match place.least {
            TlsVersion::V1_2 => &[&version::TLS13, &version::TLS12],
            TlsVersion::V1_3 => &[&version::TLS13],
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .map_err(Failure::internal)?;
        let own = Arc::<Self>::clone(self);
        let authorities = &self.told.material().authorities;
        if authorities.is_empty() {
            return Ok(builder.with_no_client_auth().with_cert_resolver(own));
        }
        let asked = Arc::new(AskForCertificate::new(&provider, authorities));
        let mut config = builder.with_client_cert_verifier(asked).with_cert_resolver(own);
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }
}

impl ResolvesServerCert for ConsoleTls {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.key.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The host of an address.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    match rest.strip_prefix('[').and_then(|v6| v6.split_once(']')) {
        Some((v6, _)) => v6,
        None => rest.split_once(':').map_or(rest, |(host, _)| host),
    }
}

fn unfit(file: &Path, problem: &str) -> Failure {
    let file = file.display().to_string();
    Failure::problem("tls-unfit", exit::REFUSED)
        .with("problem", problem)
        .with("file", &file)
        .at(file)
}

fn read(place: &TlsPlace, host: &str) -> Result<(CertifiedKey, Material), Failure> {
    let TlsPlace { certificate, key, client_authorities, client_lists, .. } = place;
    let chain = several(std::slice::from_ref(certificate), CERTIFICATE)?;
    let own = chain.first().ok_or_else(|| unfit(certificate, "tls-no-certificate"))?;
    let holder = Holder::read(own).ok_or_else(|| unfit(certificate, "tls-unreadable"))?;
    let not_after = holder.not_after;
    is_for(own, host).map_err(|problem| unfit(certificate, problem).with("host", host))?;
    let chain = chain.iter().map(|der| CertificateDer::from(der.clone())).collect();
    let certified = CertifiedKey::new(chain, signing_key(key)?);
    certified.keys_match().map_err(|_| unfit(key, "tls-other-key"))?;
    let authorities = several(client_authorities, CERTIFICATE)?;
    let unread = authorities.iter().any(|der| Holder::read(der).is_none());
    if let Some(file) = client_authorities.first().filter(|_| unread || authorities.is_empty()) {
        return Err(unfit(file, "tls-no-certificate"));
    }
    let lists = several(client_lists, REVOCATION_LIST)?;
    if let Some(file) = client_lists.first().filter(|_| lists.is_empty()) {
        return Err(unfit(file, "tls-no-list"));
    }
    Ok((certified, Material { not_after, authorities, lists }))
}

fn signing_key(file: &Path) -> Result<Arc<dyn rustls::sign::SigningKey>, Failure> {
    wire::private(file)?;
    let text = fs::read(file).map_err(|error| Failure::file(file.display(), &error))?;
    let text = Zeroizing::new(text);
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| unfit(file, "tls-no-key"))?;
    let loaded = aws_lc_rs::default_provider().key_provider.load_private_key(key);
    loaded.map_err(|_| unfit(file, "tls-key-kind"))
}

/// Whether a certificate names a host, as browsers look at it (RFC 9525).
fn is_for(der: &[u8], host: &str) -> Result<(), &'static str> {
    let der = CertificateDer::from(der);
    let parsed = ParsedCertificate::try_from(&der).map_err(|_| "tls-unreadable")?;
    let name = ServerName::try_from(host).map_err(|_| "tls-other-name")?;
    verify_server_name(&parsed, &name).map_err(|_| "tls-other-name")
}

/// Asks for a certificate of the authorities named, and takes whatever comes.
#[derive(Debug)]
struct AskForCertificate {
    algorithms: WebPkiSupportedAlgorithms,
    named: Vec<DistinguishedName>,
}

impl AskForCertificate {
    fn new(provider: &CryptoProvider, authorities: &[Vec<u8>]) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(
            authorities.iter().map(|der| CertificateDer::from(der.as_slice())),
        );
        Self { algorithms: provider.signature_verification_algorithms, named: roots.subjects() }
    }
}

impl ClientCertVerifier for AskForCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.named
    }

    fn verify_client_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_host_is_what_the_certificate_must_name() {
        for (address, expected) in [
            ("https://console.example.jp", "console.example.jp"),
            ("https://localhost:8081", "localhost"),
            ("https://192.0.2.1:8443", "192.0.2.1"),
            ("https://[2001:db8::1]:8443", "2001:db8::1"),
        ] {
            assert_eq!(host(address), expected);
        }
    }
}
