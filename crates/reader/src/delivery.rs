//! Whether the public addresses of the installation's own lists serve what is in force: each is
//! fetched as anybody fetches it, and what comes is compared with what was signed (TS 119 612, 6.1).
//!
//! Nothing is mended here and nothing is trusted: what was found is noted for people.

use tenkoku_domain::access::{Permit, PublishList};
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::time::Timestamp;
use tenkoku_domain::trusted_list::PublishedList;
use tenkoku_domain::trusted_list::delivery::{Delivery, DeliveryFault, DeliveryProblem};
use tenkoku_fetch::{Document, Fetched, Validators, Web};
use tenkoku_ports::Env;
use tenkoku_store::StoreError;
use tenkoku_tsl::model::TrustedList;
use tenkoku_tsl::verify::verify;

use crate::beside;

/// The job that looks at the addresses.
pub const JOB: &str = "check-delivery";
/// The media type of a list (TS 119 612, 6.1).
const LIST_TYPE: &str = "application/vnd.etsi.tsl+xml";
/// Seconds after which an address is looked at again.
const LOOK_SECONDS: i64 = 3600;
/// Seconds after which an address at which something was wrong is looked at again.
const LOOK_AGAIN_SECONDS: i64 = 600;

/// A form in which a list is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The list.
    Xml,
    /// Its digest.
    Sha2,
    /// The same list in JSON.
    Json,
}

/// Where a list is to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub address: String,
    /// What is there.
    pub form: Form,
}

/// Every address of a live list: where this installation serves it, and the distribution points that
/// the list names, each with the digest beside it.
pub fn addresses(env: &Env, live: &PublishedList, list: &TrustedList) -> Vec<Address> {
    let own = env.settings.public_address.list(&live.scheme);
    let mut all: Vec<Address> = Vec::new();
    let mut add = |address: String, form| {
        if !all.iter().any(|known| known.address == address) {
            all.push(Address { address, form });
        }
    };
    let named = list.scheme.distribution_points.iter().map(ToString::to_string);
    for address in std::iter::once(own.clone()).chain(named) {
        let digest = beside::address(&address);
        add(address, Form::Xml);
        if let Some(digest) = digest {
            add(digest, Form::Sha2);
        }
    }
    if live.json.is_some() {
        let base = own.strip_suffix(".xml").unwrap_or(&own);
        add(format!("{base}.json"), Form::Json);
    }
    all
}

/// Which addresses are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that are due: of a list that was published since, or not looked at for an hour.
    Due,
    /// All of them.
    All,
}

/// Fetches the addresses of every list of this installation, and notes what they serve. Gives how many
/// were looked at, and with how many something is wrong.
///
/// # Errors
/// The store did not answer. An address that fails is noted and does not stop the others.
pub fn check_deliveries(
    env: &Env,
    _permit: &Permit<PublishList>,
    web: &Web,
    which: Which,
) -> Result<(usize, usize), StoreError> {
    let (mut looked, mut wrong) = (0, 0);
    for scheme in env.store.read(|tx| tx.list_schemes())? {
        let (live, known) = env.store.read(|tx| {
            Ok::<_, StoreError>((tx.latest_list(&scheme)?, tx.list_deliveries(&scheme)?))
        })?;
        let Some(live) = live else { continue };
        let former = env.store.read(|tx| tx.find_list(&scheme, live.sequence - 1))?;
        // What is kept and does not verify is told elsewhere; there is nothing to compare with.
        let Ok(verified) = verify(&live.xml) else { continue };
        for place in addresses(env, &live, verified.list()) {
            let now = env.clock.now();
            let before = known.iter().find(|known| known.address == place.address);
            if which == Which::Due && !before.is_none_or(|before| is_due(before, &live, now)) {
                continue;
            }
            let found = look(web, &place, (&live, former.as_ref()));
            let found = Delivery {
                address: place.address,
                scheme: scheme.clone(),
                live: live.sequence,
                sequence: found.sequence,
                etag: found.etag,
                checked_at: now,
                served_at: match &found.fault {
                    None => Some(now),
                    Some(_) => before.and_then(|before| before.served_at),
                },
                fault: found.fault,
            };
            looked += 1;
            wrong += usize::from(found.fault.is_some());
            env.store.write(|tx| tx.note_delivery(&found))?;
        }
    }
    Ok((looked, wrong))
}

fn is_due(before: &Delivery, live: &PublishedList, now: Timestamp) -> bool {
    let wait = if before.fault.is_some() { LOOK_AGAIN_SECONDS } else { LOOK_SECONDS };
    before.live != live.sequence || before.checked_at.plus_seconds(wait) <= now
}

/// What was found at an address.
struct Found {
    sequence: Option<i64>,
    etag: Option<String>,
    fault: Option<DeliveryFault>,
}

fn look(
    web: &Web,
    place: &Address,
    (live, former): (&PublishedList, Option<&PublishedList>),
) -> Found {
    let fault = |problem, detail: String| Some(DeliveryFault { problem, detail });
    let Document { octets, validators, media_type } =
        match web.fetch(&place.address, &Validators::default()) {
            Ok(Fetched::Document(document)) => document,
            Ok(Fetched::Unchanged) => {
                let detail = "the server says that nothing changed, and nothing was known";
                let fault = fault(DeliveryProblem::Unreachable, detail.to_owned());
                return Found { sequence: None, etag: None, fault };
            }
            Err(error) => {
                let fault = fault(DeliveryProblem::Unreachable, error.to_string());
                return Found { sequence: None, etag: None, fault };
            }
        };
    let is = |list: &PublishedList| match place.form {
        Form::Xml => Digest::of(&octets) == list.digest,
        Form::Sha2 => beside::read(&octets) == Some(list.digest),
        Form::Json => list.json.as_deref().is_some_and(|json| json.as_bytes() == octets),
    };
    let (sequence, fault) = if is(live) {
        let right = place.form != Form::Xml || media_type == LIST_TYPE;
        let other = || fault(DeliveryProblem::MediaType, media_type.clone());
        (Some(live.sequence), if right { None } else { other() })
    } else if let Some(former) = former.filter(|former| is(former)) {
        let detail = format!("sequence {}, {} is live", former.sequence, live.sequence);
        (Some(former.sequence), fault(DeliveryProblem::Former, detail))
    } else {
        let sequence = match place.form {
            Form::Xml => verify(&octets).ok().map(|found| found.list().scheme.sequence_number),
            Form::Sha2 | Form::Json => None,
        };
        let detail = format!("SHA-256 of what is served: {}", Digest::of(&octets));
        let sequence = sequence.and_then(|number| i64::try_from(number).ok());
        (sequence, fault(DeliveryProblem::Other, detail))
    };
    Found { sequence, etag: validators.etag, fault }
}
