//! `zyz demo`: the whole main job on invented people, first as the federation, then as a partner without a network.

mod console;
mod office;
mod people;
mod samples;
mod work;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use zyz_verifier::picture;
use zyz_verifier::{CheckRequest, RootKey, check};

use super::Out;
use crate::app::{App, AppError, Global};
use crate::clock::beijing_date;
use crate::config;
use crate::domain::certificate::Reason;
use crate::domain::division::County;
use crate::render::Layout;
use crate::service::hours::HoursRequest;
use crate::service::import::RosterRequest;
use crate::service::issue::IssueRequest;
use crate::service::print::PrintRequest;
use crate::service::stars::CertifyRequest;
use crate::service::{Federation, Selection};

/// Arguments of `zyz demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The folder to make everything in; must be empty or not exist
    #[arg(long, value_name = "DIR", default_value = "./demo")]
    dir: PathBuf,
    /// Then open the console with a sample federation in it, for this computer only
    #[arg(long)]
    serve: bool,
    /// Address of the console
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8530", requires = "serve")]
    listen: SocketAddr,
}

/// One step of the demonstration, for the table at its end.
#[derive(Debug, Serialize)]
struct Step {
    what: String,
    result: String,
    expected: bool,
}

/// The folders of a demonstration.
struct Places {
    sheets: PathBuf,
    reports: PathBuf,
    cards: PathBuf,
    public: PathBuf,
    partner: PathBuf,
}

/// Runs the demonstration, and with `--serve` the console on it, until Ctrl-C. With `--serve` a folder in which it ran before
/// is gone on with.
pub async fn run(global: Global, args: DemoArgs, out: Out) -> Result<(), AppError> {
    if args.serve {
        console::refuse_others(args.listen)?;
    }
    if !(args.serve && console::ran_in(&args.dir)) {
        play(&global, &args.dir, out).await?;
    }
    if args.serve { console::open(&global, &args, out).await } else { Ok(()) }
}

/// Plays the main job. Fails if any step does not end as it should.
async fn play(global: &Global, dir: &Path, out: Out) -> Result<(), AppError> {
    let started = Instant::now();
    require_empty(dir)?;
    let places = Places {
        sheets: dir.join("1-单位报来的表格"),
        reports: dir.join("2-退回单位的报告"),
        cards: dir.join("3-证件"),
        public: dir.join("4-公布的文件"),
        partner: dir.join("5-合作单位"),
    };
    for folder in [&places.sheets, &places.reports, &places.cards, &places.public, &places.partner] {
        fs::create_dir_all(folder).map_err(|e| at(folder, e))?;
    }
    let app = prepare(global, dir)?;
    let mut steps = Vec::new();

    out.line("志愿服务证演示：全部人员、证号、电话均为虚构。\n");
    out.line("一、联合会：建立数据库与密钥");
    let federation = app.initialise().await?;
    let root = federation.root_public_hex().await?;
    out.line(format!("  根公钥 {root}"));
    steps.push(step("建立数据库与密钥", "完成", true));

    let year = beijing_date(app.clock().now()).year() - 1;
    let samples = samples::write(&places.sheets, year).map_err(|e| AppError::Usage(format!("写不出样例表格：{e}")))?;
    import_rosters(&federation, &samples, &places, &mut steps, out).await?;
    import_hours_and_certify(&federation, &samples, &places, year, &mut steps, out).await?;
    let number = issue_and_print(&federation, &places, &mut steps, out).await?;

    out.line("\n五、公布信任列表、状态数据包、状态列表");
    let published = federation.publish(&places.public, 0, &[]).await?;
    out.line(format!("  数据包第 {} 版，{} 字节", published.bundle_version, published.bundle_bytes));
    let (bundle, old_bundle) = (places.public.join("bundle.cose"), places.partner.join("退出之前的数据包.cose"));
    fs::copy(&bundle, &old_bundle).map_err(|e| at(&old_bundle, e))?;
    steps.push(step("公布", format!("数据包第 {} 版", published.bundle_version), true));

    out.line("\n六、合作单位（没有网络，只有根公钥和数据包）");
    let partner = Partner { root, bundle, state: places.partner.clone(), now: app.clock().now(), out };
    let picture = places.cards.join("证件正面.png");
    let text = picture::read_code(&picture).map_err(|e| AppError::Usage(e.to_string()))?;
    steps.push(partner.judge("出示证件：从图片读出二维码", &text, "accept", &["ok"])?);
    steps.push(partner.judge("伪造：改动一位数字", &altered(&text), "reject", &["bad_signature", "malformed"])?);
    let change = federation.revoke(number, Reason::Exit).await?;
    out.line(format!("  ── {}", change.message));
    let later = federation.publish(&places.public, 0, &[]).await?;
    out.line(format!("  ── 合作单位同步到第 {} 版数据包", later.bundle_version));
    steps.push(partner.judge("退出后的证件，新数据包", &text, "reject", &["revoked"])?);
    let replayed = Partner { bundle: old_bundle, ..partner.clone() };
    steps.push(replayed.refuses_old_bundle(&text)?);
    let other = federation.card_text(another(&federation, number).await?).await?;
    let days = i64::from(app.config.trust.bundle_days) + 1;
    let future = Partner { now: partner.now + SignedDuration::from_hours(24 * days), ..partner };
    steps.push(future.judge(&format!("{days} 天没有同步，数据过旧"), &other, "caution", &["status_stale"])?);

    let ok = steps.iter().all(|step| step.expected);
    out.result(&serde_json::json!({"ok": ok, "dir": dir.display().to_string(), "steps": steps}), |out| {
        out.line(format!("\n结果（用时 {:.1} 秒）", started.elapsed().as_secs_f32()));
        let rows: Vec<_> = steps
            .iter()
            .map(|step| vec![if step.expected { "✓" } else { "✕" }.to_owned(), step.what.clone(), step.result.clone()])
            .collect();
        out.table(&["", "步骤", "结果"], &rows);
        out.line("\n请看：");
        for (folder, what) in [
            (&places.sheets, "三个单位报来的名册与一份服务记录"),
            (&places.reports, "逐行报告（退回单位修改）与星级公示名单"),
            (&places.cards, "打印用 PDF、证件正面图片、校准页"),
            (&places.public, "静态文件，任何网站都能发布"),
        ] {
            out.line(format!("  {}：{what}", folder.display()));
        }
        out.line(format!(
            "继续试用：zyz --data {0}/data --passphrase-file {0}/data/passphrase.txt volunteer list",
            dir.display()
        ));
        out.line(format!("在浏览器里看工作台：zyz demo --serve --dir {}", dir.display()));
    });
    if ok { Ok(()) } else { Err(AppError::Usage("演示中有一步结果与预期不同，见上表".into())) }
}

/// A partner at a shop's till.
#[derive(Clone)]
struct Partner {
    root: String,
    bundle: PathBuf,
    state: PathBuf,
    now: Timestamp,
    out: Out,
}

impl Partner {
    fn request<'a>(&'a self, text: &'a str) -> Result<CheckRequest<'a>, AppError> {
        Ok(CheckRequest {
            text,
            root: RootKey::from_argument(&self.root).map_err(|e| AppError::Usage(e.to_string()))?,
            bundle: Some(&self.bundle),
            state: Some(&self.state),
            now: self.now,
            max_age: None,
        })
    }

    /// Somebody plays the bundle from before the exit back to the partner: it must be refused, not believed.
    fn refuses_old_bundle(&self, text: &str) -> Result<Step, AppError> {
        let what = "有人换回退出之前的旧数据包";
        let (result, expected) = match check(&self.request(text)?) {
            Ok(judged) => (format!("{judged:?}"), false),
            Err(error) => (error.to_string(), true),
        };
        self.out.line(format!("  {what} → 拒绝\n    「{result}」"));
        Ok(step(what, if expected { "拒绝旧版本" } else { "未拒绝" }, expected))
    }

    /// Judges `text` as `zyz-verify check` does.
    fn judge(&self, what: &str, text: &str, verdict: &str, reasons: &[&str]) -> Result<Step, AppError> {
        let judged = check(&self.request(text)?).map_err(|e| AppError::Usage(e.to_string()))?;
        let json = serde_json::to_value(&judged).map_err(|e| AppError::Usage(e.to_string()))?;
        let (word, reason) =
            (json["verdict"].as_str().unwrap_or_default(), json["reason"].as_str().unwrap_or_default());
        let message = json["message"].as_str().unwrap_or_default();
        self.out.line(format!("  {what} → {word} {reason}\n    「{message}」"));
        Ok(step(what, format!("{word} · {reason}"), word == verdict && reasons.contains(&reason)))
    }
}

async fn import_rosters(
    federation: &Federation,
    samples: &samples::Samples,
    places: &Places,
    steps: &mut Vec<Step>,
    out: Out,
) -> Result<(), AppError> {
    out.line("\n二、三个单位报来名册");
    for sample in &samples.rosters {
        let name = sample.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let report = places.reports.join(format!("{name}-报告.xlsx"));
        let county = County::parse(sample.county).map_err(|e| AppError::Usage(e.to_string()))?;
        let bar = out.progress("导入名册", 0);
        let done = federation
            .import_roster(
                RosterRequest {
                    roster: federation.read_roster(&sample.file),
                    unit: sample.unit,
                    county,
                    dry_run: false,
                    strict: false,
                    report: Some(&report),
                },
                &|done, total| super::output::step(&bar, done, total),
            )
            .await?;
        bar.finish_and_clear();
        out.line(format!("  {}（{}）", sample.unit, sample.about));
        out.line(format!("    共 {} 行：新登记 {}，退回 {}", done.rows, done.imported, done.refused.len()));
        for row in &done.refused {
            out.line(format!("    退回 第 {} 行：{}", row.row, row.reason));
        }
        for warning in &done.warnings {
            out.line(format!("    提醒 {warning}"));
        }
        let said = format!("{} 行，登记 {}，退回 {}", done.rows, done.imported, done.refused.len());
        steps.push(step(format!("导入 {}", sample.unit), said, done.imported > 0));
    }
    Ok(())
}

async fn import_hours_and_certify(
    federation: &Federation,
    samples: &samples::Samples,
    places: &Places,
    year: i16,
    steps: &mut Vec<Step>,
    out: Out,
) -> Result<(), AppError> {
    out.line(format!("\n三、{year} 年度服务记录与星级认定"));
    let report = places.reports.join("志愿服务记录-报告.xlsx");
    let hours =
        federation.import_hours(HoursRequest { file: &samples.hours, dry_run: false, report: Some(&report) }).await?;
    out.line(format!(
        "  服务记录 {} 行：计入 {}（{:.0} 小时），退回 {}",
        hours.rows,
        hours.imported,
        hours.minutes as f64 / 60.0,
        hours.refused.len()
    ));
    for row in &hours.refused {
        out.line(format!("    退回 第 {} 行：{}", row.row, row.reason));
    }
    for flag in &hours.flagged {
        out.line(format!("    标记 {} {} 行", flag.label, flag.rows));
    }
    steps.push(step(
        "导入服务记录",
        format!("计入 {} 行，退回 {}", hours.imported, hours.refused.len()),
        hours.imported > 0,
    ));
    let list = places.reports.join(format!("{year}年度星级公示名单.xlsx"));
    let batch = federation.certify_stars(CertifyRequest { year, dry_run: false, list: Some(&list) }).await?;
    let stars: Vec<_> = (1..=5)
        .rev()
        .map(|star| format!("{}星 {}", ["", "一", "二", "三", "四", "五"][star], batch.by_star[star]))
        .collect();
    out.line(format!("  认定（人）：{}", stars.join("，")));
    steps.push(step("星级认定", stars.join(" "), batch.changed > 0));
    Ok(())
}

/// Issues to everybody, prints all layouts and one picture; returns the number of the card in the picture.
async fn issue_and_print(
    federation: &Federation,
    places: &Places,
    steps: &mut Vec<Step>,
    out: Out,
) -> Result<zyz_credential::CertificateNumber, AppError> {
    out.line("\n四、签发与打印");
    let bar = out.progress("签发", 0);
    let issued = federation
        .issue(IssueRequest { selection: Selection::All, reissue: false }, &AtomicBool::new(false), &|done, total| {
            super::output::step(&bar, done, total);
        })
        .await?;
    bar.finish_and_clear();
    out.line(format!("  签发 {} 张证", issued.issued.len()));
    steps.push(step("签发", format!("{} 张", issued.issued.len()), issued.issued.len() >= 60));
    let mut pages = 0;
    for (layout, folder) in [(Layout::A4EightUp, "A4-8张"), (Layout::A4TenUp, "A4-10张"), (Layout::Cr80, "证卡打印机")]
    {
        let folder = places.cards.join(folder);
        let request = PrintRequest { selection: Selection::All, layout, folder: &folder, photos: None };
        let bar = out.progress("制作打印文件", 0);
        let printed = federation.print(request, &|done, total| super::output::step(&bar, done, total)).await?;
        bar.finish_and_clear();
        for file in &printed.files {
            pages += file.pages;
            out.line(format!("  {}（{} 张证，{} 页）", file.path, file.cards, file.pages));
        }
    }
    let calibration = places.cards.join("校准页.pdf");
    crate::service::print::calibration(Layout::A4EightUp, &calibration, federation.now())?;
    // The picture shows somebody with stars: the one with the most.
    let people = federation.volunteers(&Default::default()).await?;
    let best = people
        .iter()
        .max_by_key(|person| person.star)
        .ok_or_else(|| AppError::Usage("样例名册没有登记任何人".into()))?;
    let number = super::number(&best.number)?;
    let picture = places.cards.join("证件正面.png");
    federation.card_png(number, &picture, None).await?;
    out.line(format!("  {}（{}，{} 星）", picture.display(), best.name, best.star));
    steps.push(step("打印", format!("3 种版式共 {pages} 页 PDF，1 张 PNG"), pages > 0));
    Ok(number)
}

/// Some other volunteer with a card.
async fn another(
    federation: &Federation,
    than: zyz_credential::CertificateNumber,
) -> Result<zyz_credential::CertificateNumber, AppError> {
    let people = federation.volunteers(&Default::default()).await?;
    let other = people
        .iter()
        .find(|person| person.certificate.is_some() && person.number != than.as_str())
        .ok_or_else(|| AppError::Usage("样例名册只有一人有证".into()))?;
    super::number(&other.number)
}

/// The application of a demonstration: its own data folder, a passphrase that everybody may know.
fn prepare(global: &Global, dir: &Path) -> Result<App, AppError> {
    let data = dir.join("data");
    fs::create_dir_all(&data).map_err(|e| at(&data, e))?;
    let passphrase = passphrase_file(dir);
    write_private(&passphrase, "仅供演示 demo only\n").map_err(|e| at(&passphrase, e))?;
    let configuration = data.join("zyz.toml");
    let text = config::EXAMPLE
        .replacen("public_url = \"\"", "public_url = \"https://zyz.example.cn/\"", 1)
        .replacen("phone = \"\"", "phone = \"0879-0000000\"", 1)
        .replacen("second_factor = true", "second_factor = false", 1);
    fs::write(&configuration, text).map_err(|e| at(&configuration, e))?;
    application(global, dir)
}

/// The application of a demonstration that has been prepared.
fn application(global: &Global, dir: &Path) -> Result<App, AppError> {
    App::new(Global {
        data: dir.join("data"),
        config: None,
        passphrase_file: Some(passphrase_file(dir)),
        database_url: global.database_url.clone(),
        actor: Some("演示".into()),
        json: global.json,
    })
}

fn passphrase_file(dir: &Path) -> PathBuf {
    dir.join("data/passphrase.txt")
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

fn require_empty(dir: &Path) -> Result<(), AppError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(AppError::Usage(format!(
                "文件夹 {} 不是空的，演示不会覆盖其中的文件。请用 --dir 指定另一个，或先删除它",
                dir.display()
            ))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(dir, error)),
    }
}

fn at(path: &Path, source: io::Error) -> AppError {
    AppError::Io { path: path.display().to_string(), source }
}

/// The same code with one digit near its end changed.
fn altered(text: &str) -> String {
    let place = text.len() - 20;
    let digit = if &text[place..=place] == "1" { "2" } else { "1" };
    format!("{}{digit}{}", &text[..place], &text[place + 1..])
}

fn step(what: impl Into<String>, result: impl Into<String>, expected: bool) -> Step {
    Step { what: what.into(), result: result.into(), expected }
}
