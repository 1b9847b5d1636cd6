//! A federation in miniature: keys from fixed seeds, a trust list, bundles, cards; and `zyz-verify` run against them.
#![allow(dead_code, reason = "each test file uses a part")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};
use serde_json::Value;
use tempfile::TempDir;
use zyz_credential::{
    Bundle, BundleKey, CertificateNumber, Claims, Holder, IssuingKey, KeyState, ListStatus, Offer, OfferKind,
    PublicKey, SigningKey, StatusSet, TrustList, code_text, sign_credential,
};

/// 2026-11-23T08:00:00Z, when the cards were issued.
pub const ISSUED: u64 = 1_795_420_800;
/// When the bundle was issued, half a day later.
pub const BUNDLED: u64 = ISSUED + 12 * 3600;
/// Half an hour after the bundle.
pub const NOW: &str = "2026-11-23T20:30:00Z";
pub const PREFIX: &str = "https://zyz.example.cn/";
pub const REVOKED: u32 = 77;
pub const SUSPENDED: u32 = 78;
pub const SUPERSEDED: u32 = 79;

pub mod federation;
pub mod node;

pub struct World {
    /// When the cards were issued.
    pub issued: u64,
    pub dir: TempDir,
    pub root: SigningKey,
    pub issuing: SigningKey,
    pub bundle: SigningKey,
}

impl World {
    /// With `root.pub` and `bundle.cose` (version 42) written.
    pub fn new() -> Self {
        Self::issued_at(ISSUED)
    }

    /// For programs that look at the machine's clock: cards and bundle are some hours old.
    pub fn of_today() -> Self {
        Self::issued_at(zyz_verifier::clock::seconds(zyz_verifier::clock::now()) - 20 * 3600)
    }

    fn issued_at(issued: u64) -> Self {
        let world = Self {
            issued,
            dir: tempfile::tempdir().expect("a temporary folder"),
            root: SigningKey::from_bytes(&[1; 32]),
            issuing: SigningKey::from_bytes(&[2; 32]),
            bundle: SigningKey::from_bytes(&[3; 32]),
        };
        fs::write(world.path("root.pub"), format!("{}\n", world.root_hex())).expect("written");
        world.write_bundle("bundle.cose", &world.trust_list(7), 42, world.bundled());
        world
    }

    /// When the first bundle was issued.
    pub fn bundled(&self) -> u64 {
        self.issued + 12 * 3600
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn root_hex(&self) -> String {
        hex::encode(self.root.verifying_key().as_bytes())
    }

    pub fn trust_list(&self, version: u64) -> TrustList {
        let day = 86_400;
        TrustList {
            version,
            issued_at: self.issued - 30 * day,
            expires_at: self.issued + 400 * day,
            issuing_keys: vec![IssuingKey {
                key: PublicKey::of(&self.issuing),
                issuer: "普洱市志愿服务联合会".into(),
                list_uri: "https://zyz.example.cn/status/1".into(),
                not_before: self.issued - 30 * day,
                not_after: self.issued + 700 * day,
                state: KeyState::Active,
            }],
            bundle_keys: vec![BundleKey {
                key: PublicKey::of(&self.bundle),
                not_before: self.issued - 30 * day,
                not_after: self.issued + 700 * day,
                state: KeyState::Active,
            }],
        }
    }

    /// A bundle that expires a week after `issued_at`.
    pub fn bundle_bytes(&self, list: &TrustList, version: u64, issued_at: u64) -> Vec<u8> {
        let mut four_stars = Offer::new("tea-free", OfferKind::Free, "免费茶饮一杯");
        four_stars.min_star = 4;
        let mut seen = Offer::new("clinic", OfferKind::Priority, "优先挂号");
        seen.identity_check = true;
        seen.limits.per_month = Some(2);
        let offers = vec![four_stars, seen, Offer::new("all-10", OfferKind::Discount, "全场九折")];
        self.bundle_of(list, version, issued_at, REVOKED, offers)
    }

    /// The same with other offers, and another card revoked.
    pub fn bundle_of(
        &self,
        list: &TrustList,
        version: u64,
        issued_at: u64,
        revoked: u32,
        offers: Vec<Offer>,
    ) -> Vec<u8> {
        let set = |index: u32| StatusSet::from_sorted([index]).expect("one index");
        let good = list.issuing_keys.iter().filter(|entry| entry.state != KeyState::Compromised);
        let mut lists: Vec<ListStatus> = good
            .map(|entry| ListStatus {
                issuing_key: entry.key.thumbprint(),
                revoked: set(revoked),
                suspended: set(SUSPENDED),
                superseded: set(SUPERSEDED),
            })
            .collect();
        lists.sort_by_key(|list| list.issuing_key);
        let bundle = Bundle {
            version,
            issued_at,
            expires_at: issued_at + 7 * 86_400,
            trust_list: list.sign(&self.root).expect("a good list"),
            lists,
            offers,
        };
        bundle.sign(&self.bundle).expect("a good bundle")
    }

    /// A bundle with one offer, `once`, that a holder gets once in all.
    pub fn once_bundle(&self, version: u64, issued_at: u64) -> Vec<u8> {
        let mut once = Offer::new("once", OfferKind::Free, "免费体检一次");
        once.limits.in_all = Some(1);
        self.bundle_of(&self.trust_list(7), version, issued_at, REVOKED, vec![once])
    }

    pub fn write_bundle(&self, name: &str, list: &TrustList, version: u64, issued_at: u64) {
        fs::write(self.path(name), self.bundle_bytes(list, version, issued_at)).expect("written");
    }

    pub fn claims(&self) -> Claims {
        Claims {
            number: CertificateNumber::from_parts(2, 1234).expect("in range"),
            star: 3,
            status: 5,
            holder: Some(Holder::masked("张三丰").expect("a name")),
            issued_at: self.issued,
            expires_at: self.issued + 34_847_999, // 2027-12-31T15:59:59Z
        }
    }

    pub fn card(&self) -> String {
        self.signed(&self.claims())
    }

    pub fn card_with_status(&self, status: u32) -> String {
        self.signed(&Claims { status, ..self.claims() })
    }

    pub fn signed(&self, claims: &Claims) -> String {
        code_text(PREFIX, &sign_credential(claims, &self.issuing).expect("good claims"))
    }

    /// `zyz-verify check` with `args`, in the world's folder, at [`NOW`] unless `args` say otherwise.
    pub fn check(&self, args: &[&str]) -> Run {
        self.check_with_input(args, b"")
    }

    pub fn check_with_input(&self, args: &[&str], input: &[u8]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zyz-verify"));
        command.arg("check").args(args).current_dir(self.dir.path());
        if !args.contains(&"--at") {
            command.args(["--at", NOW]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let mut stdin = child.stdin.take().expect("piped");
        // A program that does not read its input closes it early.
        let _ = stdin.write_all(input);
        drop(stdin);
        Run::new(child.wait_with_output().expect("it ends"))
    }

    /// The usual arguments: text, root file, bundle.
    pub fn check_text(&self, text: &str, more: &[&str]) -> Run {
        self.check(&[&[text, "--root", "root.pub", "--bundle", "bundle.cose"], more].concat())
    }
}

/// What a run gave.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    fn new(output: Output) -> Self {
        Self {
            code: output.status.code().expect("not killed"),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// An error: status 1, nothing on standard output, and `words` in the message.
    #[track_caller]
    pub fn fails_with(&self, words: &[&str]) {
        assert_eq!((self.code, self.out.as_str()), (1, ""), "{}", self.err);
        for word in words {
            assert!(self.err.contains(word), "{word} is not in: {}", self.err);
        }
    }

    #[track_caller]
    pub fn judged(&self, code: i32, verdict: &str, reason: &str) {
        assert_eq!(self.code, code, "{self:?}");
        let json = self.json();
        assert_eq!((json["verdict"].as_str(), json["reason"].as_str()), (Some(verdict), Some(reason)));
        assert_eq!(self.err, "");
    }
}

/// The code of `text`, black on white with a quiet zone, `module` pixels a module.
pub fn code_picture(text: &str, module: u32) -> image::GrayImage {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).expect("short enough");
    let (size, colors) = (code.width() as u32, code.to_colors());
    image::GrayImage::from_fn((size + 8) * module, (size + 8) * module, |x, y| {
        let (x, y) = ((x / module).wrapping_sub(4), (y / module).wrapping_sub(4));
        let dark = x < size && y < size && colors[(y * size + x) as usize] == Color::Dark;
        image::Luma([if dark { 0 } else { 255 }])
    })
}

pub fn write_png(path: &Path, picture: &image::GrayImage) {
    picture.save_with_format(path, image::ImageFormat::Png).expect("written");
}
