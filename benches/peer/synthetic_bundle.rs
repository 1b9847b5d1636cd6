//! Makes what a partner would hold of a federation with very many cards, to time `zyz-verify check` against.
//!
//! `synthetic_bundle FOLDER CARDS NOW` writes `bundle.cose`, `root.hex` and `card.txt` (the code of one good card) for a
//! list of `CARDS` cards issued before `NOW` (seconds since 1970): 1 % revoked, 0.1 % suspended, 0.5 % superseded, drawn
//! at random. The keys are fixed, so nothing it makes is worth anything.
//!
//! `synthetic_bundle FOLDER CARDS NOW VERSION MORE` makes one with that version, 1 % and `MORE` more cards revoked, and
//! none suspended or superseded: `MORE` 0 and then 300 are a federation before and after a busy day.
#![expect(clippy::print_stdout, reason = "a program that says what it made")]

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use zyz_credential::status_list::Status;
use zyz_credential::{
    Bundle, BundleKey, CertificateNumber, Claims, Holder, IssuingKey, KeyState, LIST_SIZE, ListStatus, PublicKey,
    SigningKey, StatusSet, TrustList, code_text, sign_credential,
};

const DAY: u64 = 86_400;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, cards, now, day) = match arguments.as_slice() {
        [folder, cards, now] => (folder, cards, now, None),
        [folder, cards, now, version, more] => (folder, cards, now, Some((version.parse()?, more.parse::<u32>()?))),
        _ => return Err("usage: synthetic_bundle FOLDER CARDS NOW [VERSION MORE]".into()),
    };
    let (folder, cards, now) = (Path::new(folder), cards.parse::<u32>()?, now.parse::<u64>()?);
    if cards > LIST_SIZE {
        return Err(format!("a list holds {LIST_SIZE} cards").into());
    }
    let [root, bundle_key, issuing_key] = [1, 2, 3].map(|seed| SigningKey::from_bytes(&[seed; 32]));

    // Each index has one status at most: the sets are cut from one random draw.
    let mut draw = Draw(u64::from(cards));
    let counts = match day {
        Some((_, more)) => [cards / 100 + more, 0, 0],
        None => [cards / 100, cards / 1000, cards / 200],
    };
    let mut drawn = BTreeSet::new();
    let mut sets = Vec::new();
    for count in counts {
        let mut set = BTreeSet::new();
        while set.len() < count as usize {
            let index = draw.below(cards);
            if drawn.insert(index) {
                set.insert(index);
            }
        }
        sets.push(StatusSet::from_sorted(set.into_iter().collect::<Vec<_>>())?);
    }
    let [revoked, suspended, superseded] = <[StatusSet; 3]>::try_from(sets).map_err(|_| "three sets")?;
    let list = ListStatus { issuing_key: PublicKey::of(&issuing_key).thumbprint(), revoked, suspended, superseded };
    let good = (0..cards).find(|index| list.status(*index) == Status::Valid).ok_or("no good card")?;

    let (since, until) = (now - 30 * DAY, now + 700 * DAY);
    let trust_list = TrustList {
        version: 1,
        issued_at: since,
        expires_at: until,
        issuing_keys: vec![IssuingKey {
            key: PublicKey::of(&issuing_key),
            issuer: "普洱市志愿服务联合会".into(),
            list_uri: "https://zyz.example.cn/status-lists/1".into(),
            not_before: since,
            not_after: until,
            state: KeyState::Active,
        }],
        bundle_keys: vec![BundleKey {
            key: PublicKey::of(&bundle_key),
            not_before: since,
            not_after: until,
            state: KeyState::Active,
        }],
    }
    .sign(&root)?;
    let bundle = Bundle {
        version: day.map_or(42, |(version, _)| version),
        issued_at: now - 1800,
        expires_at: now + 30 * DAY,
        trust_list,
        lists: vec![list],
        offers: Vec::new(),
    }
    .sign(&bundle_key)?;
    let card = Claims {
        number: CertificateNumber::from_parts(2, 1234)?,
        star: 3,
        status: good,
        holder: Some(Holder::masked("张三丰")?),
        issued_at: now - DAY,
        expires_at: now + 365 * DAY,
    };

    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join("bundle.cose"), &bundle)?;
    std::fs::write(folder.join("root.hex"), hex::encode(PublicKey::of(&root).as_bytes()))?;
    let code = code_text("https://zyz.example.cn/", &sign_credential(&card, &issuing_key)?);
    std::fs::write(folder.join("card.txt"), code)?;
    println!(
        "The bundle has {} bytes: {} revoked, {} suspended, {} superseded.",
        bundle.len(),
        counts[0],
        counts[1],
        counts[2]
    );
    Ok(())
}

/// SplitMix64: repeatable, and good enough to scatter indices.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u32::try_from((((z ^ (z >> 31)) >> 32) * u64::from(bound)) >> 32).unwrap_or_default()
    }
}
