//! Measures trusted lists: reading real ones, looking a certificate up, making one of 500 services.
//!
//! `bench-lists [FOLDER]`; FOLDER holds lists, by default those of the folder beside the checkout.
//! Prints times, the best of several, and the peak memory; judges nothing but that every list reads.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement takes the time and tells people, and may stop at anything odd"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use tenkoku_tsl::algorithm::SignatureAlgorithm;
use tenkoku_tsl::index::Index;
use tenkoku_tsl::model::{Identity, Multilingual, TrustedList};
use tenkoku_tsl::rules::lint;
use tenkoku_tsl::sign::prepare;
use tenkoku_tsl::verify::verify;

use crate::sample::{OPERATOR, Role, SIGNED, Signer, at, text};

#[path = "../tests/lists/sample.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod sample;

/// Services among which a certificate is looked up.
const LISTED: usize = 3000;
/// Services of the list that is made.
const MADE: usize = 500;

fn main() {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/trust-list/lists");
    let folder = env::args().nth(1).map_or(beside, PathBuf::from);
    if folder.is_dir() {
        reading(&folder);
    } else {
        println!("no lists in {}: reading is not measured", folder.display());
    }
    let services = services();
    look_up(&services);
    make(&services);
}

/// The shortest of several runs: others share the machine.
fn best<T>(runs: usize, mut run: impl FnMut() -> T) -> Duration {
    let times = (0..runs).map(|_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    });
    times.min().unwrap_or_default()
}

/// A number of the process's status, in KiB.
fn memory(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

fn reading(folder: &Path) {
    let mut files: Vec<PathBuf> = ["eu-lotl", "national", "third-country"]
        .iter()
        .flat_map(|group| fs::read_dir(folder.join(group)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.to_string_lossy().contains("-v3-"))
        .collect();
    files.sort();
    let before = memory("VmHWM");
    let large = fs::read(folder.join("national/IT-sn194-v5-large.xml")).unwrap();
    let read = verify(&large).unwrap();
    let peak = memory("VmHWM").saturating_sub(before);
    println!(
        "verify and read the Italian list, {} KiB, {} services: {:.1?}; memory with the document {} KiB ({:.1} times)",
        large.len() / 1024,
        read.list().services().count(),
        best(15, || verify(&large)),
        peak,
        f64::from(u32::try_from(peak).unwrap()) * 1024.0
            / f64::from(u32::try_from(large.len()).unwrap()),
    );
    drop(read);
    let documents: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let bytes: usize = documents.iter().map(Vec::len).sum();
    let time = best(7, || {
        let lists = documents.iter().map(|document| verify(document).unwrap());
        lists.map(|list| list.list().services().count()).sum::<usize>()
    });
    println!("verify and read {} lists, {} KiB: {time:.1?}", documents.len(), bytes / 1024);
}

/// The sample's list with this many services, each with a key and a name of its own.
fn services() -> TrustedList {
    let mut list = sample::list();
    let model = list.providers[0].services[0].clone();
    list.providers[0].services = (0..LISTED)
        .map(|number| {
            let algorithm = SignatureAlgorithm::EcdsaP256Sha256;
            let name = format!("Example Seal CA {number}");
            let mut service = model.clone();
            service.identity =
                Identity::of(Signer::new(algorithm, Role::Authority, &name).certificate);
            service.name = Multilingual::english(text(&name));
            service
        })
        .collect();
    list
}

fn look_up(list: &TrustedList) {
    let wanted: Vec<_> = list
        .services()
        .step_by(30)
        .map(|(_, service)| service.identity.certificate().unwrap().clone())
        .collect();
    let index = Index::new(vec![list.clone()]);
    let now = at(SIGNED);
    let time = best(20, || {
        wanted.iter().map(|one| index.standing(one, now, |_| true)).for_each(|answer| {
            black_box(answer);
        });
    });
    let each = time / u32::try_from(wanted.len()).unwrap();
    println!("look a certificate up among {LISTED} services: {each:.1?}");
}

fn make(list: &TrustedList) {
    let mut list = list.clone();
    list.providers[0].services.truncate(MADE);
    let algorithm = SignatureAlgorithm::EcdsaP384Sha384;
    let signer = Signer::new(algorithm, Role::ListSigner, OPERATOR);
    let mut size = 0;
    let time = best(5, || {
        let linted = lint(list.clone()).unwrap();
        let prepared = prepare(linted, signer.certificate.clone(), algorithm, at(SIGNED)).unwrap();
        let value = signer.sign(prepared.to_be_signed());
        size = prepared.finish(&value).unwrap().len();
    });
    println!(
        "check, write, sign and verify a list of {MADE} services, {} KiB: {time:.1?}",
        size / 1024
    );
}
