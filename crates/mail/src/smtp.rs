//! Letters to a mail server: SMTP submission (RFC 6409) with STARTTLS or implicit TLS (RFC 8314).
//!
//! Without TLS only on the machine itself. A certificate that is not trusted for the server's name
//! ends the attempt before name, password or letter are told.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use lettre::Transport as _;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{
    Certificate, CertificateStore, Tls as Transport, TlsParameters,
};
use lettre::transport::smtp::{Error, SmtpTransport};
use secrecy::{ExposeSecret as _, SecretString};
use tenkoku_domain::notice::MailProblem;

use crate::{Letter, MailError, Mailer};

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// The connection begins in the clear and is protected before anything is told; a server that
    /// does not offer it gets nothing.
    StartTls,
    /// The connection is protected from its first octet.
    Implicit,
    /// None. Whoever makes the settings allows it for the machine itself only.
    None,
}

/// The name and password told to the server.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Name.
    pub user: String,
    /// Password.
    pub password: SecretString,
}

/// A mail server and how it is talked to.
#[derive(Clone, Debug)]
pub struct SmtpSettings {
    /// Its name or address; the certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// The certificates (PEM) that its certificate must come from; without them those of the
    /// public authorities that browsers trust.
    pub authorities: Option<Vec<u8>>,
    /// How to sign in, where the server wants that.
    pub sign_in: Option<SignIn>,
    /// How long any step may take.
    pub timeout: Duration,
}

/// A mail server.
pub struct Smtp {
    transport: SmtpTransport,
    name: String,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp").field("server", &self.name).finish_non_exhaustive()
    }
}

impl Smtp {
    /// Makes ready to talk to a server; does not connect.
    pub fn new(settings: SmtpSettings) -> Result<Self, MailError> {
        let parameters =
            || tls(&settings).map_err(|error| MailError::new(MailProblem::Tls, told(&error)));
        let transport = match settings.tls {
            Tls::StartTls => Transport::Required(parameters()?),
            Tls::Implicit => Transport::Wrapper(parameters()?),
            Tls::None => Transport::None,
        };
        let name = format!("{}:{}", settings.host, settings.port);
        let mut builder = SmtpTransport::builder_dangerous(settings.host)
            .port(settings.port)
            .tls(transport)
            .timeout(Some(settings.timeout));
        if let Some(SignIn { user, password }) = settings.sign_in {
            builder =
                builder.credentials(Credentials::new(user, password.expose_secret().to_owned()));
        }
        Ok(Self { transport: builder.build(), name })
    }
}

fn tls(settings: &SmtpSettings) -> Result<TlsParameters, Error> {
    let builder = TlsParameters::builder(settings.host.clone());
    match &settings.authorities {
        None => builder.certificate_store(CertificateStore::WebpkiRoots),
        Some(pem) => builder
            .certificate_store(CertificateStore::None)
            .add_root_certificate(Certificate::from_pem(pem)?),
    }
    .build_rustls()
}

impl Mailer for Smtp {
    fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let message = letter.message()?;
        self.transport.send(&message).map(drop).map_err(|error| self.failed(&error))
    }

    fn check(&self) -> Result<String, MailError> {
        match self.transport.test_connection() {
            Ok(true) => Ok(format!("{} takes letters", self.name)),
            Ok(false) => {
                Err(MailError::new(MailProblem::Unreachable, format!("{} hung up", self.name)))
            }
            Err(error) => Err(self.failed(&error)),
        }
    }
}

impl Smtp {
    fn failed(&self, error: &Error) -> MailError {
        MailError::new(problem(error), format!("{}: {}", self.name, told(error)))
    }
}

/// Replies with which a server refuses to be signed in to, or demands it (RFC 4954, 6).
const SIGN_IN: [u16; 4] = [530, 534, 535, 538];

fn problem(error: &Error) -> MailProblem {
    let said = told(error);
    match error.status().map(u16::from) {
        Some(code) if SIGN_IN.contains(&code) => MailProblem::SignIn,
        Some(_) if error.is_permanent() => MailProblem::Refused,
        Some(_) => MailProblem::Later,
        None if error.is_tls() || is_tls_trouble(error) || said.contains("STARTTLS") => {
            MailProblem::Tls
        }
        None if error.is_client() && said.contains("authentication") => MailProblem::SignIn,
        None => MailProblem::Unreachable,
    }
}

/// Trouble with TLS comes wrapped as invalid data of the network.
fn is_tls_trouble(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(inner) = cause {
        let io = inner.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData) {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// The whole chain of causes in one line.
fn told(error: &Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !said.contains(&more) {
            said = format!("{said}: {more}");
        }
        cause = inner.source();
    }
    said
}
