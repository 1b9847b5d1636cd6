//! One activity for very many people: all of them or nobody, and who is in the way.

use zyz::domain::certificate::Reason;
use zyz::domain::staff::{Role, Scope};
use zyz_credential::CertificateNumber;

use crate::console::{Client, ConsoleApp};
use crate::on_both;
use crate::people::import;
use crate::support::{Database, sheets};

on_both![five_hundred_are_entered_at_once, one_who_is_in_the_way_stops_all, more_than_the_limit_is_refused_whole];

const UNIT: &str = "思茅区样例单位";
/// Somebody of another unit.
const STRANGER: &str = "玉波罕";

/// 502 people of one unit and one of another.
struct Crowd {
    console: ConsoleApp,
    unit: String,
    people: Vec<CertificateNumber>,
    stranger: CertificateNumber,
}

impl Crowd {
    fn new(database: Database) -> Self {
        let console = ConsoleApp::new(database);
        import(&console, UNIT, "02", &sheets::people(502));
        let stranger = sheets::Somebody { name: STRANGER.into(), ..sheets::person(600) };
        import(&console, "思茅区文化馆", "02", &[stranger]);
        let of = |unit: &str| -> Vec<CertificateNumber> {
            let filter = zyz::service::volunteers::ListFilter { unit: Some(unit.into()), ..Default::default() };
            let people = console.app.wait(console.app.federation.volunteers(&filter)).unwrap();
            people.iter().map(|person| CertificateNumber::parse(&person.number).unwrap()).collect()
        };
        let (people, stranger) = (of(UNIT), of("思茅区文化馆")[0]);
        assert_eq!(people.len(), 502);
        let unit = console.app.wait(console.admin().desk.hours_find_units("样例")).unwrap()[0].id.to_string();
        Self { console, unit, people, stranger }
    }

    /// Sends the form of 3 hours on Friday 20 November; `own` are hours of people's own.
    fn send(
        &self,
        client: &Client<'_>,
        step: &str,
        people: &[CertificateNumber],
        own: &[(CertificateNumber, &str)],
    ) -> crate::server::Answer {
        let numbers: Vec<String> = people.iter().map(|number| number.as_str().to_owned()).collect();
        let own: Vec<_> = own.iter().map(|(number, hours)| (format!("h.{number}"), *hours)).collect();
        let mut fields = vec![
            ("unit", self.unit.as_str()),
            ("step", step),
            ("name", "周五环境集中整治日"),
            ("date", "2026-11-20"),
            ("start", "08:30"),
            ("end", "11:30"),
            ("hours", ""),
            ("content", "清扫洗马湖步道"),
            ("place", "洗马湖公园"),
            ("item", "3"),
            ("organiser", UNIT),
            ("in_charge", "岩温扁"),
        ];
        fields.extend(own.iter().map(|(name, hours)| (name.as_str(), *hours)));
        fields.extend(numbers.iter().map(|number| ("chosen", number.as_str())));
        client.post("/hours/enter", &fields)
    }

    /// How many events the trail has.
    fn events(&self) -> i64 {
        let store = self.console.app.wait(self.console.app.store());
        self.console.app.wait(async { store.read().await.unwrap().audit_head().await.unwrap().0 })
    }
}

fn five_hundred_are_entered_at_once(database: Database) {
    let crowd = Crowd::new(database);
    let clerk = crowd.console.sign_in(Role::FederationClerk, Scope::All);
    // The last of them alone, to know what an entry writes in the trail.
    let before = crowd.events();
    crowd.send(&clerk, "save", &crowd.people[501..], &[]).location();
    let of_one = crowd.events() - before;

    let many = &crowd.people[..500];
    let own = [(many[7], "1.5")];
    crowd.send(&clerk, "check", many, &own).is(200).says(&["500 人，1498.5 小时", "确认录入 500 人"]);
    let before = crowd.events();
    let entry = crowd.send(&clerk, "save", many, &own).location().strip_prefix("/console").unwrap().to_owned();
    assert_eq!(crowd.events() - before, of_one, "an entry has as many events for 500 as for one");
    clerk.get(&entry).is(200).says(&["500 条，共 1498.5 小时"]);
    clerk.get("/hours").is(200).says(&["共 501 条，合计 1501.5 小时"]);
    // Each of them, and nobody else.
    for (number, hours) in [(many[0], "3 小时"), (many[7], "1.5 小时"), (many[499], "3 小时")] {
        clerk.get(&format!("/hours/people/{number}")).is(200).says(&[hours, "周五环境集中整治日"]);
    }
    clerk.get(&format!("/hours/people/{}", crowd.people[500])).says(&["还没有服务记录"]);
    let records = crowd.console.app.wait(async {
        let store = crowd.console.app.store().await;
        let mut reader = store.read().await.unwrap();
        let mut with = 0;
        for number in many {
            let person = reader.volunteer(number.as_str()).await.unwrap().unwrap().id;
            let day = jiff::civil::date(2026, 11, 20);
            with += usize::from(reader.service_minutes(person, day, day).await.unwrap().0 > 0);
        }
        with
    });
    assert_eq!(records, 500);
}

fn one_who_is_in_the_way_stops_all(database: Database) {
    let crowd = Crowd::new(database);
    let app = &crowd.console.app;
    let clerk = crowd.console.sign_in(Role::FederationClerk, Scope::All);
    app.wait(app.federation.revoke(crowd.people[11], Reason::Exit)).unwrap();
    crowd.send(&clerk, "save", &crowd.people[12..13], &[]).location();
    let mut many = crowd.people[..499].to_vec();
    many.push(crowd.stranger);
    let own = [(many[42], "半天")];
    let before = crowd.events();
    for step in ["check", "save"] {
        let answer = crowd.send(&clerk, step, &many, &own);
        let page = answer.is(if step == "check" { 200 } else { 409 }).text();
        // Whoever is in the way stands first, by name and number, with what is wrong.
        let rows = crate::html::rows(&page);
        let first: Vec<_> = rows.iter().skip(1).take(5).collect();
        let expected = [
            (sheets::person(11).name, crowd.people[11], "已退出志愿服务组织"),
            (sheets::person(12).name, crowd.people[12], "服务时间重叠"),
            (sheets::person(42).name, crowd.people[42], "小时数请写成 2 或 2.5"),
            // Of another unit's volunteer not even the name is told.
            (String::new(), crowd.stranger, "不是本单位的志愿者"),
        ];
        for (row, (name, number, problem)) in first.iter().zip(expected) {
            assert_eq!((row[0].as_str(), row[1].as_str()), (name.as_str(), number.grouped().as_str()));
            assert!(row[3].contains(problem), "{row:?}");
        }
        assert_eq!(first[4][3], "可录入");
        assert!(!page.contains(STRANGER));
    }
    assert_eq!(crowd.events(), before, "nothing was written, not even half of it");
    clerk.get("/hours").is(200).says(&["共 1 条，合计 3 小时"]);
    clerk.get(&format!("/hours/people/{}", many[0])).says(&["还没有服务记录"]);
    // Without these four the others are entered.
    let good: Vec<_> =
        many.iter().enumerate().filter(|(at, _)| ![11, 12, 499].contains(at)).map(|(_, who)| *who).collect();
    crowd.send(&clerk, "save", &good, &[]).location();
    clerk.get("/hours").says(&["共 498 条"]);
    // The same form sent again writes nothing.
    crowd.send(&clerk, "save", &good, &[]).is(409).says(&["没有写入任何记录"]);
    clerk.get("/hours").says(&["共 498 条"]);
}

fn more_than_the_limit_is_refused_whole(database: Database) {
    let crowd = Crowd::new(database);
    let clerk = crowd.console.sign_in(Role::FederationClerk, Scope::All);
    // Right numbers that nobody has, besides the people that there are.
    let mut many = crowd.people.clone();
    let right = |n: u32| {
        (0..10)
            .find_map(|check| CertificateNumber::parse(&format!("02{n:07}{check}")).ok())
            .expect("a check digit fits")
    };
    many.extend((9_000_000..).map(right).take(2_001 - many.len()));
    let before = crowd.events();
    for step in ["check", "save"] {
        let answer = crowd.send(&clerk, step, &many, &[]);
        answer.is(422).says(&["一次最多录入 2000 人，请分次录入", "value=\"周五环境集中整治日\""]);
        // Nobody's tick is lost.
        answer.says(&["已选 2001 人", crowd.people[501].as_str(), many[2_000].as_str()]);
    }
    // One fewer is looked at, person by person.
    crowd.send(&clerk, "check", &many[..2_000], &[]).is(200).says(&["1498 人有问题"]);
    assert_eq!(crowd.events(), before);
    // A form larger than any form of ours is refused before it is read.
    let huge = "字".repeat(400_000);
    let fields = [("unit", crowd.unit.as_str()), ("step", "save"), ("content", &huge)];
    clerk.post("/hours/enter", &fields).is(413);
    assert_eq!(crowd.events(), before);
    clerk.get("/hours").says(&["没有符合条件的服务记录"]);
}
