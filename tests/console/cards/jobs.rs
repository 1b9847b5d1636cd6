//! Jobs: from the click to the file, through a killed server, by two servers, stopped, reviewed.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::SignedDuration;
use zyz::domain::choice::CardChoice;
use zyz::domain::job::JobState;
use zyz::domain::staff::{Role, Scope};
use zyz::service::desk::DeskError;

use super::UNIT;
use crate::console::{Client, ConsoleApp};
use crate::on_both;
use crate::searches::workbook;
use crate::support::{Database, sheets};

on_both!(
    cards_are_signed_printed_and_downloaded,
    a_job_survives_a_killed_server,
    two_servers_share_the_queue,
    a_job_is_stopped_and_goes_on,
    a_large_batch_waits_for_a_second_person,
);

fn cards_are_signed_printed_and_downloaded(database: Database) {
    let console = ConsoleApp::new(database);
    console.register(UNIT, "02", &sheets::people(12));
    let clerk = console.clerk();
    let list = clerk.freeze(CardChoice::New, "");
    clerk.get(&list).is(200).says(&["核对名单", UNIT, "12", "签发 12 张证", "样子，不能验真"]);

    // Whoever did not read it does not get past it, and what was typed stays.
    let wrong = clerk.post(&format!("{list}/issue"), &[("count", "11")]);
    wrong.is(422).says(&["名单上是 12 人，与您填写的不同", "value=\"11\"", "aria-invalid"]);
    assert_eq!(console.run_jobs(), 0);

    let job = clerk.post_to(&format!("{list}/issue"), &[("count", "12")]);
    assert_eq!(clerk.post_to(&format!("{list}/issue"), &[("count", "12")]), job, "the same click twice is one job");
    clerk.get(&job).is(200).says(&["排队中", "可以关闭浏览器", "取消任务"]);
    clerk.get(&list).says(&["查看任务", &format!("{job}\"")]);
    let colleague = console.clerk().get(&list);
    colleague.is(200).says(&["由交办的同事和管理员查看"]);
    assert!(!colleague.text().contains(&format!("{job}\"")));
    assert_eq!(console.run_jobs(), 1);
    clerk.get(&job).is(200).says(&["已完成", "12 张", "打印这批证"]);
    assert!(console.numbers(CardChoice::New).is_empty());
    assert_eq!(console.numbers(CardChoice::Unprinted).len(), 12);

    let list = clerk.post_to(&format!("{list}/again"), &[("keep", "with")]);
    clerk.get(&list).says(&["制作 12 张证的打印文件", "作废重制"]);
    let job = clerk.post_to(&format!("{list}/print"), &[("layout", "a4-10up"), ("photos", "yes")]);
    assert_eq!(
        console.numbers(CardChoice::Unprinted).len(),
        12,
        "nothing counts as printed before the files are there"
    );
    assert_eq!(console.run_jobs(), 1);
    assert!(console.numbers(CardChoice::Unprinted).is_empty());
    assert_eq!(console.numbers(CardChoice::Waiting).len(), 12);
    clerk.get(&job).says(&["打印文件", "12 张", "照片处印姓名首字", "下载全部"]);

    // The same asked for by a colleague is not made twice, and does not lead them to a page that they may not see.
    let same = [("layout", "a4-10up"), ("photos", "yes")];
    console.clerk().post(&format!("{list}/print"), &same).is(422).says(&["这份名单已由同事交办"]);

    let pdf = clerk.get(&format!("{job}/files/1"));
    pdf.is(200);
    assert_eq!(pdf.header("content-type"), "application/pdf");
    assert_eq!(pdf.header("content-length"), pdf.body.len().to_string());
    assert!(pdf.body.starts_with(b"%PDF-"));
    let archive = clerk.get(&format!("{job}/files/2"));
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive.body)).unwrap();
    assert_eq!(archive.len(), 1);
    let mut inside = Vec::new();
    archive.by_index(0).unwrap().read_to_end(&mut inside).unwrap();
    assert_eq!(inside, pdf.body);
    clerk.get(&format!("{job}/files/3")).is(404);
    clerk.get(&format!("{job}/files/0")).is(404);

    // Somebody else's job is nobody's; an administrator's eyes reach it.
    console.clerk().get(&job).is(404);
    console.clerk().get(&format!("{job}/files/1")).is(404);
    console.of_unit(UNIT).get(&job).is(404);
    console.admin().get(&job).is(200);

    clerk.get(&format!("{job}/remove")).is(200).says(&["不能恢复"]);
    clerk.post(&format!("{job}/remove"), &[]).location();
    clerk.get(&job).says(&["文件已清除"]);
    clerk.get(&format!("{job}/files/1")).is(404);
}

fn a_job_survives_a_killed_server(database: Database) {
    let console = ConsoleApp::new(database);
    console.without_second_person();
    console.register(UNIT, "02", &sheets::people(1100));
    let clerk = console.clerk();
    let list = clerk.freeze(CardChoice::New, "");
    let job = clerk.post_to(&format!("{list}/issue"), &[("count", "1100")]);
    let id = id_of(&job);

    // The server dies after the first thousand: its work is dropped where it stands.
    console.app.wait(async {
        tokio::select! {
            _ = console.app.federation.run_jobs_once() => panic!("it came to its end before it was killed"),
            () = reached(&clerk, id, 1000) => {}
        }
    });
    let signed = console.numbers(CardChoice::Unprinted).len();
    assert!((1000..1100).contains(&signed), "{signed}");

    // Another one on the same database leaves it alone while the first might live, then goes on.
    let second = console.app.second();
    assert_eq!(console.app.wait(second.federation.run_jobs_once()).unwrap(), 0);
    console.app.pass(SignedDuration::from_secs(60));
    clerk.get(&format!("{job}/progress")).says(&["没有响应", "自动接着做", "1000 / 1100"]);
    assert_eq!(console.app.wait(second.federation.run_jobs_once()).unwrap(), 1);

    let done = console.app.wait(clerk.desk.job(id)).unwrap();
    assert_eq!((done.state, done.attempts), (JobState::Done, 2));
    assert_eq!(done.result.unwrap().cards, 1100);
    let cards = console.numbers(CardChoice::Valid);
    assert_eq!(cards.len(), 1100);
    let store = console.store();
    let history = console.app.wait(async {
        let mut reader = store.read().await.unwrap();
        let mut all = 0;
        for number in [&cards[0], &cards[999], &cards[1099]] {
            all += reader.certificate_history(number).await.unwrap().len();
        }
        all
    });
    assert_eq!(history, 3, "nobody was signed for twice");
    clerk.get(&job).says(&["续做", "1 次"]);
}

fn two_servers_share_the_queue(database: Database) {
    let console = ConsoleApp::new(database);
    console.register(UNIT, "02", &sheets::people(30));
    let second = console.app.second();
    let clerk = console.clerk();
    let numbers = console.numbers(CardChoice::New);
    for part in numbers.chunks(10) {
        let list = clerk.post_to("/cards/numbers/text", &[("numbers", &part.join("\n"))]);
        clerk.post(&format!("{list}/issue"), &[("count", "10")]).location();
    }
    let (first, other) = console
        .app
        .wait(async { tokio::join!(console.app.federation.run_jobs_once(), second.federation.run_jobs_once()) });
    let left = console.run_jobs();
    assert_eq!(first.unwrap() + other.unwrap() + left, 3, "each job was carried out by one of them");
    assert_eq!(console.numbers(CardChoice::Valid).len(), 30);
}

fn a_job_is_stopped_and_goes_on(database: Database) {
    let console = ConsoleApp::new(database);
    console.without_second_person();
    console.register(UNIT, "02", &sheets::people(1100));
    let clerk = console.clerk();
    let list = clerk.freeze(CardChoice::New, "");
    let job = clerk.post_to(&format!("{list}/issue"), &[("count", "1100")]);
    let id = id_of(&job);
    console.app.wait(async {
        let cancelled = async {
            reached(&clerk, id, 1).await;
            clerk.desk.cancel_job(id).await
        };
        // It may have come to its end before the wish arrived: then it says so.
        let (ran, cancelled) = tokio::join!(console.app.federation.run_jobs_once(), cancelled);
        (ran.unwrap(), cancelled.is_ok())
    });
    let stopped = console.app.wait(clerk.desk.job(id)).unwrap();
    if stopped.state == JobState::Cancelled {
        clerk.get(&job).says(&["已取消", "继续"]);
        clerk.post(&format!("{job}/retry"), &[]).location();
        assert_eq!(console.run_jobs(), 1);
    }
    assert_eq!(console.numbers(CardChoice::Valid).len(), 1100);
    clerk.post(&format!("{job}/cancel"), &[]).is(422).says(&["已经结束"]);
    clerk.post(&format!("{job}/retry"), &[]).is(422).says(&["没有中断"]);
}

fn a_large_batch_waits_for_a_second_person(database: Database) {
    let console = ConsoleApp::new(database);
    console.register(UNIT, "02", &sheets::people(60));
    let clerk = console.clerk();
    let list = clerk.freeze(CardChoice::New, "");
    clerk.get(&list).says(&["须由另一位同事复核", "提交复核"]);
    assert_eq!(clerk.post_to(&format!("{list}/issue"), &[("count", "60")]), list);
    assert_eq!(clerk.post_to(&format!("{list}/issue"), &[("count", "60")]), list);
    assert_eq!(console.run_jobs(), 0, "nothing happens before the second person");
    clerk.get(&list).says(&["待复核"]);

    let admin = console.admin();
    let waiting = console.app.wait(admin.desk.reviews(Default::default(), "", None)).unwrap();
    assert_eq!(waiting.rows.len(), 1, "the same click twice is one review");
    let review = &waiting.rows[0];
    assert!(review.summary.contains("60 人") && review.summary.contains(UNIT), "{}", review.summary);
    assert!(review.effects.iter().any(|line| line.contains(UNIT)), "{:?}", review.effects);
    let own = console.app.wait(clerk.desk.approve_review(review.id, "", None));
    assert!(matches!(own, Err(DeskError::Refused(_))), "nobody approves their own step");

    console.app.wait(admin.desk.approve_review(review.id, "", None)).unwrap();
    assert_eq!(console.run_jobs(), 1);
    assert_eq!(console.numbers(CardChoice::Valid).len(), 60);
    let jobs = console.app.wait(clerk.desk.jobs("", None, 10)).unwrap();
    assert_eq!(jobs.len(), 1, "it is the job of whoever asked");
    assert_eq!(jobs[0].asked_by, clerk.desk.staff().name);
    for (words, found) in [(jobs[0].title.as_str(), true), ("没有的", false)] {
        let asked = serde_html_form::to_string([("q", words)]).unwrap();
        let page = clerk.get(&format!("/cards/jobs?{asked}")).is(200).text();
        assert_eq!(page.contains("没有符合条件的任务"), !found);
        let book = workbook(&clerk.get(&format!("/cards/jobs/export?{asked}")));
        assert_eq!(book.contains(&jobs[0].title) && book.contains(&jobs[0].asked_by), found);
    }
    clerk.get(&list).says(&["已交给任务"]);
}

#[test]
fn a_print_job_keeps_the_files_that_are_complete() {
    let console = ConsoleApp::new(Database::sqlite());
    console.register(UNIT, "02", &sheets::people(230));
    console.issue_all().unwrap();
    let clerk = console.clerk();
    let list = clerk.freeze(CardChoice::Unprinted, "");
    let job = clerk.post_to(&format!("{list}/print"), &[("layout", "a4-8up"), ("photos", "yes")]);
    let first = console.app.path(&format!("work/jobs/{}/cards-0001.pdf", id_of(&job)));
    console.app.wait(async {
        let file = async {
            while !first.is_file() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = console.app.federation.run_jobs_once() => panic!("it came to its end before it was killed"),
            () = file => {}
        }
    });
    assert_eq!(console.numbers(CardChoice::Unprinted).len(), 230, "half a job has printed nothing");
    // A later minute would stand in a file made anew.
    let before = std::fs::read(&first).unwrap();
    console.app.pass(SignedDuration::from_mins(5));
    assert_eq!(console.run_jobs(), 1);
    assert_eq!(std::fs::read(&first).unwrap(), before);
    let done = console.app.wait(clerk.desk.job(id_of(&job))).unwrap().result.unwrap();
    assert_eq!((done.cards, done.files.len(), done.without_photo), (230, 3, 230));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(first.parent().unwrap()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    // After a fortnight nothing is left of it.
    console.app.pass(SignedDuration::from_hours(13 * 24));
    assert_eq!(console.app.wait(console.app.federation.tidy_up()).unwrap().jobs, 0);
    console.app.pass(SignedDuration::from_hours(2 * 24));
    assert_eq!(console.app.wait(console.app.federation.tidy_up()).unwrap().jobs, 1);
    assert!(!first.exists());
}

#[test]
fn a_card_that_ends_while_it_is_printed_is_named() {
    let console = ConsoleApp::new(Database::sqlite());
    console.register(UNIT, "02", &sheets::people(3));
    console.issue_all().unwrap();
    let clerk = console.clerk();
    let numbers = console.numbers(CardChoice::Valid);
    let list = clerk.freeze(CardChoice::Unprinted, "");
    let job = clerk.post_to(&format!("{list}/print"), &[("layout", "cr80")]);
    let number = zyz_credential::CertificateNumber::parse(&numbers[0]).unwrap();
    console.app.wait(console.app.federation.revoke(number, zyz::domain::certificate::Reason::Exit)).unwrap();
    assert_eq!(console.run_jobs(), 1);
    let done = console.app.wait(clerk.desk.job(id_of(&job))).unwrap().result.unwrap();
    assert_eq!((done.cards, done.skipped), (2, 1));
}

#[test]
fn a_server_that_ends_lets_go_of_its_job() {
    let console = ConsoleApp::new(Database::sqlite());
    console.without_second_person();
    console.register(UNIT, "02", &sheets::people(1100));
    let clerk = console.clerk();
    let list = clerk.freeze(CardChoice::New, "");
    let job = clerk.post_to(&format!("{list}/issue"), &[("count", "1100")]);
    let ending = AtomicBool::new(false);
    let ended = console.app.wait(async {
        let told = async {
            reached(&clerk, id_of(&job), 1000).await;
            ending.store(true, Ordering::Relaxed);
        };
        tokio::join!(console.app.federation.run_jobs(&ending), told).0
    });
    // Without waiting for anything to run out, the next one goes on.
    let more = console.run_jobs();
    assert_eq!(ended.unwrap() + more, 1);
    assert_eq!(console.numbers(CardChoice::Valid).len(), 1100);
}

#[test]
fn whoever_may_not_sign_cannot_ask_for_it() {
    let console = ConsoleApp::new(Database::sqlite());
    console.register(UNIT, "02", &sheets::people(3));
    let list = console.clerk().freeze(CardChoice::New, "");
    for (role, scope) in [(Role::County, Scope::County(2)), (Role::Oversight, Scope::All)] {
        let client = console.sign_in(role, scope);
        client.post("/cards/choose/freeze", &[("kind", "new")]).is(403);
        client.post(&format!("{list}/issue"), &[("count", "3")]).is(403);
        client.get("/cards/choose").is(200).says(&["从未制证"]);
    }
    console.sign_in(Role::County, Scope::County(2)).get(&list).is(404);
    console.sign_in(Role::Oversight, Scope::All).get(&list).is(200);
}

/// Ends when a job has come so far.
async fn reached(client: &Client<'_>, id: i64, steps: u64) {
    loop {
        let job = client.desk.job(id).await.unwrap();
        if job.done >= steps || !job.state.is_open() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

fn id_of(address: &str) -> i64 {
    address.rsplit('/').next().unwrap().parse().unwrap()
}
