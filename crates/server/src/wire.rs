//! Wires the parts together: configuration, store, keys, clock, entropy.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;
use tenkoku_domain::access::{Origin, Principal};
use tenkoku_domain::id::{Entropy, RequestId};
use tenkoku_domain::time::Clock as _;
use tenkoku_fetch::{Allowed, Web, WebSettings};
use tenkoku_keys::KeyStore;
use tenkoku_mail::{Folder, Mailer, NotSetUp, SignIn, Smtp, SmtpSettings};
use tenkoku_pkcs11::TokenKeys;
use tenkoku_ports::Env;
use tenkoku_softkeys::{SoftKeys, ThrowawayKeys};
use tenkoku_store::{SchemaState, Store};

use crate::clock::WallClock;
use crate::command::path::{CERTIFICATE, several};
use crate::config::{Config, KeyPlace, Mail, ReaderConfig, Secret, TokenPlace, Way};
use crate::entropy::SystemEntropy;
use crate::failure::{Failure, exit};
use crate::nodes::Nodes;

/// The name of this node's audit chain.
const NODE: &str = "node-1";

/// Opens the store and makes sure that it is of this program's version. No new file is made.
pub(crate) fn store(config: &Config) -> Result<Store, Failure> {
    let empty = || Failure::problem("database-empty", exit::REFUSED);
    if config.database_url.strip_prefix("sqlite:").is_some_and(|file| !Path::new(file).exists()) {
        return Err(empty());
    }
    let store = open(config)?;
    match store.schema_state()? {
        SchemaState::Current => Ok(store),
        SchemaState::Empty => Err(empty()),
        SchemaState::Older { pending } => {
            let failure = Failure::from(tenkoku_store::StoreError::NotMigrated);
            Err(failure.with("pending", pending))
        }
        SchemaState::Newer { found, known } => {
            Err(tenkoku_store::StoreError::Newer { found, known }.into())
        }
    }
}

/// Opens the store as it is, whatever its version.
pub(crate) fn open(config: &Config) -> Result<Store, Failure> {
    Ok(Store::open(&config.database_url, NODE)?)
}

/// Opens everything that a use case may reach.
pub(crate) fn env(config: &Config) -> Result<Env, Failure> {
    let store = store(config)?;
    with_store(config, store)
}

/// Puts the opened store together with the rest.
pub(crate) fn with_store(config: &Config, store: Store) -> Result<Env, Failure> {
    Ok(Env {
        store,
        keys: key_store(config)?,
        clock: Arc::new(WallClock),
        entropy: Arc::new(SystemEntropy),
        settings: Arc::new(config.settings.clone()),
        nodes: Arc::new(Nodes::new(config.nodes.clone())),
    })
}

/// The key store. Files are opened now; a token is reached when it is first needed, so that what
/// needs no key works while the device is away.
fn key_store(config: &Config) -> Result<Arc<dyn KeyStore>, Failure> {
    match &config.keys {
        KeyPlace::Files(folder) => Ok(Arc::new(SoftKeys::open(folder, &passphrase(config)?)?)),
        KeyPlace::Token(place) => Ok(Arc::new(token_keys(place)?)),
    }
}

/// The key store in a token.
pub(crate) fn token_keys(place: &TokenPlace) -> Result<TokenKeys, Failure> {
    let pin = secret(&place.pin, "hsm-pin-missing")?;
    Ok(TokenKeys::open(&place.settings, pin, Box::new(ThrowawayKeys))?)
}

/// The way letters take.
pub(crate) fn mailer(mail: &Mail) -> Result<Arc<dyn Mailer>, Failure> {
    let server = match &mail.way {
        Way::Off => return Ok(Arc::new(NotSetUp)),
        Way::Files(folder) => return Ok(Arc::new(Folder::at(folder.clone()))),
        Way::Smtp(server) => server,
    };
    let authorities = server
        .ca_file
        .as_ref()
        .map(|file| fs::read(file).map_err(|error| Failure::file(file.display(), &error)));
    let sign_in = server.sign_in.as_ref().map(|(user, password)| {
        let password = secret(password, "mail-password-missing")?;
        Ok::<_, Failure>(SignIn { user: user.clone(), password })
    });
    let settings = SmtpSettings {
        host: server.host.clone(),
        port: server.port,
        tls: server.tls,
        authorities: authorities.transpose()?,
        sign_in: sign_in.transpose()?,
        timeout: server.timeout,
    };
    Ok(Arc::new(Smtp::new(settings).map_err(Failure::from)?))
}

/// The ways into the web.
#[derive(Debug)]
pub(crate) struct Webs {
    /// To the lists of others.
    pub(crate) others: Web,
    /// To the installation's own public addresses, whose host may lie inside.
    pub(crate) own: Web,
}

/// Both ways into the web.
pub(crate) fn webs(config: &Config) -> Result<Webs, Failure> {
    let own = config.settings.public_address.host();
    let allowed = config.reader.allowed.clone().and(own);
    Ok(Webs { others: web(&config.reader)?, own: web_with(&config.reader, allowed)? })
}

/// The web, as the lists of others are fetched from it.
pub(crate) fn web(reader: &ReaderConfig) -> Result<Web, Failure> {
    web_with(reader, reader.allowed.clone())
}

fn web_with(reader: &ReaderConfig, allowed: Allowed) -> Result<Web, Failure> {
    let roots = reader.ca_file.as_ref();
    let roots = roots.map(|file| several(std::slice::from_ref(file), CERTIFICATE));
    Ok(Web::new(WebSettings {
        allowed,
        roots: roots.transpose()?,
        user_agent: format!("tenkoku/{}", env!("CARGO_PKG_VERSION")),
        limits: reader.limits,
    }))
}

/// The passphrase of the installation.
pub(crate) fn passphrase(config: &Config) -> Result<SecretString, Failure> {
    secret(&config.passphrase, "passphrase-missing")
}

/// A passphrase in a file of its own.
pub(crate) fn passphrase_in(file: &Path) -> Result<SecretString, Failure> {
    private(file)?;
    let text = fs::read_to_string(file).map_err(|error| Failure::file(file.display(), &error))?;
    Ok(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Reads a secret. A file that others can read is refused.
pub(crate) fn secret(secret: &Secret, missing: &str) -> Result<SecretString, Failure> {
    let file = &secret.file;
    private(file)?;
    let found = secret.read().map_err(|error| Failure::file(file.display(), &error))?;
    found.ok_or_else(|| Failure::problem(missing, exit::REFUSED).at(file.display()))
}

/// A file with a secret must not be readable by everybody, nor writable by others than its owner.
/// Reading by the group is left to whoever set it: service managers hand out secrets in this way.
pub(crate) fn private(file: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    match fs::metadata(file) {
        Ok(found) if found.permissions().mode() & 0o037 != 0 => {
            Err(Failure::problem("key-store-exposed", exit::REFUSED).with("path", file.display()))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A 32-octet secret of the installation for one purpose, stretched from the passphrase with
/// argon2id: it lies nowhere, and every node of the installation finds the same.
pub(crate) fn derived_secret(
    passphrase: &SecretString,
    purpose: &str,
) -> Result<[u8; 32], Failure> {
    use secrecy::ExposeSecret as _;
    let mut secret = [0; 32];
    argon2::Argon2::default()
        .hash_password_into(
            passphrase.expose_secret().as_bytes(),
            format!("tenkoku {purpose} v1").as_bytes(),
            &mut secret,
        )
        .map_err(Failure::internal)?;
    Ok(secret)
}

/// The operator at this machine's command line.
pub(crate) fn shell() -> Principal {
    Principal::system("shell", RequestId::new(WallClock.now(), &SystemEntropy))
}

/// Who and from where, for records outside a use case.
pub(crate) fn shell_origin() -> Origin {
    shell().origin()
}

/// A random text of 43 characters: 256 bits, base64url.
pub(crate) fn random_secret() -> String {
    use base64::Engine as _;
    let mut bytes = [0; 32];
    SystemEntropy.fill(&mut bytes);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
