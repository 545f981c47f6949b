//! Tests of the store as a whole: the contract, and what the folder gives away and survives.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::thread;

use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use tempfile::TempDir;
use tenkoku_domain::time::Timestamp;
use tenkoku_keys::contract;

use super::*;

const PASSPHRASE: &str = "correct horse battery staple";

/// Different octets for every identifier; nothing here needs more.
struct Fixed(u8);
impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

fn id(number: u8) -> KeyId {
    KeyId::new(Timestamp::EPOCH, &Fixed(number))
}

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("keys")
    }

    fn create(&self) -> SoftKeys {
        SoftKeys::create(&self.folder(), &PASSPHRASE.into(), &Fixed(1)).unwrap()
    }

    fn open(&self) -> SoftKeys {
        SoftKeys::open(&self.folder(), &PASSPHRASE.into()).unwrap()
    }

    fn file(&self, id: &KeyId) -> PathBuf {
        self.folder().join(file::name_of(id))
    }

    fn edit(&self, name: &str, edit: impl FnOnce(String) -> String) {
        let path = self.folder().join(name);
        let content = fs::read_to_string(&path).unwrap();
        fs::write(path, edit(content)).unwrap();
    }
}

/// A store opened anew does not know this key, and says so with these words.
fn check_damaged(home: &Home, id: &KeyId, words: &str) {
    match home.open().load_public(id) {
        Err(KeyError::Damaged { id: named, problem }) => {
            assert_eq!(named, *id);
            assert!(problem.contains(words), "{problem}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn software_keys_keep_the_contract() {
    contract::check(&Home::new().create()).unwrap();
}

#[test]
fn a_key_is_there_when_the_store_is_opened_again() {
    let home = Home::new();
    let made = home.create().generate(&id(1), KeyAlgorithm::P384).unwrap();
    let store = home.open();
    assert_eq!(store.load_public(&id(1)).unwrap(), made);
    assert_eq!(store.list().unwrap(), [id(1)]);
}

#[test]
fn only_the_passphrase_opens_the_store() {
    let home = Home::new();
    home.create();
    let refused = SoftKeys::open(&home.folder(), &"correct house".into()).unwrap_err();
    assert!(matches!(refused, KeyError::WrongPassphrase { .. }), "{refused}");
    assert!(!refused.to_string().contains("house"));
}

#[test]
fn an_empty_passphrase_is_refused() {
    let home = Home::new();
    let refused = SoftKeys::create(&home.folder(), &"".into(), &Fixed(1)).unwrap_err();
    assert!(matches!(refused, KeyError::EmptyPassphrase));
    assert!(!home.folder().exists());
    home.create();
    let refused = SoftKeys::open(&home.folder(), &"".into()).unwrap_err();
    assert!(matches!(refused, KeyError::EmptyPassphrase));
}

#[test]
fn where_there_is_no_store_none_opens_and_where_there_is_one_none_is_made() {
    let home = Home::new();
    let create = || SoftKeys::create(&home.folder(), &"another".into(), &Fixed(2)).unwrap_err();
    let refused = SoftKeys::open(&home.folder(), &PASSPHRASE.into()).unwrap_err();
    assert!(matches!(refused, KeyError::Absent { .. }), "{refused}");
    home.create().generate(&id(1), KeyAlgorithm::P256).unwrap();
    assert!(matches!(create(), KeyError::Occupied { .. }));
    home.open().load_public(&id(1)).unwrap();
    // Keys whose store file was lost are not buried under a new one either.
    fs::remove_file(home.folder().join(STORE)).unwrap();
    assert!(matches!(create(), KeyError::Occupied { .. }));
}

#[test]
fn nothing_in_the_folder_is_in_clear() {
    let home = Home::new();
    let store = home.create();
    store.generate(&id(1), KeyAlgorithm::P256).unwrap();
    let pkcs8 = store.load_pair(&id(1)).unwrap().to_pkcs8().unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8).unwrap();
    let scalar: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().unwrap();
    let secrets = [pkcs8.as_slice(), scalar.as_ref(), PASSPHRASE.as_bytes(), &[1; 32]];
    for name in store.folder.names().unwrap() {
        let content = fs::read(home.folder().join(&name)).unwrap();
        for secret in secrets {
            for shown in shapes(secret) {
                assert!(!content.windows(shown.len()).any(|part| part == shown), "{name}");
            }
        }
    }
}

/// A secret as it stands, as hexadecimal digits, and as base64 at each of three offsets.
fn shapes(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex = secret.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat();
    let mut shapes = vec![secret.to_vec(), hex.clone().into_bytes(), hex.to_uppercase().into()];
    shapes.extend((0..3).map(|skip| {
        let whole = (secret.len() - skip) / 3 * 3;
        String::from(octets::Octets(secret[skip..skip + whole].to_vec())).into_bytes()
    }));
    shapes
}

#[test]
fn what_is_printed_for_debugging_shows_the_place_only() {
    let home = Home::new();
    let store = home.create();
    store.generate(&id(1), KeyAlgorithm::P256).unwrap();
    store.load_public(&id(1)).unwrap();
    let place = home.folder();
    assert_eq!(format!("{store:?}"), format!("SoftKeys {{ folder: Folder({place:?}), .. }}"));
}

#[test]
fn files_and_folder_are_for_the_owner_only() {
    let home = Home::new();
    let store = home.create();
    store.generate(&id(1), KeyAlgorithm::P256).unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(home.folder()), 0o700);
    for name in store.folder.names().unwrap() {
        assert_eq!(mode(home.folder().join(name)), 0o600);
    }
}

#[test]
fn an_empty_folder_is_closed_to_others_and_one_in_use_is_left_alone() {
    let home = Home::new();
    fs::create_dir(home.folder()).unwrap();
    fs::set_permissions(home.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    let mode = || fs::metadata(home.folder()).unwrap().permissions().mode() & 0o777;
    fs::write(home.folder().join("letter.txt"), b"Dear Sir").unwrap();
    let refused = SoftKeys::create(&home.folder(), &PASSPHRASE.into(), &Fixed(1)).unwrap_err();
    assert!(matches!(refused, KeyError::Occupied { .. }), "{refused}");
    assert_eq!(mode(), 0o755);
    fs::remove_file(home.folder().join("letter.txt")).unwrap();
    home.create();
    assert_eq!(mode(), 0o700);
}

#[test]
fn swapped_files_are_refused() {
    let home = Home::new();
    let store = home.create();
    store.generate(&id(1), KeyAlgorithm::P256).unwrap();
    store.generate(&id(2), KeyAlgorithm::P256).unwrap();
    let aside = home.folder().join("aside");
    fs::rename(home.file(&id(1)), &aside).unwrap();
    fs::rename(home.file(&id(2)), home.file(&id(1))).unwrap();
    fs::rename(aside, home.file(&id(2))).unwrap();
    check_damaged(&home, &id(1), id(2).as_str());
    check_damaged(&home, &id(2), id(1).as_str());
}

#[test]
fn a_renamed_file_is_refused_even_when_the_name_inside_follows() {
    let home = Home::new();
    home.create().generate(&id(1), KeyAlgorithm::P256).unwrap();
    fs::rename(home.file(&id(1)), home.file(&id(2))).unwrap();
    check_damaged(&home, &id(2), id(1).as_str());
    home.edit(&file::name_of(&id(2)), |text| text.replace(id(1).as_str(), id(2).as_str()));
    check_damaged(&home, &id(2), "does not open");
}

#[test]
fn a_public_key_put_in_the_place_of_another_is_refused() {
    let home = Home::new();
    let store = home.create();
    let [mine, other] =
        [1, 2].map(|n| store.generate(&id(n), KeyAlgorithm::P256).unwrap().public_key);
    let text = |key: Vec<u8>| String::from(octets::Octets(key));
    home.edit(&file::name_of(&id(1)), |file| file.replace(&text(mine), &text(other)));
    check_damaged(&home, &id(1), "does not open");
}

#[test]
fn a_truncated_file_is_named_and_leaves_the_others_working() {
    let home = Home::new();
    let store = home.create();
    store.generate(&id(1), KeyAlgorithm::P256).unwrap();
    store.generate(&id(2), KeyAlgorithm::P256).unwrap();
    let whole = fs::read(home.file(&id(1))).unwrap();
    for length in [0, 1, whole.len() / 2, whole.len() - 3] {
        fs::write(home.file(&id(1)), &whole[..length]).unwrap();
        check_damaged(&home, &id(1), "not complete");
    }
    home.open().load_public(&id(2)).unwrap();
}

#[test]
fn a_file_of_another_kind_or_a_newer_version_is_called_that() {
    let home = Home::new();
    home.create().generate(&id(1), KeyAlgorithm::P256).unwrap();
    let name = file::name_of(&id(1));
    let newer = |text: String| text.replace("\"version\": 1", "\"version\": 2, \"more\": true");
    home.edit(&name, newer);
    check_damaged(&home, &id(1), "version 2, this program reads version 1");
    home.edit(&name, |text| text.replace("tenkoku-softkey", "another-key"));
    check_damaged(&home, &id(1), "another-key");
    home.edit(STORE, newer);
    let refused = SoftKeys::open(&home.folder(), &PASSPHRASE.into()).unwrap_err();
    assert!(matches!(refused, KeyError::Unreachable { .. }));
    assert!(refused.to_string().contains("version 2"), "{refused}");
}

#[test]
fn of_many_who_want_one_name_one_gets_it() {
    let home = Home::new();
    home.create();
    // Each has a store of its own, as processes would.
    let made = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| home.open().generate(&id(1), KeyAlgorithm::P256)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let (won, lost): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
    assert!(lost.iter().all(|lost| matches!(lost, Err(KeyError::Exists(_)))), "{lost:?}");
    let [Ok(won)] = won.as_slice() else { panic!("{won:?}") };
    assert_eq!(home.open().load_public(&id(1)).unwrap(), *won);
}

#[test]
fn a_key_destroyed_by_another_process_is_gone_here_too() {
    let home = Home::new();
    let here = home.create();
    here.generate(&id(1), KeyAlgorithm::P256).unwrap();
    here.load_public(&id(1)).unwrap();
    home.open().destroy(&id(1)).unwrap();
    assert!(matches!(here.load_public(&id(1)), Err(KeyError::NotFound(_))));
    assert!(here.list().unwrap().is_empty());
    let second = home.open().generate(&id(1), KeyAlgorithm::P256).unwrap();
    assert_eq!(here.load_public(&id(1)).unwrap(), second);
}

#[test]
fn a_power_cut_between_writing_and_renaming_leaves_no_half_key() {
    let home = Home::new();
    let store = home.create();
    store.generate(&id(1), KeyAlgorithm::P256).unwrap();
    let part = home.folder().join(format!(".{}.part", file::name_of(&id(1))));
    fs::rename(home.file(&id(1)), &part).unwrap();
    assert!(matches!(store.load_public(&id(1)), Err(KeyError::NotFound(_))));
    assert!(store.list().unwrap().is_empty());
    let store = home.open();
    assert!(!part.exists());
    store.generate(&id(1), KeyAlgorithm::P256).unwrap();
}

#[test]
fn a_power_cut_while_the_store_is_made_does_not_hinder_making_it() {
    let home = Home::new();
    fs::create_dir(home.folder()).unwrap();
    fs::write(home.folder().join(".store.json.part"), b"{").unwrap();
    home.create().generate(&id(1), KeyAlgorithm::P256).unwrap();
    assert_eq!(home.open().list().unwrap(), [id(1)]);
}

#[test]
fn some_keys_are_copied_sealed_and_no_others_stay() {
    let home = Home::new();
    let store = home.create();
    for number in 1..=3 {
        store.generate(&id(number), KeyAlgorithm::P256).unwrap();
    }
    let to = home.0.path().join("node");
    assert_eq!(store.copy_sealed(&[id(1), id(2)], &to).unwrap(), 2);
    assert_eq!(store.copy_sealed(&[id(2), id(3)], &to).unwrap(), 2);
    let copy = SoftKeys::open(&to, &PASSPHRASE.into()).unwrap();
    assert_eq!(copy.list().unwrap(), [id(2), id(3)]);
    assert_eq!(
        copy.load_public(&id(3)).unwrap().public_key,
        store.load_public(&id(3)).unwrap().public_key
    );
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o700);
    let unknown = store.copy_sealed(&[id(9)], &to).unwrap_err();
    assert!(matches!(unknown, KeyError::NotFound(_)), "{unknown}");
    assert_eq!(copy.list().unwrap().len(), 2);
    let other =
        SoftKeys::create(&home.0.path().join("other"), &PASSPHRASE.into(), &Fixed(2)).unwrap();
    let refused = other.copy_sealed(&[], &to).unwrap_err();
    assert!(matches!(refused, KeyError::Occupied { .. }), "{refused}");
}
