//! The search box, the list, the export.

use super::{console, county, numbers, unit};
use crate::on_both;
use crate::support::{Database, sheets};

fn each_kind_of_search_finds(database: Database) {
    let console = console(database);
    let client = console.admin();
    let (all, person) = (numbers(&console), sheets::person(1));
    let search = |q: &str| client.post("/people/search", &[("q", q)]);
    let grouped = all[1].grouped();
    // The number, as it is and in groups, leads to the page.
    for q in [all[1].as_str(), &grouped, &format!(" {grouped} ")] {
        assert_eq!(search(q).location(), format!("/console/people/{}", all[1]));
    }
    // Name, a whole one and its beginning; the beginning of a number; phone; identity number.
    let phone = format!("+86 {} {}", &person.phone[..3], &person.phone[3..]);
    for q in [&person.name, &person.phone, &phone, &person.identity, &person.identity.to_lowercase()] {
        search(q).is(200).says(&[&grouped, &person.name]);
    }
    search("李").is(200).says(&["共 5 人"]);
    search(&all[1].as_str()[..5]).is(200).says(&[&grouped]);
    // A unit by a part of its name.
    search("样例").is(200).says(&["思茅区样例单位", "宁洱县样例单位", "?unit="]);
}

fn what_is_not_there_is_explained(database: Database) {
    let console = console(database);
    let client = console.admin();
    for (q, said) in [
        ("", "请输入姓名"),
        ("欧阳", "没有以此开头的姓名"),
        ("John", "姓名只含汉字"),
        ("19912345678", "没有人登记这个电话"),
        ("530802199001010018", "没有登记过"),
        ("530802199001010019", "校验码"),
        ("123456789012", "位数"),
        ("0200000000", "没有这个编号"),
        ("<b>'\"%_", "姓名只含汉字"),
        ("%", "没有找到"),
    ] {
        client.post("/people/search", &[("q", q)]).is(200).says(&[said]);
    }
}

fn nobody_finds_beyond_their_reach(database: Database) {
    let console = console(database);
    let (all, county, unit) = (numbers(&console), county(&console), unit(&console));
    let (own, foreign) = (sheets::person(1), sheets::person(100));
    for (client, mine, theirs) in
        [(&unit, (&own, all[1]), (&foreign, all[3])), (&county, (&foreign, all[3]), (&own, all[1]))]
    {
        for q in [mine.0.name.as_str(), &mine.0.phone, &mine.0.identity] {
            client.post("/people/search", &[("q", q)]).says(&[&mine.1.grouped()]);
        }
        for q in
            [theirs.0.name.as_str(), &theirs.0.phone, &theirs.0.identity, theirs.1.as_str(), &theirs.1.as_str()[..6]]
        {
            let said = client.post("/people/search", &[("q", q)]).is(200).text();
            assert!(!said.contains(&theirs.1.grouped()), "{q}");
        }
        let list = client.get("/people").is(200).text();
        assert!(list.contains(&mine.1.grouped()) && !list.contains(&theirs.1.grouped()));
        client.get(&format!("/people/{}", theirs.1)).is(404);
    }
    county.get("/people?unit=1").is(404);
    county.get("/people?county=02").is(200).says(&["没有符合条件"]);
}

fn filters_narrow_the_list(database: Database) {
    let console = console(database);
    let (client, all) = (console.admin(), numbers(&console));
    let shown = |query: &str| -> Vec<usize> {
        let text = client.get(&format!("/people?{query}")).is(200).text();
        (0..all.len()).filter(|&i| text.contains(&all[i].grouped())).collect()
    };
    client.post(&format!("/people/{}/suspend", all[0]), &[("reason", "核查情况")]).location();
    let leave = [("name", sheets::person(2).name), ("reason", "书面申请".to_owned())];
    let leave: Vec<(&str, &str)> = leave.iter().map(|(k, v)| (*k, v.as_str())).collect();
    client.post(&format!("/people/{}/exit", all[2]), &leave).location();
    for (query, expected) in [
        ("", vec![0, 1, 2, 3, 4]),
        ("county=21", vec![3, 4]),
        ("unit=1", vec![0, 1, 2]),
        ("unit=%E5%AE%81%E6%B4%B1", vec![3, 4]),
        ("state=exited", vec![2]),
        ("state=active&county=02", vec![0, 1]),
        ("star=0", vec![0, 1, 2, 3, 4]),
        ("star=3", vec![]),
        ("card=none", vec![3, 4]),
        ("card=suspended", vec![0]),
        ("card=valid", vec![1]),
        ("card=unprinted", vec![1]),
        ("card=expiring", vec![]),
        ("card=expired", vec![]),
        ("card=nonsense&star=9&state=x", vec![0, 1, 2, 3, 4]),
    ] {
        assert_eq!(shown(query), expected, "{query}");
    }
    // Near their end, and past it.
    console.app.pass(jiff::SignedDuration::from_hours(24 * 365 * 2 - 24 * 30));
    let client = console.admin();
    let text = client.get("/people?card=expiring").is(200).text() + &client.get("/people?card=expired").is(200).text();
    assert!(text.contains(&all[1].grouped()), "{text}");
}

fn long_lists_have_pages(database: Database) {
    let console = crate::console::ConsoleApp::with_cards(database, 120);
    let client = console.admin();
    let mut seen = std::collections::BTreeSet::new();
    let mut path = "/people?county=&unit=&state=active&star=&card=".to_owned();
    for page in 1..=3 {
        let text = client.get(&path).is(200).says(&["120 人"]).text();
        seen.extend(text.match_indices("/console/people/02").map(|(at, _)| text[at + 16..at + 26].to_owned()));
        match text.split_once("rel=\"next\"") {
            Some((before, _)) => {
                let (_, href) = before.rsplit_once("href=\"").unwrap();
                path = href.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
                path = path.strip_prefix("/console").unwrap_or(&path).to_owned();
                path = path.split_once("/console").map_or(path.clone(), |(_, rest)| rest.to_owned());
            }
            None => assert_eq!(page, 3),
        }
    }
    assert_eq!(seen.len(), 120);
    // A search by name goes on by POST: what was searched for stands in no address.
    let first = client.post("/people/search", &[("q", "李")]).is(200).text();
    assert!(!first.contains("?q="), "{first}");
}

fn the_export_is_masked_and_noted(database: Database) {
    let console = console(database);
    let client = console.admin();
    let answer = client.post("/people/export", &[("county", "02")]);
    answer.is(200);
    assert!(answer.header("content-type").contains("spreadsheetml"));
    let mut book: calamine::Xlsx<_> = calamine::Reader::new(std::io::Cursor::new(answer.body.clone())).unwrap();
    let sheet = calamine::Reader::worksheet_range_at(&mut book, 0).unwrap().unwrap();
    let text: String = sheet.rows().flatten().map(|cell| format!("{cell}|")).collect();
    assert!(text.contains(&numbers(&console)[0].grouped()) && !text.contains(&numbers(&console)[3].grouped()));
    let person = sheets::person(0);
    assert!(text.contains(&person.phone[..3]) && !text.contains(&person.phone) && !text.contains(&person.identity));
    assert_eq!(sheet.height(), 2 + 3);
    // Out of reach: nothing.
    county(&console).post("/people/export", &[("unit", "1")]).is(404);
}

on_both![
    each_kind_of_search_finds,
    what_is_not_there_is_explained,
    nobody_finds_beyond_their_reach,
    filters_narrow_the_list,
    long_lists_have_pages,
    the_export_is_masked_and_noted,
];
