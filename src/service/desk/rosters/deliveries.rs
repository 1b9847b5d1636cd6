//! Rosters delivered, and the window of 1 to 30 September in which the federation takes them for its archive.

use jiff::civil::{Date, date};

use super::{PAGE, shown, unit_within_reach};
use crate::clock::beijing_date;
use crate::domain::division::County;
use crate::domain::staff::{Permission, federation_approves};
use crate::roster::export::{self, Cell};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError, sought};
use crate::store::{
    COUNTED, CountyDelivery, CountyDeliveryId, Delivery, DeliveryFilter, DeliveryId, DeliverySource, DeliveryStanding,
    NewDelivery, UnitId, WindowFilter, WindowLine,
};

/// Lines of one export.
const EXPORTED: u32 = 20_000;
/// The first year for which there can be rosters: the notice is of 2018.
const FIRST_YEAR: i16 = 2018;

/// What is asked of the window's list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WindowAsked {
    /// The year; 0 for the present one.
    pub year: i16,
    /// Of this county.
    pub county: Option<u8>,
    /// Part of the unit's name.
    pub name: String,
    /// `inside`, `outside`, `missing`; anything else for all.
    pub standing: String,
    /// After the unit with this key.
    pub after: Option<i64>,
}

/// What is asked of the list of delivered rosters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveredAsked {
    /// Of the unit with this key.
    pub unit: Option<i64>,
    /// Part of the unit's name.
    pub name: String,
    /// For this year's window.
    pub year: Option<i16>,
    /// Older than the delivery with this key.
    pub before: Option<i64>,
}

/// A year's window.
#[derive(Debug, Clone)]
pub struct WindowPage {
    /// The year.
    pub year: i16,
    /// Years that can be chosen, newest first.
    pub years: Vec<i16>,
    /// What the calendar says: how many days are left, or since when it is over.
    pub calendar: String,
    /// Whether today lies within it.
    pub now_inside: bool,
    /// Counties: code, name, units, inside, outside, missing, people.
    pub counties: Vec<(u8, &'static str, [u64; 5])>,
    /// Units.
    pub units: Vec<WindowUnit>,
    /// Key after which the next page begins, if there is one.
    pub next: Option<i64>,
}

/// A unit in a year's window.
#[derive(Debug, Clone)]
pub struct WindowUnit {
    /// Key.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Its county's name.
    pub county: &'static str,
    /// 按期送达, 窗口外（迟交）, 窗口外（提前）, 未送达, 待送达.
    pub standing: &'static str,
    /// Mark of the badge.
    pub mark: &'static str,
    /// Key of the delivery that counts.
    pub delivery: Option<i64>,
    /// Its day, or empty.
    pub on: String,
    /// People in it.
    pub people: u64,
    /// Whether the stamped copy was received.
    pub stamped: bool,
    /// Whether it is archived.
    pub archived: bool,
    /// 直报联合会 or 经县汇总.
    pub route: &'static str,
}

/// A delivered roster, as pages show it.
#[derive(Debug, Clone)]
pub struct DeliveryView {
    /// Key.
    pub id: i64,
    /// Key of the unit.
    pub unit: i64,
    /// Name of the unit.
    pub unit_name: String,
    /// Its county's code.
    pub county_code: u8,
    /// Its county's name.
    pub county: &'static str,
    /// Year of the window.
    pub year: i16,
    /// The day it was delivered.
    pub on: String,
    /// Whether that was within the window.
    pub inside: bool,
    /// People in it.
    pub people: u64,
    /// 上传名册 or 系统内名册.
    pub source: &'static str,
    /// Key of the spreadsheet it was.
    pub draft: Option<i64>,
    /// Name of who delivered it, and when.
    pub delivered: (String, String),
    /// Name of who received the stamped copy, and when.
    pub stamped: Option<(String, String)>,
    /// Whether the county handed it on.
    pub handed_on: bool,
    /// Name of who archived it, and when.
    pub archived: Option<(String, String)>,
    /// Whether the federation takes it directly.
    pub direct: bool,
    /// Whether the person may note the stamped copy now.
    pub may_stamp: bool,
    /// Whether the person may archive it now.
    pub may_archive: bool,
}

/// A county's table of a year.
#[derive(Debug, Clone)]
pub struct CountyTable {
    /// The county's code.
    pub county_code: u8,
    /// Its name.
    pub county: &'static str,
    /// The year.
    pub year: i16,
    /// Its units' rosters.
    pub rosters: Vec<DeliveryView>,
    /// Key after which the next page begins, if there is one.
    pub next: Option<i64>,
    /// Units and people of stamped rosters not handed on yet.
    pub ready: (u64, u64),
    /// What was handed on: key, units, people, by whom and when, archived by whom and when.
    pub handed: Vec<HandedOn>,
    /// Whether the person may hand on.
    pub may_hand_on: bool,
    /// Whether the person may archive.
    pub may_archive: bool,
}

/// What a county handed on as one.
#[derive(Debug, Clone)]
pub struct HandedOn {
    /// Key.
    pub id: i64,
    /// Units in it.
    pub units: u64,
    /// People in its rosters, added up.
    pub people: u64,
    /// Name of who handed it on, and when.
    pub handed: (String, String),
    /// Name of who archived it, and when.
    pub archived: Option<(String, String)>,
}

impl Desk {
    /// A year's window: counties, and units page by page.
    ///
    /// # Errors
    /// The role may not see it.
    pub async fn archive_window(&self, asked: &WindowAsked) -> Result<WindowPage, DeskError> {
        self.need(Permission::ViewPeople)?;
        let today = beijing_date(self.office().now());
        let year = self.window_year(asked.year);
        let reach = self.reach()?;
        let mut reader = self.office().store.read().await?;
        let counties = reader.window_by_county(reach, year).await?;
        let after = asked.after.map(UnitId);
        let mut lines = reader.window_lines(reach, year, &filter(asked), after, PAGE + 1).await?;
        let more = lines.len() > PAGE as usize;
        lines.truncate(PAGE as usize);
        let next = lines.last().filter(|_| more).map(|line| line.unit.0);
        let counties = counties.into_iter().map(|county| {
            let missing = county.units - county.inside - county.outside;
            let name = County::from_code(county.county).map_or("", County::name);
            (county.county, name, [county.units, county.inside, county.outside, missing, county.people])
        });
        Ok(WindowPage {
            year,
            years: self.roster_years(),
            calendar: calendar(year, today),
            now_inside: inside(year, today),
            counties: counties.collect(),
            units: lines.into_iter().map(|line| window_unit(line, today, year)).collect(),
            next,
        })
    }

    /// The window's list as a workbook.
    ///
    /// # Errors
    /// As [`Self::archive_window`].
    pub async fn archive_window_workbook(&self, asked: &WindowAsked) -> Result<(String, Vec<u8>), DeskError> {
        self.need(Permission::ViewPeople)?;
        let today = beijing_date(self.office().now());
        let year = self.window_year(asked.year);
        let mut reader = self.office().store.read().await?;
        let lines = reader.window_lines(self.reach()?, year, &filter(asked), None, EXPORTED).await?;
        let headers = ["县（区）", "单位", "报送途径", "情况", "送达日期", "名册人数", "盖章件", "存档"];
        let rows = lines.into_iter().map(|line| window_unit(line, today, year)).map(|unit| {
            vec![
                Cell::from(unit.county),
                Cell::from(unit.name),
                Cell::from(unit.route),
                Cell::from(unit.standing),
                Cell::from(unit.on),
                Cell::from(unit.people),
                Cell::from(if unit.stamped { "已收" } else { "" }),
                Cell::from(if unit.archived { "已存档" } else { "" }),
            ]
        });
        let title = format!("{year} 年《普洱市志愿者统计表》存档情况");
        let bytes = export::table(&title, &headers, rows, today).map_err(ServiceError::from)?;
        Ok((format!("{year}年名册存档情况.xlsx"), bytes))
    }

    /// Delivers a unit's people as they are registered, without a spreadsheet, and returns the delivery's key.
    ///
    /// # Errors
    /// No unit within reach; nobody is registered there.
    pub async fn deliver_register(&self, unit: i64) -> Result<i64, DeskError> {
        self.need(Permission::ImportRoster)?;
        let mut tx = self.office().begin().await?;
        let unit = unit_within_reach(self, &mut tx, UnitId(unit)).await?;
        let people = tx.volunteers_of_unit(unit.id).await?;
        if people == 0 {
            let words = format!("{}还没有已注册的志愿者：请先上传名册", unit.name);
            return Err(DeskError::Refused(words));
        }
        // Counted in full where the list's figure stops.
        let people = if people < COUNTED { people } else { tx.all_volunteers_of_unit(unit.id).await? };
        let on = beijing_date(tx.now());
        let new = NewDelivery { unit: unit.id, on, people, source: DeliverySource::Register, draft: None };
        let id = tx.insert_delivery(&new).await?;
        tx.commit().await?;
        Ok(id.0)
    }

    /// Delivered rosters, newest first; one more than [`PAGE`] if there are more.
    ///
    /// # Errors
    /// The role may not see them.
    pub async fn delivered_rosters(&self, asked: &DeliveredAsked) -> Result<Vec<DeliveryView>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let name = Some(sought(&asked.name)).filter(|name| !name.is_empty());
        let filter = DeliveryFilter { unit: asked.unit.map(UnitId), name, year: asked.year };
        let found = reader.deliveries(self.reach()?, &filter, asked.before.map(DeliveryId), PAGE + 1).await?;
        Ok(found.into_iter().map(|delivery| self.delivery_view(delivery)).collect())
    }

    /// The years for which there can be rosters, the latest first.
    pub fn roster_years(&self) -> Vec<i16> {
        (FIRST_YEAR..=beijing_date(self.office().now()).year()).rev().collect()
    }

    /// One delivered roster.
    ///
    /// # Errors
    /// There is none within reach.
    pub async fn delivered_roster(&self, id: i64) -> Result<DeliveryView, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let delivery = reader.delivery(DeliveryId(id)).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(delivery.county, delivery.unit)?;
        Ok(self.delivery_view(delivery))
    }

    /// The delivered roster that a confirmed spreadsheet became.
    ///
    /// # Errors
    /// The database fails.
    pub async fn delivery_of_draft(&self, draft: i64) -> Result<Option<i64>, DeskError> {
        let mut reader = self.office().store.read().await?;
        let draft = self.draft_within_reach(&mut reader, draft).await?;
        Ok(reader.delivery_of_draft(draft.id).await?.map(|delivery| delivery.id.0))
    }

    /// Notes that the stamped copy of a roster was received: by the county's 文明办, or by the federation where units deliver
    /// to it directly.
    ///
    /// # Errors
    /// No such roster within reach; it was received before; the federation's is not the county's to receive.
    pub async fn receive_stamped_roster(&self, id: i64) -> Result<(), DeskError> {
        self.need(Permission::AggregateRoster)?;
        let mut tx = self.office().begin().await?;
        let delivery = tx.delivery(DeliveryId(id)).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(delivery.county, delivery.unit)?;
        if federation_approves(delivery.county) {
            self.need(Permission::ArchiveRoster)?;
        }
        if !tx.receive_stamped(delivery.id).await? {
            return Err(DeskError::Refused("盖章纸质件已登记收到，无需重复登记".into()));
        }
        Ok(tx.commit().await?)
    }

    /// Puts a roster that a unit delivered directly into the archive.
    ///
    /// # Errors
    /// No such roster; one of a county's unit, which comes with its county's; no stamped copy; archived before.
    pub async fn archive_roster(&self, id: i64) -> Result<(), DeskError> {
        self.need(Permission::ArchiveRoster)?;
        let mut tx = self.office().begin().await?;
        let delivery = tx.delivery(DeliveryId(id)).await?.ok_or(DeskError::NotFound)?;
        if !federation_approves(delivery.county) {
            let words = "这个单位的名册由县文明办汇总报送：请在该县的汇总表上存档";
            return Err(DeskError::Refused(words.into()));
        }
        if delivery.stamped.is_none() {
            return Err(DeskError::Refused("还没有收到盖章纸质件：请先登记收到，再存档".into()));
        }
        if !tx.archive_delivery(delivery.id).await? {
            return Err(DeskError::Refused("这份名册已经存档，无需重复办理".into()));
        }
        Ok(tx.commit().await?)
    }

    /// A county's table of a year.
    ///
    /// # Errors
    /// There is no such county within reach.
    pub async fn county_table(&self, code: u8, year: i16, after: Option<i64>) -> Result<CountyTable, DeskError> {
        self.need(Permission::ViewPeople)?;
        let county = self.county_of_year(code, year)?;
        let mut reader = self.office().store.read().await?;
        let mut rosters = reader.county_table(code, year, after.map(DeliveryId), PAGE + 1).await?;
        let more = rosters.len() > PAGE as usize;
        rosters.truncate(PAGE as usize);
        let next = rosters.last().filter(|_| more).map(|delivery| delivery.id.0);
        let through_county = !federation_approves(code);
        Ok(CountyTable {
            county_code: code,
            county: county.name(),
            year,
            rosters: rosters.into_iter().map(|delivery| self.delivery_view(delivery)).collect(),
            next,
            ready: reader.ready_to_hand_on(code, year).await?,
            handed: reader.county_deliveries(year, Some(code)).await?.into_iter().map(handed_on).collect(),
            may_hand_on: through_county && self.may(Permission::AggregateRoster),
            may_archive: through_county && self.may(Permission::ArchiveRoster),
        })
    }

    /// A county's table as a workbook, to be handed to the federation: units and figures, nobody's numbers.
    ///
    /// # Errors
    /// As [`Self::county_table`].
    pub async fn county_table_workbook(&self, code: u8, year: i16) -> Result<(String, Vec<u8>), DeskError> {
        self.need(Permission::ViewPeople)?;
        let county = self.county_of_year(code, year)?;
        let mut reader = self.office().store.read().await?;
        let rosters = reader.county_table(code, year, None, EXPORTED).await?;
        let total: u64 = rosters.iter().map(|delivery| delivery.people).sum();
        let headers = ["序号", "单位", "送达日期", "是否在窗口内", "名册人数", "盖章件", "汇总报送", "存档"];
        let rows = (1_i64..).zip(rosters).map(|(serial, delivery)| {
            let view = self.delivery_view(delivery);
            vec![
                Cell::from(serial),
                Cell::from(view.unit_name),
                Cell::from(view.on),
                Cell::from(if view.inside { "是" } else { "窗口外" }),
                Cell::from(view.people),
                Cell::from(if view.stamped.is_some() { "已收" } else { "" }),
                Cell::from(if view.handed_on { "已报" } else { "" }),
                Cell::from(if view.archived.is_some() { "已存档" } else { "" }),
            ]
        });
        let mut rows: Vec<Vec<Cell>> = rows.collect();
        rows.push(vec![Cell::Empty, "合计".into(), Cell::Empty, Cell::Empty, total.into()]);
        let today = beijing_date(self.office().now());
        let title = format!("{}{year} 年志愿者统计表汇总", county.name());
        let bytes = export::table(&title, &headers, rows, today).map_err(ServiceError::from)?;
        Ok((format!("{}{year}年名册汇总.xlsx", county.name()), bytes))
    }

    /// Hands a county's stamped rosters of a year to the federation as one.
    ///
    /// # Errors
    /// Not a county that aggregates; nothing stamped that was not handed on.
    pub async fn hand_on_county_table(&self, code: u8, year: i16) -> Result<(), DeskError> {
        self.need(Permission::AggregateRoster)?;
        let county = self.county_of_year(code, year)?;
        if federation_approves(code) {
            let words = format!("{}的单位直接报送联合会，不经县汇总", county.name());
            return Err(DeskError::Refused(words));
        }
        let mut tx = self.office().begin().await?;
        if tx.hand_on(code, year).await?.is_none() {
            let words = "没有新的已盖章名册可以报送：请先登记收到各单位的盖章纸质件";
            return Err(DeskError::Refused(words.into()));
        }
        Ok(tx.commit().await?)
    }

    /// Puts what a county handed on into the archive. Whoever handed it on does not archive it.
    ///
    /// # Errors
    /// No such thing; archived before; handed on by the same person.
    pub async fn archive_county_table(&self, code: u8, year: i16, id: i64) -> Result<(), DeskError> {
        self.need(Permission::ArchiveRoster)?;
        self.county_of_year(code, year)?;
        let mut tx = self.office().begin().await?;
        let found = tx.county_delivery(CountyDeliveryId(id)).await?;
        let found = found.filter(|one| one.county == code && one.year == year).ok_or(DeskError::NotFound)?;
        if found.handed_by == self.staff().login {
            let words = "这份汇总是您报送的，不能由您本人存档：请另一位经办办理";
            return Err(DeskError::Refused(words.into()));
        }
        if !tx.archive_county_delivery(found.id).await? {
            return Err(DeskError::Refused("这份汇总已经存档，无需重复办理".into()));
        }
        Ok(tx.commit().await?)
    }

    /// The year asked for, held within what can be.
    fn window_year(&self, asked: i16) -> i16 {
        let this = beijing_date(self.office().now()).year();
        if (FIRST_YEAR..=this).contains(&asked) { asked } else { this }
    }

    fn county_of_year(&self, code: u8, year: i16) -> Result<County, DeskError> {
        let county = County::from_code(code).ok_or(DeskError::NotFound)?;
        self.reach_county(code)?;
        let this = beijing_date(self.office().now()).year();
        if (FIRST_YEAR..=this).contains(&year) { Ok(county) } else { Err(DeskError::NotFound) }
    }

    fn delivery_view(&self, delivery: Delivery) -> DeliveryView {
        let direct = federation_approves(delivery.county);
        let open = delivery.archived.is_none();
        let receives = if direct { Permission::ArchiveRoster } else { Permission::AggregateRoster };
        let stamped = delivery.stamped.is_some();
        let when = |(who, when): (String, jiff::Timestamp)| (who, shown(when));
        DeliveryView {
            id: delivery.id.0,
            unit: delivery.unit.0,
            unit_name: delivery.unit_name,
            county_code: delivery.county,
            county: County::from_code(delivery.county).map_or("", County::name),
            year: delivery.year,
            on: delivery.on.to_string(),
            inside: inside(delivery.year, delivery.on),
            people: delivery.people,
            source: match delivery.source {
                DeliverySource::Upload => "上传名册",
                DeliverySource::Register => "系统内名册",
            },
            draft: delivery.draft.map(|draft| draft.0),
            delivered: when(delivery.delivered),
            stamped: delivery.stamped.map(when),
            handed_on: delivery.handed_in.is_some(),
            archived: delivery.archived.map(when),
            direct,
            may_stamp: !stamped && self.may(receives),
            may_archive: direct && stamped && open && self.may(Permission::ArchiveRoster),
        }
    }
}

fn filter(asked: &WindowAsked) -> WindowFilter {
    let name = asked.name.trim();
    WindowFilter {
        county: asked.county,
        name: (!name.is_empty()).then(|| name.to_owned()),
        standing: match asked.standing.as_str() {
            "inside" => Some(DeliveryStanding::Inside),
            "outside" => Some(DeliveryStanding::Late),
            "missing" => Some(DeliveryStanding::Missing),
            _ => None,
        },
    }
}

fn window(year: i16) -> (Date, Date) {
    (date(year, 9, 1), date(year, 9, 30))
}

fn inside(year: i16, day: Date) -> bool {
    let (first, last) = window(year);
    (first..=last).contains(&day)
}

fn calendar(year: i16, today: Date) -> String {
    let (first, last) = window(year);
    let days = |from: Date, to: Date| from.until(to).map_or(0, |span| span.get_days());
    if today < first {
        format!("{year} 年 9 月 1 日开始，还有 {} 天", days(today, first))
    } else if today <= last {
        format!("正在进行，还剩 {} 天（9 月 30 日截止）", days(today, last))
    } else {
        format!("已于 {year} 年 9 月 30 日结束")
    }
}

fn window_unit(line: WindowLine, today: Date, year: i16) -> WindowUnit {
    let (standing, mark) = match line.standing {
        DeliveryStanding::Inside => ("按期送达", "good"),
        DeliveryStanding::Late => ("窗口外（迟交）", "warn"),
        DeliveryStanding::Early => ("窗口外（提前）", "warn"),
        DeliveryStanding::Missing if today <= window(year).1 => ("待送达", "quiet"),
        DeliveryStanding::Missing => ("未送达", "bad"),
    };
    WindowUnit {
        id: line.unit.0,
        name: line.name,
        county: County::from_code(line.county).map_or("", County::name),
        standing,
        mark,
        delivery: line.latest.map(|delivery| delivery.0),
        on: line.on.map(|day| day.to_string()).unwrap_or_default(),
        people: line.people,
        stamped: line.stamped,
        archived: line.archived,
        route: if federation_approves(line.county) { "直报联合会" } else { "经县汇总" },
    }
}

fn handed_on(one: CountyDelivery) -> HandedOn {
    let when = |(who, when): (String, jiff::Timestamp)| (who, shown(when));
    HandedOn {
        id: one.id.0,
        units: one.units,
        people: one.people,
        handed: when(one.handed),
        archived: one.archived.map(when),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_september_both_ends_inclusive() {
        for (day, is) in [((8, 31), false), ((9, 1), true), ((9, 30), true), ((10, 1), false)] {
            assert_eq!(inside(2026, date(2026, day.0, day.1)), is);
        }
        assert_eq!(calendar(2026, date(2026, 8, 30)), "2026 年 9 月 1 日开始，还有 2 天");
        assert_eq!(calendar(2026, date(2026, 9, 29)), "正在进行，还剩 1 天（9 月 30 日截止）");
        assert_eq!(calendar(2025, date(2026, 9, 29)), "已于 2025 年 9 月 30 日结束");
    }
}
