//! The file that `tenkoku init` writes: every key commented with meaning, default and environment
//! name.

use tenkoku_domain::policy::Installation;

/// The identifier of the operator in the starter file. Nothing real is certified under it.
pub(crate) const SAMPLE_OPERATOR: &str = "NTRJP-7123456789012";

/// The section of known-key feeds.
const KEY_FEED: &str = r#"[key_feed]
# The name under which `tenkoku keyfeed export` tells other authorities which keys were met here, by
# fingerprint alone: a domain name of yours. Default: nothing is told.
# authority = "ca.example.jp"
"#;

/// What the starter file is filled with.
#[derive(Clone, Debug)]
pub(crate) struct Starter {
    /// Evaluation or production.
    pub(crate) kind: Installation,
    /// The policy arc.
    pub(crate) policy_arc: String,
    /// The database's URL.
    pub(crate) database_url: String,
    /// Addresses to listen on: public, console, operations.
    pub(crate) listen: [String; 3],
    /// The address that goes into certificates.
    pub(crate) public_address: String,
    /// Time servers.
    pub(crate) clock_servers: Vec<String>,
}

/// The section `[mail]`; nothing in it is in force.
const MAIL: &str = r#"[mail]
# How letters leave: "smtp", "files" (.eml files in the folder below; nobody is written to) or "off"
# (letters wait). Environment: TENKOKU_MAIL_VIA. Default: "files" for an evaluation, "off" for
# production.
# via = "smtp"
# "files": the folder, in the data folder. Default: "mail".
# folder = "mail"
# The sender, who also gets the answers. Default: the operator's email above.
# from = "eseal@example.jp"
# "smtp": the mail server, by the name in its certificate. Environment: TENKOKU_MAIL_HOST.
# host = "mail.example.jp"
# "starttls" (port 587), "implicit" (port 465), or "none" (port 25; to this machine only).
# Default: "starttls".
# tls = "starttls"
# port = 587
# The name to sign in with, where the server wants one, and the file with the password.
# Environment: TENKOKU_MAIL_PASSWORD_FILE, or TENKOKU_MAIL_PASSWORD itself.
# user = "eseal"
# password_file = "mail-password"
# The authorities (PEM) of the server's certificate, where it comes from none that browsers trust.
# ca_file = "mail-ca.pem"
# How long the server may take for each step. Default: 30.
# timeout_seconds = 30

"#;

/// The section `[tls]`; nothing in it is in force.
const TLS: &str = r#"[tls]
# TLS of the console: its certificate with those between it and its authority, its own first, and its
# key, which nobody else may read (PEM). With them the console speaks TLS and nothing else, and its
# address begins with https. Read again on SIGHUP. Environment: TENKOKU_TLS_CERTIFICATE_FILE,
# TENKOKU_TLS_KEY_FILE. Default: plain HTTP, on this machine or to a proxy of yours.
# certificate_file = "console.pem"
# key_file = "console.key"
# The oldest version that is spoken: "1.2" or "1.3". Default: "1.2".
# least = "1.3"
# Authorities of certificates on cards or tokens that people may sign in with (PEM), and their
# revocation lists. Lists of authorities of this installation are known anyway. With a list of any,
# a certificate without a current list is not taken. Default: no certificate is asked for.
# client_ca_files = ["people-ca.pem"]
# client_crl_files = ["people-ca.crl"]

"#;

/// The section `[reader]`; nothing in it is in force.
const READER: &str = r#"[reader]
# Whether the trusted lists of others are looked at every hour; which ones is decided with `tenkoku
# trustlist source add`. With it the installation is ready only when it believes a list.
# Default: false.
# follow = true
# Hosts that may be fetched from although their address is not public, in an evaluation only.
# allow_hosts = ["127.0.0.1"]
# The authorities (PEM) of servers' certificates, where they are not those that browsers trust.
# ca_file = "lists-ca.pem"
# How long a document may take. Default: 30.
# timeout_seconds = 30

"#;

/// The text of the starter file.
#[expect(clippy::too_many_lines, reason = "one file, in one piece")]
pub(crate) fn starter_text(starter: &Starter) -> String {
    let Starter { kind, policy_arc, database_url, listen, public_address, clock_servers } = starter;
    let [public, console, operations] = listen;
    format!(
        r#"# Tenkoku: the configuration of this installation.
# `tenkoku config check` explains it in sentences; an unknown key is an error.

[installation]
# "evaluation": to try it out; marked everywhere, cannot be promoted. "production": for real.
kind = "{kind}"
# The operator's own arc for policy identifiers, below 1.3.6.1.4.1. The arc 1.3.6.1.4.1.32473 is
# for documentation; a production installation refuses it.
policy_arc = "{policy_arc}"

[database]
# SQLite in a file of the data folder, or PostgreSQL: "postgres://tenkoku@db.example/tenkoku".
# Environment: TENKOKU_DATABASE_URL. Default: "sqlite:tenkoku.db".
url = "{database_url}"

[listen]
# Public pages, OCSP, CRLs, lists. Environment: TENKOKU_LISTEN_PUBLIC.
public = "{public}"
# The console. Environment: TENKOKU_LISTEN_CONSOLE.
console = "{console}"
# Health and metrics. Environment: TENKOKU_LISTEN_OPERATIONS.
operations = "{operations}"

[public]
# The base of every address in certificates and lists; plain http. Certificates keep the address
# they were issued with, so choose it once.
address = "{public_address}"

[console]
# The console's address as browsers see it: "https://console.example.jp" behind a proxy with TLS.
# Default: http://localhost and the port that the console listens on.
# address = "https://console.example.jp"
# Whether a proxy of yours stands in front and writes X-Forwarded-For. Default: false.
# behind_proxy = true

{TLS}[clock]
# Time servers (NTP) that the clock is compared with: "ntp.nict.jp", or "10.0.0.1:123". While the
# clock is off or was not compared, nothing is issued; revocation and status answers go on. A
# production installation needs one. Environment: TENKOKU_CLOCK_SERVERS, several with commas.
servers = {clock_servers:?}

[status]
# What is said of a serial number that was never issued: "unauthorized", or "revoked" with the
# extended-revoke extension. Default: "unauthorized".
# unissued = "unauthorized"
# Memory for answers that are kept, in MiB; one takes about 1.2 KB. Default: 256.
# cache_mib = 256
# Answers signed for one request alone (those with a nonce) in a second: in all, and for one
# address. Past that an answer without the nonce is given. Defaults: 5000 and 500.
# live_per_second = 5000
# live_per_address = 500
# How long answers go on when the database cannot be read, in seconds; then "try later". Default: 300.
# freshness_seconds = 300
# Signatures that may wait for a slow key store at once. Default: 64.
# waiting_signatures = 64
# The keys of new OCSP signers: "P-256", "P-384", "RSA-2048", "RSA-3072"; an authority with an ML-DSA
# key has signers with such keys. Default: "P-256".
# signer_key = "P-256"
# Nodes that answer beside this one (serve --role status), HOST:PORT of their public listeners: after
# a revocation the console asks each of them. Default: none.
# nodes = ["10.0.0.11:8080", "10.0.0.12:8080"]

[limits]
# What one address may take of the public listener: connections at once, and OCSP requests in a second.
# An IPv6 address counts with its whole /64. Defaults: 256 and 2000.
# connections = 256
# requests_per_second = 2000
# Addresses that are not limited: your own proxies, which limit in front. Default: this machine.
# exempt = ["127.0.0.1", "::1"]

[keys]
# Where keys live: "files" (to try things out, and level 1) or "pkcs11" (a key device, HSM).
# Environment: TENKOKU_KEYS_STORE. Default: "files".
store = "files"
# "files": the folder of the software key store, in the data folder.
folder = "keys"
# The file with its passphrase. Sign-in to the console hangs on it too, whatever the key store.
# Environment: TENKOKU_PASSPHRASE_FILE, or TENKOKU_PASSPHRASE itself.
passphrase_file = "passphrase"
# "pkcs11": the maker's module, a shared library. Environment: TENKOKU_HSM_MODULE.
# module = "/usr/lib/softhsm/libsofthsm2.so"
# The token by its label, or by its serial number. Environment: TENKOKU_HSM_TOKEN (the label).
# token = "tenkoku"
# serial = "2d7f1c0a9e3b4f65"
# The file with its PIN. Environment: TENKOKU_HSM_PIN_FILE, or TENKOKU_HSM_PIN itself.
# pin_file = "pin"
# Signatures made at once, at most. Default: 4.
# sessions = 4

{KEY_FEED}
[operator]
# Who operates the authorities: the legal name in English, as registered, and in Latin letters.
name = "Sample Trust Services"
name_ja = "見本認証局"
name_latn = "Mihon Ninshokyoku"
identifier = "{SAMPLE_OPERATOR}"
country = "JP"
street = "1-1 Mihoncho"
locality = "Chiyoda-ku, Tokyo"
postal_code = "100-0000"
email = "info@tenkoku.example"
website = "https://tenkoku.example/"
# Language of pages where the visitor shows no preference: "ja" or "en".
language = "ja"

[scheme]
# The scheme whose trusted list is published at /tl/CODE.xml.
code = "jp-2021"
territory = "JP"
name_en = "Sample e-seal scheme"
name_ja = "見本eシール制度"
name_latn = "Mihon e-shiiru seido"

{MAIL}{READER}[log]
# "auto" (text on a terminal, JSON otherwise), "text" or "json".
format = "auto"
# error, warn, info, debug, trace. Environment: TENKOKU_LOG_LEVEL.
level = "info"
"#
    )
}
