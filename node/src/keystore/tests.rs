//! Each promise of the keystore, and each field changed.

use super::*;
use sincronia_protocol::codec;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

struct Place {
    _directory: tempfile::TempDir,
    path: PathBuf,
    key_file: PathBuf,
}

fn place() -> Place {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keystore.cbor");
    let key_file = directory.path().join("key");
    Place { _directory: directory, path, key_file }
}

/// Whoever started the node waited for ever.
#[test]
fn a_pipe_in_the_place_of_the_keystore_is_no_keystore() {
    let place = place();
    let made = std::process::Command::new("mkfifo").arg(&place.path).status().unwrap();
    assert!(made.success());
    let refused = open(&place.path, &words("parola"));
    assert!(matches!(refused, Err(KeystoreError::Io { .. })));
}

fn words(text: &str) -> Unlock {
    Unlock::Passphrase(Zeroizing::new(text.into()))
}

fn secrets() -> Secrets {
    Secrets {
        node: [1; 32],
        sealing: [2; 32],
        storage: [3; 32],
        root: Some([4; 32]),
        former: Vec::new(),
    }
}

fn change(path: &Path, change: impl FnOnce(&mut Sealed)) {
    let mut sealed: Sealed = codec::decode(&std::fs::read(path).unwrap()).unwrap();
    change(&mut sealed);
    sealed.checksum = sealed.sum();
    std::fs::write(path, codec::encode(&sealed)).unwrap();
}

#[test]
fn the_passphrase_opens_it_and_another_does_not() {
    let Place { path, key_file, _directory } = place();
    create(&path, &secrets(), &words("giusta"), Strength::Light).unwrap();
    let opened = open(&path, &words("giusta")).unwrap();
    assert_eq!((opened.storage, opened.root), ([3; 32], Some([4; 32])));
    assert!(matches!(open(&path, &words("sbagliata")), Err(KeystoreError::Wrong)));
    assert!(matches!(open(&path, &words("giusta ")), Err(KeystoreError::Wrong)));
    create_key_file(&key_file).unwrap();
    let error = open(&path, &Unlock::KeyFile(key_file)).unwrap_err();
    assert!(matches!(error, KeystoreError::NeedsPassphrase(_)));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn neither_keystore_nor_key_file_is_ever_replaced_by_creating() {
    let Place { path, key_file, _directory } = place();
    create_key_file(&key_file).unwrap();
    let before = std::fs::read(&key_file).unwrap();
    assert!(matches!(create_key_file(&key_file), Err(KeystoreError::Exists(_))));
    assert_eq!(std::fs::read(&key_file).unwrap(), before);
    let unlock = Unlock::KeyFile(key_file);
    create(&path, &secrets(), &unlock, Strength::Light).unwrap();
    let again = create(&path, &secrets(), &unlock, Strength::Light);
    assert!(matches!(again, Err(KeystoreError::Exists(_))));
}

#[test]
fn the_root_entropy_can_be_removed_and_the_passphrase_changed() {
    let Place { path, key_file, _directory } = place();
    create_key_file(&key_file).unwrap();
    create(&path, &secrets(), &Unlock::KeyFile(key_file.clone()), Strength::Light).unwrap();
    let mut opened = open(&path, &Unlock::KeyFile(key_file.clone())).unwrap();
    opened.root = None;
    replace(&path, &opened, &words("nuova"), Strength::Light).unwrap();
    let opened = open(&path, &words("nuova")).unwrap();
    assert_eq!((opened.node, opened.root), ([1; 32], None));
    let error = open(&path, &Unlock::KeyFile(key_file)).unwrap_err();
    assert!(matches!(error, KeystoreError::NeedsPassphrase(_)));
}

#[test]
fn threat_34_parameters_below_the_floor_are_refused_before_any_work() {
    let Place { path, _directory, .. } = place();
    create(&path, &secrets(), &words("giusta"), Strength::Light).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let weak: [fn(&mut u32, &mut u32); 3] = [
        |memory, _| *memory = 8,
        |memory, _| *memory = MEMORY_KIB_MIN - 1,
        |_, passes| *passes = 2,
    ];
    for weaken in weak {
        std::fs::write(&path, &whole).unwrap();
        change(&path, |sealed| {
            let Derivation::Argon2id { memory_kib, passes, .. } = &mut sealed.derivation else {
                panic!("argon2")
            };
            weaken(memory_kib, passes);
        });
        assert!(matches!(open(&path, &words("giusta")), Err(KeystoreError::Weak(_))));
    }
}

#[test]
fn parameters_that_would_exhaust_the_machine_are_refused_before_any_work() {
    let Place { path, _directory, .. } = place();
    create(&path, &secrets(), &words("giusta"), Strength::Light).unwrap();
    change(&path, |sealed| {
        let Derivation::Argon2id { memory_kib, .. } = &mut sealed.derivation else { panic!() };
        *memory_kib = u32::MAX;
    });
    assert!(matches!(open(&path, &words("giusta")), Err(KeystoreError::Damaged(_))));
}

#[test]
fn threat_34_every_field_is_authenticated_even_when_the_checksum_is_corrected() {
    let Place { path, _directory, .. } = place();
    create(&path, &secrets(), &words("giusta"), Strength::Light).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let changes: [fn(&mut Sealed); 7] = [
        |sealed| argon(sealed, |memory, _, _, _| *memory += 1024),
        |sealed| argon(sealed, |_, passes, _, _| *passes += 1),
        |sealed| argon(sealed, |_, _, lanes, _| *lanes -= 1),
        |sealed| argon(sealed, |_, _, _, salt| salt[0] ^= 1),
        |sealed| sealed.nonce[0] ^= 1,
        |sealed| sealed.ciphertext[0] ^= 1,
        |sealed| sealed.ciphertext.truncate(100),
    ];
    for (number, tamper) in changes.into_iter().enumerate() {
        std::fs::write(&path, &whole).unwrap();
        change(&path, tamper);
        let error = open(&path, &words("giusta")).unwrap_err();
        assert!(matches!(error, KeystoreError::Wrong), "change {number}: {error}");
    }
}

fn argon(sealed: &mut Sealed, change: fn(&mut u32, &mut u32, &mut u32, &mut [u8; 32])) {
    let Derivation::Argon2id { memory_kib, passes, lanes, salt } = &mut sealed.derivation else {
        panic!("argon2")
    };
    change(memory_kib, passes, lanes, salt);
}

#[test]
fn the_way_of_derivation_is_associated_data() {
    let Place { path, key_file, _directory } = place();
    create_key_file(&key_file).unwrap();
    let unlock = Unlock::KeyFile(key_file);
    create(&path, &secrets(), &unlock, Strength::Light).unwrap();
    let sealed: Sealed = codec::decode(&std::fs::read(&path).unwrap()).unwrap();
    let salt = [0; 32];
    let other = Derivation::Argon2id { memory_kib: MEMORY_KIB_MIN, passes: 3, lanes: 4, salt };
    assert_ne!(associated_data(&sealed.derivation), associated_data(&other));
}

#[test]
fn any_changed_or_missing_byte_is_called_damage_and_not_a_wrong_passphrase() {
    let Place { path, key_file, _directory } = place();
    create_key_file(&key_file).unwrap();
    let unlock = Unlock::KeyFile(key_file);
    create(&path, &secrets(), &unlock, Strength::Light).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for position in 0..bytes.len() {
        let mut tampered = bytes.clone();
        tampered[position] ^= 1;
        std::fs::write(&path, tampered).unwrap();
        let error = open(&path, &unlock).unwrap_err();
        assert!(matches!(error, KeystoreError::Damaged(_)), "byte {position}: {error}");
        std::fs::write(&path, &bytes[..position]).unwrap();
        let error = open(&path, &unlock).unwrap_err();
        assert!(matches!(error, KeystoreError::Damaged(_)), "cut at {position}: {error}");
    }
}

#[test]
fn a_key_file_that_others_can_read_or_of_another_size_is_refused() {
    let Place { path, key_file, _directory } = place();
    create_key_file(&key_file).unwrap();
    let unlock = Unlock::KeyFile(key_file.clone());
    create(&path, &secrets(), &unlock, Strength::Light).unwrap();
    std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(open(&path, &unlock), Err(KeystoreError::KeyFile(_))));
    std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(open(&path, &unlock).is_ok());
    std::fs::write(&key_file, [0; 33]).unwrap();
    assert!(matches!(open(&path, &unlock), Err(KeystoreError::KeyFile(_))));
}

#[test]
fn a_missing_a_damaged_and_a_newer_file_are_told_apart() {
    let Place { path, _directory, .. } = place();
    assert!(matches!(open(&path, &words("x")), Err(KeystoreError::Missing(_))));
    std::fs::write(&path, b"rubbish").unwrap();
    assert!(matches!(open(&path, &words("x")), Err(KeystoreError::Damaged(_))));
    std::fs::write(&path, codec::encode(&("sincronia keystore", 300_u64, 1_u8))).unwrap();
    assert!(matches!(open(&path, &words("x")), Err(KeystoreError::Newer(_))));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(open(&path, &words("x")), Err(KeystoreError::Io { .. })));
}

#[test]
fn the_standard_strength_opens_too() {
    let Place { path, _directory, .. } = place();
    create(&path, &secrets(), &words("giusta"), Strength::Standard).unwrap();
    assert_eq!(open(&path, &words("giusta")).unwrap().node, [1; 32]);
}

/// What a file of version 1 is: this program, and those after it, must open it.
#[test]
fn a_file_of_version_one_opens_for_ever() {
    let Place { path, key_file, _directory } = place();
    std::fs::write(&key_file, [7; 32]).unwrap();
    std::fs::set_permissions(&key_file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let aad = associated_data(&Derivation::KeyFile);
    let payload = Payload { msg: &[9; 96], aad: &aad };
    let cipher = XChaCha20Poly1305::new((&[7; 32]).into());
    let ciphertext = cipher.encrypt(&XNonce::from([5; 24]), payload).unwrap();
    let bytes = codec::encode(&Sealed::new(Derivation::KeyFile, [5; 24], ciphertext));
    let digest = blake3::hash(&bytes).to_hex();
    assert_eq!(digest.as_str(), "8483fc0bd143189e9d6bbf7cbbfb93331510ed1e302dd8141d35d62e7b233ab8");
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(open(&path, &Unlock::KeyFile(key_file)).unwrap().storage, [9; 32]);
}
