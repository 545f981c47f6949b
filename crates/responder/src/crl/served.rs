//! The present lists as they are served: in memory, looked after once a second, whatever happens to
//! the store or the keys meanwhile.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tenkoku_domain::audit::{CrlList, IssuedCrl};
use tenkoku_domain::authority::AuthorityCode;
use tenkoku_ports::Env;
use tenkoku_ports::settings::crl_file;

use super::{CrlError, Lists, load};

/// How long a list is served before the store is asked for a newer one.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// Lists kept in memory. A list more is read from the store each time.
const KEPT: usize = 4_096;

/// A list that is served.
#[derive(Debug)]
pub struct ServedCrl {
    /// What it is.
    pub head: IssuedCrl,
    /// The list, DER.
    pub der: Bytes,
    compressed: OnceLock<Bytes>,
}

impl ServedCrl {
    /// The list in gzip; made when it is first asked for.
    pub fn gzip(&self) -> Bytes {
        let compressed = self.compressed.get_or_init(|| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            // Writing into memory does not fail.
            let written = encoder.write_all(&self.der).and_then(|()| encoder.finish());
            written.unwrap_or_default().into()
        });
        compressed.clone()
    }
}

/// The lists that are served.
#[derive(Debug, Default)]
pub struct ServedCrls {
    kept: RwLock<HashMap<String, (Instant, Arc<ServedCrl>)>>,
}

impl ServedCrls {
    /// A list from memory, if it was looked after just now. Neither waits nor asks anybody.
    pub fn at_hand(&self, file: &str) -> Option<Arc<ServedCrl>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let (looked, crl) = kept.get(file)?;
        (looked.elapsed() < LOOK_AGAIN).then(|| Arc::clone(crl))
    }

    /// A list as it lies in the store. Where the store does not answer, the one that was served
    /// before is served on. The first of an authority is issued when it is asked for.
    #[expect(
        clippy::disallowed_methods,
        reason = "for how long a file is served without a look; no date"
    )]
    pub fn load(
        &self,
        env: &Env,
        code: &AuthorityCode,
        list: CrlList,
    ) -> Result<Arc<ServedCrl>, CrlError> {
        let file = crl_file(code, list);
        let before = {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            kept.get(&file).map(|(_, crl)| Arc::clone(crl))
        };
        match (read(env, code, list, before.as_ref()), before) {
            (Ok(crl), _) => {
                let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
                if kept.len() < KEPT || kept.contains_key(&file) {
                    kept.insert(file, (Instant::now(), Arc::clone(&crl)));
                }
                Ok(crl)
            }
            (Err(CrlError::Store(error)), Some(before)) => {
                tracing::error!(%file, %error, "the store does not answer; the list before is served");
                Ok(before)
            }
            (Err(error), _) => Err(error),
        }
    }
}

fn read(
    env: &Env,
    code: &AuthorityCode,
    list: CrlList,
    before: Option<&Arc<ServedCrl>>,
) -> Result<Arc<ServedCrl>, CrlError> {
    let authority = load(env, code)?;
    let exists = list == CrlList::Delta || authority.crl_shards.lists().contains(&list);
    let nothing = tenkoku_store::StoreError::NotFound { what: "crl" };
    if !exists {
        return Err(nothing.into());
    }
    let newest = || env.store.read(|tx| tx.latest_crl_of(&authority.id, list));
    let mut head = newest()?;
    if head.is_none() && list != CrlList::Delta {
        Lists::default().refresh(env, code, &mut |_, _, _| {})?;
        head = newest()?;
    }
    let head = head.ok_or(nothing)?;
    match before {
        Some(before) if before.head == head => Ok(Arc::clone(before)),
        _ => {
            let der = env.store.read(|tx| tx.load_crl(&head))?;
            let der = der.ok_or(tenkoku_store::StoreError::Busy)?.into();
            Ok(Arc::new(ServedCrl { head, der, compressed: OnceLock::new() }))
        }
    }
}

/// Reads the name of a file under `/crl/`: `CODE.crl`, `CODE.delta.crl`, `CODE-N.crl`. Which of two
/// it is, a shard or an authority whose code ends in a number, the caller knows.
pub fn read_file_name(file: &str) -> Vec<(AuthorityCode, CrlList)> {
    let Some(stem) = file.strip_suffix(".crl") else { return Vec::new() };
    let mut found = Vec::new();
    let mut add = |code: &str, list| {
        found.extend(AuthorityCode::parse(code).ok().map(|code| (code, list)));
    };
    if let Some(code) = stem.strip_suffix(".delta") {
        add(code, CrlList::Delta);
        return found;
    }
    add(stem, CrlList::Full);
    if let Some((code, number)) = stem.rsplit_once('-')
        && let Ok(number) = number.parse::<u32>()
        && stem == format!("{code}-{number}")
    {
        add(code, CrlList::Shard(number));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, expected: &[(&str, CrlList)]) {
        let found = read_file_name(file);
        let found: Vec<_> = found.iter().map(|(code, list)| (code.as_str(), *list)).collect();
        assert_eq!(found, expected, "{file}");
    }

    #[test]
    fn files_are_named_by_authority_and_list() {
        check("seal-l1-g1.crl", &[("seal-l1-g1", CrlList::Full)]);
        check("seal-l1-g1.delta.crl", &[("seal-l1-g1", CrlList::Delta)]);
        check(
            "seal-l1-g1-15.crl",
            &[("seal-l1-g1-15", CrlList::Full), ("seal-l1-g1", CrlList::Shard(15))],
        );
        check("seal-l1-g1-015.crl", &[("seal-l1-g1-015", CrlList::Full)]);
        check("seal-l1-g1.cer", &[]);
        check("Seal.crl", &[]);
    }
}
