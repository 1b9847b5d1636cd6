//! Invented people, cards and hours, many and quickly: volunteers through the store, which seals what it must, the rest by
//! statements over whole tables.

use jiff::civil::Date;
use sqlx::{AssertSqlSafe, Connection, Row};
use zyz::domain::identity::check_character_for;
use zyz::service::Federation;
use zyz::store::{Contact, ImportCounts, ImportKind, NewImport, NewVolunteer, Store, UnitId};
use zyz_credential::CertificateNumber;

/// Counties with their share of the people, in hundredths; as uneven as the city.
const COUNTIES: [(u8, u32); 11] =
    [(0, 8), (2, 30), (21, 8), (22, 10), (23, 10), (24, 9), (25, 6), (26, 4), (27, 4), (28, 9), (29, 2)];
/// Tables with keys out of a counter that `rooms.sql` fills.
const FILLED: &[&str] = &[
    "application",
    "card_list",
    "certificate",
    "correction",
    "county_delivery",
    "delivery",
    "handout",
    "import",
    "job",
    "offer",
    "partner",
    "partner_device",
    "review",
    "roster_draft",
    "service_activity",
    "service_change",
    "service_dispute",
    "service_proof",
    "service_record",
    "staff",
    "star_award",
    "star_batch",
    "star_draft",
    "star_draft_row",
    "star_objection",
];
/// People a unit.
const A_UNIT: u32 = 200;
/// People a transaction.
const PART: u32 = 50_000;
const FAMILIES: &str = "李王张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤岩玉扎娜艾";

/// Some of what was filled in, to ask for.
pub struct Sample {
    /// Units with their counties.
    pub units: Vec<(i64, u8)>,
    people: Vec<Person>,
    /// How many volunteers there are.
    count: usize,
}

struct Person {
    number: String,
    name: String,
    phone: String,
    identity: String,
}

impl Sample {
    /// `text` with the names in braces filled in for the `n`th request.
    pub fn written(&self, text: &str, n: usize) -> String {
        let person = &self.people[n * 7 % self.people.len()];
        let family: String = person.name.chars().take(1).collect();
        text.replace("{number}", &person.number)
            .replace("{serial}", &person.number.to_string())
            .replace("{unit}", &self.units[n * 13 % self.units.len()].0.to_string())
            .replace("{id}", &(n * 7919 % self.count.min(10_000) + 2).to_string())
            .replace("{name}", &percent(&person.name))
            .replace("{family}", &percent(&family))
            .replace("{phone}", &person.phone)
            .replace("{identity}", &person.identity)
    }
}

/// Fills an empty database, or with `known` only remembers what is in it.
pub async fn fill(federation: &Federation, store: &Store, url: &str, people: u32, known: bool) -> Sample {
    let mut sample = Sample { units: Vec::new(), people: Vec::new(), count: people as usize };
    let mut n = 0;
    for (county, share) in COUNTIES {
        let count = people / 100 * share;
        let mut tx = store.begin("bench", federation.now()).await.unwrap();
        let mut units = Vec::new();
        for unit in 0..count.div_ceil(A_UNIT) {
            let kind = ["中学", "社区居民委员会", "卫生院", "茶业有限公司", "人民政府"][unit as usize % 5];
            units.push(tx.ensure_unit(county, &format!("第{unit}{kind}")).await.unwrap().id);
        }
        tx.commit().await.unwrap();
        sample.units.extend(units.iter().map(|unit| (unit.0, county)));
        let mut done = 0;
        while done < count {
            let part = PART.min(count - done);
            let numbers: Vec<CertificateNumber> =
                (done + 1..=done + part).map(|serial| CertificateNumber::from_parts(county, serial).unwrap()).collect();
            let new: Vec<NewVolunteer> = numbers
                .iter()
                .map(|number| {
                    n += 1;
                    person(n, *number, units[(number.serial() / A_UNIT) as usize % units.len()])
                })
                .collect();
            for new in new.iter().step_by(997) {
                sample.people.push(Person {
                    number: new.number.clone(),
                    name: new.name.clone(),
                    phone: new.contact.phone.clone().unwrap_or_default(),
                    identity: new.identity.clone(),
                });
            }
            if !known {
                register(federation, store, county, new).await;
                eprintln!("  {n} registered");
            }
            done += part;
        }
    }
    if !known {
        rest(url, federation.now().as_second(), people).await;
        store.refresh_statistics().await.unwrap();
        let began = std::time::Instant::now();
        federation.recount_now().await.unwrap();
        eprintln!("  statistics counted in {:.1} s", began.elapsed().as_secs_f64());
    }
    sample
}

async fn register(federation: &Federation, store: &Store, county: u8, new: Vec<NewVolunteer>) {
    let mut tx = store.begin("bench", federation.now()).await.unwrap();
    tx.draw_serials(county, new.len()).await.unwrap();
    let import =
        NewImport { kind: ImportKind::Roster, file_name: "bench.xlsx".into(), file_sha256: [7; 32], unit: None };
    let import = tx.begin_import(import).await.unwrap();
    let count = new.len() as u64;
    tx.insert_volunteers(Some(import.id()), new).await.unwrap();
    let counts = ImportCounts { rows: count, imported: count, known: 0, refused: 0 };
    tx.finish_import(import, &counts).await.unwrap();
    tx.commit().await.unwrap();
}

/// What the rooms hold, by the statements of `rooms.sql`.
async fn rest(url: &str, now: i64, people: u32) {
    let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
    let postgres = url.starts_with("postgres");
    let words = match postgres {
        true => [
            ("{hash16}", "decode(md5(random()::text), 'hex')"),
            ("{hash}", "decode(md5(random()::text) || md5(random()::text), 'hex')"),
            ("{code}", "decode(repeat('00', 220), 'hex')"),
            ("{text}", "decode(repeat('00', 600), 'hex')"),
        ],
        false => [
            ("{hash16}", "randomblob(16)"),
            ("{hash}", "randomblob(32)"),
            ("{code}", "zeroblob(220)"),
            ("{text}", "zeroblob(600)"),
        ],
    };
    let text = words.iter().fold(include_str!("rooms.sql").to_owned(), |text, (word, sql)| text.replace(word, sql));
    let text = text.replace("{now}", &now.to_string()).replace("{imports}", &people.min(20_000).to_string());
    let mut statements: Vec<String> =
        text.lines().filter(|line| !line.is_empty() && !line.starts_with("--")).map(str::to_owned).collect();
    for table in FILLED {
        statements.push(format!(
            "INSERT INTO counter (name, value) SELECT '{table}', max(id) FROM {table} WHERE true \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        ));
    }
    for statement in statements {
        let done = sqlx::query(AssertSqlSafe(statement.clone())).execute(&mut connection).await;
        let rows = done.unwrap_or_else(|error| panic!("{error}: {statement}")).rows_affected();
        eprintln!("  {rows} rows: {}", statement.split_whitespace().take(3).collect::<Vec<_>>().join(" "));
    }
    if postgres {
        // What the server does by itself within minutes.
        sqlx::query("VACUUM ANALYZE").execute(&mut connection).await.unwrap();
        let row = sqlx::query("SELECT pg_database_size(current_database())").fetch_one(&mut connection).await.unwrap();
        eprintln!("  {} MB", row.get::<i64, _>(0) / 1_000_000);
    }
    connection.close().await.unwrap();
}

/// The `n`th invented person: one in a thousand shares name and birth date with somebody, one in five hundred a telephone.
pub fn person(n: u32, number: CertificateNumber, unit: UnitId) -> NewVolunteer {
    let families: Vec<char> = FAMILIES.chars().collect();
    let mixed = n.wrapping_mul(2_654_435_761);
    // The first families are far more frequent than the last.
    let family = families[((mixed % 1000) * (mixed / 1000 % 1000) / 1000) as usize * families.len() / 1000];
    let given = |shift: u32| char::from_u32(0x4e00 + (mixed >> shift) % 900).unwrap();
    let name = match mixed % 4 {
        0 => format!("{family}{}", given(5)),
        _ => format!("{family}{}{}", given(5), given(13)),
    };
    let birth = Date::new(1966 + (n % 46) as i16, (n / 46 % 12 + 1) as i8, (n / 552 % 28 + 1) as i8).unwrap();
    let male = n.is_multiple_of(2);
    let first = format!(
        "{}{:04}{:02}{:02}{:03}",
        530_800 + n / 7_728_000 * 30 + n / 15_456 % 30,
        birth.year(),
        birth.month(),
        birth.day(),
        n / 463_680 % 499 * 2 + u32::from(male)
    );
    NewVolunteer {
        number: number.to_string(),
        name,
        sex: if male { 1 } else { 2 },
        ethnicity: 1 + (n % 30) as u8,
        birth_date: birth,
        political: Some(13),
        unit,
        identity: format!("{first}{}", check_character_for(&first).unwrap()),
        contact: Contact {
            phone: Some(format!("138{:08}", if n.is_multiple_of(500) { n - 1 } else { n })),
            ..Contact::default()
        },
        national_number: None,
    }
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
