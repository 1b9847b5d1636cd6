//! The federation that every [`super::Office`] is a copy of: made once a run, since making keys takes its time.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use tempfile::TempDir;
use tokio::sync::OnceCell;
use zyz::domain::division::County;
use zyz::service::hours::HoursRequest;
use zyz::service::import::RosterRequest;
use zyz::service::issue::IssueRequest;
use zyz::service::offers::OfferDraft;
use zyz::service::partners::PartnerDraft;
use zyz::service::stars::CertifyRequest;
use zyz::service::{Federation, Selection};
use zyz_credential::{OfferKind, OfferLimits, Weekdays};

use crate::support::sheets;

/// A unit of 思茅区 (02), whose forms the federation approves: eight people.
pub const TOWN_UNIT: &str = "思茅区样例单位";
/// A unit of 宁洱县 (21), whose forms the county approves: four people.
pub const COUNTY_UNIT: &str = "宁洱县样例单位";
/// How many of [`TOWN_UNIT`] have cards, counted from the first; the others wait.
pub const CARDS_OF: usize = 5;

const TOWN: usize = 8;
const COUNTY: usize = 4;

/// Copies the sample federation into `folder`.
pub async fn copy_to(folder: &Path) {
    static MADE: OnceCell<PathBuf> = OnceCell::const_new();
    copy(MADE.get_or_init(make).await, folder);
}

/// Makes it in a folder that is cleared by the next run.
async fn make() -> PathBuf {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("console-sample");
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).unwrap();
    // Beside it first: an interrupted run leaves nothing that looks whole.
    let work = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    private(&work.path().join("passphrase.txt"), "ein Passwort 口令\n");
    std::fs::write(work.path().join("zyz.toml"), "").unwrap();
    let federation = super::application(work.path()).initialise().await.unwrap();
    fill(&federation, work.path()).await;
    // While it is open and at rest: what closes last tidies the write-ahead log up, in its own time.
    copy(work.path(), &place);
    place
}

/// People, hours, stars, cards, a partner.
async fn fill(federation: &Federation, folder: &Path) {
    let people = sheets::people(TOWN + COUNTY);
    for (unit, county, people) in [(TOWN_UNIT, "02", &people[..TOWN]), (COUNTY_UNIT, "21", &people[TOWN..])] {
        let file = folder.join("roster.xlsx");
        sheets::roster(&file, people);
        let request = RosterRequest {
            roster: federation.read_roster(&file),
            unit,
            county: County::parse(county).unwrap(),
            dry_run: false,
            strict: false,
            report: None,
        };
        federation.import_roster(request, &|_, _| ()).await.unwrap();
    }
    let numbers: Vec<String> =
        federation.volunteers(&Default::default()).await.unwrap().into_iter().map(|person| person.number).collect();
    let year = zyz::clock::beijing_date(federation.now()).year() - 1;
    let hours = folder.join("hours.xlsx");
    let mut rows = sheets::hours_of(&numbers[0], year, 600);
    rows.extend(sheets::hours_of(&numbers[1], year, 104));
    rows.extend(sheets::hours_of(&numbers[TOWN], year, 24));
    sheets::services(&hours, &rows);
    federation.import_hours(HoursRequest { file: &hours, dry_run: false, report: None }).await.unwrap();
    federation.certify_stars(CertifyRequest { year, dry_run: false, list: None }).await.unwrap();
    let with_cards = numbers[..CARDS_OF]
        .iter()
        .chain(&numbers[TOWN..TOWN + 2])
        .map(|number| zyz_credential::CertificateNumber::parse(number).unwrap())
        .collect();
    let request = IssueRequest { selection: Selection::Numbers(with_cards), reissue: false };
    federation.issue(request, &AtomicBool::new(false), &|_, _| ()).await.unwrap();
    let partner = PartnerDraft {
        name: "晨光便利店".into(),
        kind: None,
        contact: Some("店长 0879-2120001".into()),
        agreement_number: "普志联〔2026〕8号".into(),
        from: jiff::civil::Date::constant(year, 1, 1),
        to: jiff::civil::Date::constant(year + 2, 12, 31),
    };
    let partner = zyz::domain::partner::PartnerId(federation.add_partner(partner).await.unwrap().id);
    let offer = OfferDraft {
        kind: OfferKind::Discount,
        title: "全场九折".into(),
        terms: "特价商品除外".into(),
        min_star: 0,
        from: None,
        to: None,
        weekdays: Weekdays::ALL,
        hours: Vec::new(),
        limits: OfferLimits { per_day: Some(1), ..OfferLimits::default() },
        identity_check: false,
        max_status_age: None,
    };
    federation.add_offer(partner, offer).await.unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else if !target.display().to_string().ends_with("-shm") {
            std::fs::copy(entry.path(), &target).unwrap(); // permissions come along
        }
    }
}

fn private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
}
