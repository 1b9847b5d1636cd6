//! Key files: what we write OpenSSL opens, what OpenSSL writes we open, and each wrong file has its own refusal.
//!
//! Runs the `openssl` program (3.0 or later) and fails without it: the promise is about that program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use zyz::clock::{SeededEntropy, SystemEntropy};
use zyz::keystore::{
    DataKeys, KeyError, KeyFolder, KeyName, Passphrase, PassphraseError, Role, create_key, open_key, write_key,
};
use zyz_credential::PublicKey;

const PASSPHRASE: &str = "正确的 马 电池 订书钉";

#[test]
fn openssl_opens_ours() {
    let home = Home::new();
    let key = create_key(&home.path("ours.pem"), &home.passphrase, &SystemEntropy).unwrap();

    let public = home.openssl(&["pkey", "-in", "ours.pem", "-passin", "file:pass", "-pubout", "-outform", "DER"]);
    assert_eq!(public[public.len() - 32..], key.verifying_key().to_bytes());

    // 48 bytes: version 1, which OpenSSL 3.0 requires.
    let args = ["pkcs8", "-topk8", "-nocrypt", "-in", "ours.pem", "-passin", "file:pass", "-outform", "DER"];
    let plain = home.openssl(&args);
    assert_eq!(plain.len(), 48);
    assert_eq!(plain[..16], hex::decode("302e020100300506032b657004220420").unwrap());

    let parameters = text(home.openssl(&["asn1parse", "-in", "ours.pem"]));
    assert!(parameters.contains("scrypt") && parameters.contains("aes-256-cbc"), "{parameters}");
}

#[test]
fn openssl_signs_with_ours_and_we_verify() {
    let home = Home::new();
    let key = create_key(&home.path("ours.pem"), &home.passphrase, &SystemEntropy).unwrap();
    fs::write(home.path("message"), "志愿").unwrap();
    let key_args = ["-inkey", "ours.pem", "-passin", "file:pass", "-in", "message"];
    let signature = home.openssl(&[&["pkeyutl", "-sign", "-rawin"], &key_args[..]].concat());
    PublicKey::of(&key).verify("志愿".as_bytes(), &signature).unwrap();
}

#[test]
fn we_open_openssl_genpkey() {
    let home = Home::new();
    home.genpkey("theirs.pem", &["-algorithm", "ed25519", "-aes-256-cbc"]);
    let key = open_key(&home.path("theirs.pem"), &home.passphrase).unwrap();
    let public = home.openssl(&["pkey", "-in", "theirs.pem", "-passin", "file:pass", "-pubout", "-outform", "DER"]);
    assert_eq!(public[public.len() - 32..], key.verifying_key().to_bytes());
}

#[test]
fn we_open_openssl_scrypt_and_other_aes() {
    let home = Home::new();
    home.openssl(&["genpkey", "-algorithm", "ed25519", "-out", "plain.pem"]);
    let seal = ["pkcs8", "-topk8", "-in", "plain.pem", "-passout", "file:pass", "-out"];
    home.openssl(&[&seal[..], &["scrypt.pem", "-scrypt", "-v2", "aes-256-cbc"]].concat());
    home.openssl(&[&seal[..], &["aes128.pem", "-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA256"]].concat());
    home.openssl(&[&seal[..], &["rounds.pem", "-v2", "aes-256-cbc", "-iter", "600000"]].concat());
    let keys = ["scrypt.pem", "aes128.pem", "rounds.pem"].map(|name| {
        private(&home.path(name));
        open_key(&home.path(name), &home.passphrase).unwrap().to_bytes()
    });
    assert_eq!(keys[0], keys[1]);
    assert_eq!(keys[0], keys[2]);
}

#[test]
fn a_folder_holds_everything_under_its_names() {
    let home = Home::new();
    let folder = KeyFolder::create(home.path("keys")).unwrap();
    let entropy = SeededEntropy::new(7);
    let root = folder.create_signing_key(Role::Root, &home.passphrase, &entropy).unwrap();
    let issuing = folder.create_signing_key(Role::Issuing, &home.passphrase, &entropy).unwrap();
    let bundle = folder.create_signing_key(Role::Bundle, &home.passphrase, &entropy).unwrap();
    let data = folder.create_data_keys(&home.passphrase, &entropy).unwrap();
    folder.write_root_public(&root.public).unwrap();

    let mut names: Vec<String> =
        fs::read_dir(folder.folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let (issuing_id, bundle_id) = (issuing.public.key_id(), bundle.public.key_id());
    let (issuing_name, bundle_name) = (format!("issuing-{issuing_id}.pem"), format!("bundle-{bundle_id}.pem"));
    assert_eq!(names, [bundle_name.as_str(), "data.pem", issuing_name.as_str(), "root.pem", "root.pub"]);
    assert_eq!(issuing_id.to_string().len(), 8);

    let public = fs::read_to_string(folder.root_public_path()).unwrap();
    assert_eq!(public, format!("{}\n", hex::encode(root.public.as_bytes())));
    assert_eq!(folder.root_public().unwrap(), root.public);

    let wanted = [KeyName::Data, KeyName::Issuing(issuing_id), KeyName::Bundle(bundle_id)];
    let ring = folder.unlock(&wanted, &home.passphrase).unwrap();
    assert_eq!(ring.issuing(issuing_id).unwrap().to_bytes(), issuing.key.to_bytes());
    assert_eq!(ring.bundle(bundle_id).unwrap().to_bytes(), bundle.key.to_bytes());
    assert!(ring.root().is_none() && ring.issuing(bundle_id).is_none());
    let opened = ring.data().unwrap();
    assert_eq!(opened.column_key(), data.column_key());
    assert_eq!(opened.blind_index_key(), data.blind_index_key());
    assert_ne!(data.column_key(), data.blind_index_key());
}

#[test]
fn the_root_may_be_elsewhere() {
    let home = Home::new();
    let stick = home.path("stick.pem");
    let folder = KeyFolder::create(home.path("keys")).unwrap().with_root(&stick);
    let root = folder.create_signing_key(Role::Root, &home.passphrase, &SystemEntropy).unwrap();
    assert_eq!(root.path, stick);
    assert!(folder.contains(KeyName::Root) && !folder.folder().join("root.pem").exists());
    assert!(folder.unlock(&[KeyName::Root], &home.passphrase).unwrap().root().is_some());
}

#[test]
fn data_keys_are_no_signature_key() {
    let home = Home::new();
    let folder = KeyFolder::create(home.path("keys")).unwrap();
    folder.create_data_keys(&home.passphrase, &SystemEntropy).unwrap();
    let path = folder.path(KeyName::Data);
    let error = open_key(&path, &home.passphrase).unwrap_err();
    assert!(matches!(&error, KeyError::WrongAlgorithm { found, .. } if found.contains("data.pem")), "{error}");
    let output = home.run(&["pkey", "-in", "keys/data.pem", "-passin", "file:pass"]);
    assert!(!output.status.success());

    create_key(&home.path("signing.pem"), &home.passphrase, &SystemEntropy).unwrap();
    fs::rename(home.path("signing.pem"), &path).unwrap();
    let error = folder.open_data_keys(&home.passphrase).unwrap_err();
    assert!(matches!(&error, KeyError::WrongAlgorithm { found, .. } if found == "Ed25519"), "{error}");
}

#[test]
fn never_overwritten() {
    let home = Home::new();
    let path = home.path("key.pem");
    create_key(&path, &home.passphrase, &SystemEntropy).unwrap();
    let before = fs::read(&path).unwrap();
    let error = create_key(&path, &home.passphrase, &SystemEntropy).unwrap_err();
    assert!(matches!(error, KeyError::AlreadyExists { .. }));
    assert!(error.to_string().contains("从不覆盖"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn no_folder_leaves_nothing() {
    let home = Home::new();
    let path = home.path("missing/key.pem");
    let error = create_key(&path, &home.passphrase, &SystemEntropy).unwrap_err();
    assert!(matches!(error, KeyError::Io { action: "创建", .. }), "{error}");
    assert!(!path.exists());
}

#[test]
fn each_file_has_its_own_salt() {
    let home = Home::new();
    let key = create_key(&home.path("a.pem"), &home.passphrase, &SystemEntropy).unwrap();
    write_key(&home.path("b.pem"), &key, &home.passphrase, &SystemEntropy).unwrap();
    assert_ne!(fs::read(home.path("a.pem")).unwrap(), fs::read(home.path("b.pem")).unwrap());
    assert_eq!(open_key(&home.path("b.pem"), &home.passphrase).unwrap().to_bytes(), key.to_bytes());
}

#[cfg(unix)]
#[test]
fn created_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let folder = KeyFolder::create(home.path("keys")).unwrap();
    let root = folder.create_signing_key(Role::Root, &home.passphrase, &SystemEntropy).unwrap();
    folder.create_data_keys(&home.passphrase, &SystemEntropy).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&root.path), 0o600);
    assert_eq!(mode(&folder.path(KeyName::Data)), 0o600);
    assert_eq!(mode(folder.folder()), 0o700);
}

#[cfg(unix)]
#[test]
fn refuses_a_file_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let path = home.path("key.pem");
    create_key(&path, &home.passphrase, &SystemEntropy).unwrap();
    for mode in [0o640, 0o604, 0o660] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = open_key(&path, &home.passphrase).unwrap_err();
        assert!(matches!(error, KeyError::TooOpen { mode: found, .. } if found == mode), "{error}");
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    open_key(&path, &home.passphrase).unwrap();
}

#[test]
fn refuses_a_missing_file_and_names_the_command() {
    let home = Home::new();
    let error = open_key(&home.path("none.pem"), &home.passphrase).unwrap_err();
    assert!(matches!(error, KeyError::NotFound { .. }));
    assert!(error.to_string().contains("zyz init") && error.to_string().contains("none.pem"), "{error}");

    let folder = KeyFolder::at(home.path("keys"));
    let id = PublicKey::of(&create_key(&home.path("k.pem"), &home.passphrase, &SystemEntropy).unwrap()).key_id();
    for (name, command) in [
        (KeyName::Root, "zyz init"),
        (KeyName::Issuing(id), "zyz key rotate"),
        (KeyName::Bundle(id), "zyz key rotate"),
        (KeyName::Data, "备份"),
    ] {
        let error = folder.unlock(&[name], &home.passphrase).unwrap_err();
        assert!(matches!(error, KeyError::NotFound { .. }) && error.to_string().contains(command), "{error}");
    }
    assert!(matches!(folder.root_public().unwrap_err(), KeyError::NotFound { .. }));
}

#[test]
fn refuses_an_unencrypted_key() {
    let home = Home::new();
    home.openssl(&["genpkey", "-algorithm", "ed25519", "-out", "plain.pem"]);
    let error = home.refusal("plain.pem");
    assert!(matches!(error, KeyError::Unencrypted { .. }));
    assert!(error.to_string().contains("openssl pkcs8 -topk8"), "{error}");
}

#[test]
fn refuses_a_wrong_passphrase() {
    let home = Home::new();
    create_key(&home.path("key.pem"), &home.passphrase, &SystemEntropy).unwrap();
    for wrong in ["x", "正确的 马 电池 订书钉 "] {
        let wrong = Passphrase::new(wrong).unwrap();
        let error = open_key(&home.path("key.pem"), &wrong).unwrap_err();
        assert!(matches!(error, KeyError::WrongPassphrase { .. }), "{error}");
    }
}

#[test]
fn refuses_rsa() {
    let home = Home::new();
    home.genpkey("rsa.pem", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-aes-256-cbc"]);
    let error = home.refusal("rsa.pem");
    assert!(matches!(&error, KeyError::WrongAlgorithm { found, .. } if found == "RSA"), "{error}");
}

#[test]
fn refuses_x25519() {
    let home = Home::new();
    home.genpkey("x.pem", &["-algorithm", "x25519", "-aes-256-cbc"]);
    let error = home.refusal("x.pem");
    assert!(matches!(&error, KeyError::WrongAlgorithm { found, .. } if found == "X25519"), "{error}");
}

#[test]
fn refuses_p256_whose_algorithm_has_parameters() {
    let home = Home::new();
    home.genpkey("ec.pem", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes-256-cbc"]);
    let error = home.refusal("ec.pem");
    assert!(matches!(&error, KeyError::WrongAlgorithm { found, .. } if found == "EC"), "{error}");
}

#[test]
fn refuses_a_public_key() {
    let home = Home::new();
    home.openssl(&["genpkey", "-algorithm", "ed25519", "-out", "plain.pem"]);
    home.openssl(&["pkey", "-in", "plain.pem", "-pubout", "-out", "public.pem"]);
    let error = home.refusal("public.pem");
    assert!(matches!(&error, KeyError::OtherPem { label, .. } if label == "PUBLIC KEY"), "{error}");
}

#[test]
fn refuses_traditional_openssl_encryption() {
    let home = Home::new();
    home.openssl(&["genrsa", "-traditional", "-aes128", "-passout", "file:pass", "-out", "old.pem", "1024"]);
    let error = home.refusal("old.pem");
    assert!(matches!(&error, KeyError::OtherPem { label, .. } if label == "RSA PRIVATE KEY"), "{error}");
}

#[test]
fn refuses_unsupported_ciphers() {
    let home = Home::new();
    home.openssl(&["genpkey", "-algorithm", "ed25519", "-out", "plain.pem"]);
    let seal = ["pkcs8", "-topk8", "-in", "plain.pem", "-passout", "file:pass", "-out"];
    home.openssl(&[&seal[..], &["des3.pem", "-v2", "des3"]].concat());
    let error = home.refusal("des3.pem");
    assert!(matches!(error, KeyError::UnsupportedEncryption { .. }), "{error}");
    home.openssl(&[&seal[..], &["pbes1.pem", "-v1", "PBE-SHA1-3DES"]].concat());
    let error = home.refusal("pbes1.pem");
    assert!(matches!(error, KeyError::UnsupportedEncryption { .. }), "{error}");
}

/// A file that asks for 2^30 · 8 · 128 bytes is refused before any of it is allocated.
#[test]
fn refuses_unreasonable_scrypt() {
    let home = Home::new();
    let path = home.path("bomb.pem");
    create_key(&path, &home.passphrase, &SystemEntropy).unwrap();
    let mut der = home.der("bomb.pem");
    // INTEGER 2^14 becomes INTEGER 2^30, two bytes longer.
    let at = der.windows(4).position(|window| window == [0x02, 0x02, 0x40, 0x00]).unwrap();
    der.splice(at..at + 4, [0x02, 0x04, 0x40, 0x00, 0x00, 0x00]);
    lengthen(&mut der, at);
    write_pem(&path, &der);
    let error = open_key(&path, &home.passphrase).unwrap_err();
    assert!(matches!(error, KeyError::UnsupportedEncryption { what: "KDF", .. }), "{error}");
}

#[test]
fn version_2_is_opened_only_when_its_halves_match() {
    let home = Home::new();
    let key = create_key(&home.path("key.pem"), &home.passphrase, &SystemEntropy).unwrap();
    let other = create_key(&home.path("other.pem"), &home.passphrase, &SystemEntropy).unwrap();
    home.write_version_2("good.pem", &key.to_bytes(), &key.verifying_key().to_bytes());
    home.write_version_2("bad.pem", &key.to_bytes(), &other.verifying_key().to_bytes());
    assert_eq!(open_key(&home.path("good.pem"), &home.passphrase).unwrap().to_bytes(), key.to_bytes());
    let error = home.refusal("bad.pem");
    assert!(matches!(error, KeyError::PublicKeyMismatch { .. }), "{error}");
}

#[test]
fn refuses_what_is_not_pem() {
    let home = Home::new();
    let path = home.path("key.pem");
    create_key(&path, &home.passphrase, &SystemEntropy).unwrap();
    let good = fs::read(&path).unwrap();
    let cases: [(&str, Vec<u8>); 5] = [
        ("empty", vec![]),
        ("text", b"hello\n".to_vec()),
        ("binary", vec![0xff; 100]),
        ("truncated", good[..good.len() / 2].to_vec()),
        ("huge", vec![b'-'; 1 << 20]),
    ];
    for (name, content) in cases {
        fs::write(home.path(name), content).unwrap();
        let error = home.refusal(name);
        assert!(matches!(error, KeyError::NotPem { .. }), "{name}: {error}");
    }
}

#[test]
fn refuses_a_folder() {
    let home = Home::new();
    let error = open_key(home.dir.path(), &home.passphrase).unwrap_err();
    // Windows does not open folders at all.
    assert!(matches!(error, KeyError::NotPem { .. } | KeyError::Io { .. }), "{error}");
}

#[test]
fn a_flipped_bit_opens_nothing_else() {
    let home = Home::new();
    let path = home.path("key.pem");
    let key = create_key(&path, &home.passphrase, &SystemEntropy).unwrap();
    let der = home.der("key.pem");
    // Ciphertext is the last 64 bytes: its first block holds the structure's head, its last the padding.
    for at in [der.len() - 60, der.len() - 1] {
        let mut flipped = der.clone();
        flipped[at] ^= 1;
        write_pem(&path, &flipped);
        match open_key(&path, &home.passphrase) {
            Err(KeyError::WrongPassphrase { .. } | KeyError::WrongAlgorithm { .. }) => {}
            Err(other) => panic!("{other}"),
            Ok(opened) => assert_ne!(opened.to_bytes(), key.to_bytes()),
        }
    }
}

#[test]
fn refuses_a_key_under_another_keys_name() {
    let home = Home::new();
    let folder = KeyFolder::create(home.path("keys")).unwrap();
    let one = folder.create_signing_key(Role::Issuing, &home.passphrase, &SystemEntropy).unwrap();
    let two = folder.create_signing_key(Role::Issuing, &home.passphrase, &SystemEntropy).unwrap();
    fs::rename(&one.path, &two.path).unwrap();
    let error = folder.unlock(&[two.name], &home.passphrase).unwrap_err();
    let id = one.public.key_id().to_string();
    assert!(matches!(&error, KeyError::WrongKey { found, .. } if *found == id), "{error}");
}

#[test]
fn refuses_a_root_pub_that_is_no_key() {
    let home = Home::new();
    let folder = KeyFolder::create(home.path("keys")).unwrap();
    let weak = format!("01{}", "00".repeat(31));
    for bad in ["", "xyz", &"00".repeat(32), &"ab".repeat(31), &weak] {
        fs::write(folder.root_public_path(), bad).unwrap();
        let error = folder.root_public().unwrap_err();
        assert!(matches!(error, KeyError::NotPublicKey { .. }), "{bad}: {error}");
    }
}

#[test]
fn the_first_line_of_a_passphrase_file_counts() {
    let home = Home::new();
    let key = create_key(&home.path("key.pem"), &home.passphrase, &SystemEntropy).unwrap();
    for ending in ["", "\n", "\r\n", "\nsecond line\n"] {
        fs::write(home.path("p"), format!("{PASSPHRASE}{ending}")).unwrap();
        let (passphrase, _) = Passphrase::from_file(&home.path("p")).unwrap();
        assert_eq!(open_key(&home.path("key.pem"), &passphrase).unwrap().to_bytes(), key.to_bytes());
    }
}

#[test]
fn passphrase_files_that_are_refused() {
    let home = Home::new();
    let refusal = |content: &[u8]| {
        fs::write(home.path("p"), content).unwrap();
        Passphrase::from_file(&home.path("p")).unwrap_err()
    };
    assert!(matches!(refusal(b""), PassphraseError::Empty));
    assert!(matches!(refusal(b"\nsecret\n"), PassphraseError::Empty));
    assert!(matches!(refusal(b"\r\n"), PassphraseError::Empty));
    assert!(matches!(refusal(&[b'x'; 1001]), PassphraseError::TooLong));
    assert!(matches!(refusal(&vec![b'x'; 1 << 20]), PassphraseError::TooLong));
    assert!(matches!(refusal(b"\xff\xfes\0e\0c\0"), PassphraseError::NotPlainText));
    assert!(matches!(refusal(b"\xef\xbb\xbfsecret"), PassphraseError::NotPlainText));
    assert!(matches!(refusal(b"sec\tret"), PassphraseError::NotPlainText));
    let error = Passphrase::from_file(&home.path("none")).unwrap_err();
    assert!(matches!(error, PassphraseError::Unreadable { .. }) && error.to_string().contains("none"), "{error}");
    fs::write(home.path("p"), [b'x'; 1000]).unwrap();
    Passphrase::from_file(&home.path("p")).unwrap();
}

#[cfg(unix)]
#[test]
fn warns_of_a_passphrase_file_for_everybody() {
    use std::os::unix::fs::PermissionsExt;
    use zyz::keystore::PassphraseWarning;
    let home = Home::new();
    let path = home.path("p");
    fs::write(&path, "secret\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let (_, warning) = Passphrase::from_file(&path).unwrap();
    assert_eq!(warning, Some(PassphraseWarning::WorldReadable(path.clone())));
    assert!(warning.unwrap().to_string().contains("chmod 600"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(Passphrase::from_file(&path).unwrap().1, None);
}

#[test]
fn nothing_secret_in_debug() {
    let home = Home::new();
    let keys = DataKeys::generate(&SeededEntropy::new(1));
    assert_eq!(format!("{:?} {keys:?}", home.passphrase), "Passphrase(..) DataKeys(..)");
    let folder = KeyFolder::create(home.path("keys")).unwrap();
    let root = folder.create_signing_key(Role::Root, &home.passphrase, &SystemEntropy).unwrap();
    folder.create_data_keys(&home.passphrase, &SystemEntropy).unwrap();
    let ring = folder.unlock(&[KeyName::Root, KeyName::Data], &home.passphrase).unwrap();
    let shown = format!("{root:?} {ring:?}");
    let seed = root.key.to_bytes();
    assert!(!shown.contains(&hex::encode(seed)) && !shown.contains(&format!("{seed:?}")), "{shown}");
}

/// A folder with a passphrase file `pass`, and `openssl` at hand.
struct Home {
    dir: TempDir,
    passphrase: Passphrase,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        fs::write(dir.path().join("pass"), format!("{PASSPHRASE}\n")).expect("a passphrase file");
        Self { dir, passphrase: Passphrase::new(PASSPHRASE).expect("a passphrase") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new("openssl")
            .args(args)
            .current_dir(self.dir.path())
            .output()
            .expect("`openssl` is installed: these tests are about it")
    }

    #[track_caller]
    fn openssl(&self, args: &[&str]) -> Vec<u8> {
        let output = self.run(args);
        assert!(output.status.success(), "openssl {args:?}: {}", text(output.stderr));
        output.stdout
    }

    #[track_caller]
    fn genpkey(&self, name: &str, args: &[&str]) {
        self.openssl(&[&["genpkey", "-pass", "file:pass", "-out", name], args].concat());
        private(&self.path(name));
    }

    #[track_caller]
    fn refusal(&self, name: &str) -> KeyError {
        private(&self.path(name));
        open_key(&self.path(name), &self.passphrase).expect_err("this file is refused")
    }

    fn der(&self, name: &str) -> Vec<u8> {
        self.openssl(&["asn1parse", "-in", name, "-noout", "-out", "der"]);
        fs::read(self.path("der")).expect("openssl wrote it")
    }

    /// An encrypted `OneAsymmetricKey` (RFC 5958), which OpenSSL 3.0 cannot make.
    fn write_version_2(&self, name: &str, seed: &[u8; 32], public: &[u8; 32]) {
        use pkcs8::der::asn1::{BitStringRef, OctetStringRef};
        let inner = [&[0x04, 0x20], &seed[..]].concat();
        let oid = pkcs8::ObjectIdentifier::new_unwrap("1.3.101.112");
        let mut info = pkcs8::PrivateKeyInfoRef::new(
            pkcs8::AlgorithmIdentifierRef { oid, parameters: None },
            OctetStringRef::new(&inner).expect("34 bytes"),
        );
        info.public_key = Some(BitStringRef::new(0, public).expect("32 bytes"));
        let scheme = pkcs8::pkcs5::pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(2048, &[1; 8], [2; 16]);
        let sealed = info.encrypt_with_params(scheme.expect("a scheme"), PASSPHRASE).expect("encrypted");
        write_pem(&self.path(name), sealed.as_bytes());
    }
}

fn private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("own file");
    }
    let _ = path;
}

/// Adds two to the length of every SEQUENCE that encloses offset `at`.
fn lengthen(der: &mut [u8], at: usize) {
    let mut position = 0;
    while position < at {
        let (length_at, header) = if der[position + 1] == 0x81 { (position + 2, 3) } else { (position + 1, 2) };
        let end = position + header + usize::from(der[length_at]);
        if der[position] == 0x30 && end > at {
            der[length_at] += 2;
            position += header;
        } else {
            position = end;
        }
    }
}

fn write_pem(path: &Path, der: &[u8]) {
    use base64::Engine;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| str::from_utf8(line).expect("base64")).collect();
    let pem =
        format!("-----BEGIN ENCRYPTED PRIVATE KEY-----\n{}\n-----END ENCRYPTED PRIVATE KEY-----\n", lines.join("\n"));
    fs::write(path, pem).expect("written");
    private(path);
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}
