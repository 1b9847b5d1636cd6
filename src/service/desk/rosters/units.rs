//! Units: found, made, named, put into their target group, counted.

use super::{PAGE, conflict, shown, unit_within_reach};
use crate::clock::beijing_date;
use crate::domain::division::County;
use crate::domain::staff::{Permission, federation_approves};
use crate::domain::unit::{LONGEST_NAME, TargetGroup, unit_name};
use crate::roster::export::{self, Cell};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::store::{COUNTED, Reach, StoreError, Unit, UnitFields, UnitFilter, UnitId, UnitLine};

/// The most people that a unit may be said to have.
const MOST_HEADS: u32 = 1_000_000;
/// Units of one export.
const EXPORTED: u32 = 20_000;

/// What is asked of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitsAsked {
    /// Part of the name.
    pub name: String,
    /// Of this county.
    pub county: Option<u8>,
    /// Of this group; `Some(None)`: of none yet.
    pub group: Option<Option<TargetGroup>>,
    /// After the unit with this key.
    pub after: Option<i64>,
}

/// A unit as a form gives it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitEdit {
    /// Name.
    pub name: String,
    /// Word of the group; empty for none yet.
    pub group: String,
    /// Head count; empty if not known.
    pub head_count: String,
}

/// A unit as lists and pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitPage {
    /// Key.
    pub id: i64,
    /// Its county's code.
    pub county_code: u8,
    /// Its county's name.
    pub county: &'static str,
    /// Its name.
    pub name: String,
    /// Its group's word; empty for none yet.
    pub group: &'static str,
    /// Its group in words.
    pub group_label: &'static str,
    /// Head count, or empty.
    pub head_count: String,
    /// Volunteers who have not left, such as `312` or `10000+`.
    pub volunteers: String,
    /// Share registered, such as `87 %`; empty without a head count.
    pub rate: String,
    /// Registration target in words.
    pub registration_target: String,
    /// Target of hours in words.
    pub hours_target: String,
    /// Who approves its forms, and takes its rosters.
    pub approver: &'static str,
    /// Whether annex 3 was returned.
    pub receipt: bool,
    /// Who changed it last, and when.
    pub changed: Option<(String, String)>,
    /// Counts changes; the form carries it.
    pub revision: i64,
}

impl Desk {
    /// Units within reach, by county and name; one more than [`PAGE`] if there are more.
    ///
    /// # Errors
    /// The role may not see them; the database fails.
    pub async fn units(&self, asked: &UnitsAsked) -> Result<Vec<UnitPage>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let lines = self.unit_lines(asked, PAGE + 1).await?;
        Ok(lines.iter().map(page).collect())
    }

    /// The list as a workbook.
    ///
    /// # Errors
    /// As [`Self::units`].
    pub async fn units_workbook(&self, asked: &UnitsAsked) -> Result<Vec<u8>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let lines = self.unit_lines(asked, EXPORTED).await?;
        let headers = [
            "县（区）",
            "单位",
            "类别",
            "职工（学生）人数",
            "已注册",
            "注册率",
            "人均时长目标（小时/年）",
            "审批",
            "回执",
        ];
        let rows = lines.iter().map(page).map(|unit| {
            let whole = |text: &str| text.parse::<i64>().map_or(Cell::from(text), Cell::Whole);
            vec![
                Cell::from(unit.county),
                Cell::from(unit.name),
                Cell::from(unit.group_label),
                whole(&unit.head_count),
                whole(&unit.volunteers),
                Cell::from(unit.rate),
                Cell::from(unit.hours_target),
                Cell::from(unit.approver),
                Cell::from(if unit.receipt { "已报" } else { "未报" }),
            ]
        });
        let made = beijing_date(self.office().now());
        Ok(export::table("单位一览表", &headers, rows, made).map_err(ServiceError::from)?)
    }

    /// One unit.
    ///
    /// # Errors
    /// There is none within reach.
    pub async fn unit(&self, id: i64) -> Result<UnitPage, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let unit = unit_within_reach(self, &mut reader, UnitId(id)).await?;
        let of = crate::store::ReceiptOf::Unit { unit: unit.id, county: unit.county };
        let receipt = reader.receipt(of).await?.is_some();
        let volunteers = reader.volunteers_of_unit(unit.id).await?;
        Ok(page(&UnitLine { unit, volunteers, receipt }))
    }

    /// Makes a unit and returns its key.
    ///
    /// # Errors
    /// Fields that are wrong, a name that is taken, a county out of reach.
    pub async fn create_unit(&self, county: u8, edit: &UnitEdit) -> Result<i64, DeskError> {
        self.need(Permission::EditUnits)?;
        let county = County::from_code(county).ok_or(DeskError::NotFound)?.code();
        self.reach_county(county)?;
        let fields = fields(edit)?;
        let mut tx = self.office().begin().await?;
        if tx.unit_in(county, &fields.name).await?.is_some() {
            return Err(taken());
        }
        let unit = tx.ensure_unit(county, &fields.name).await?;
        if fields.head_count.is_some() || fields.group.is_some() {
            tx.edit_unit(unit.id, unit.revision, &fields).await?;
        }
        tx.commit().await?;
        Ok(unit.id.0)
    }

    /// Changes a unit. Whoever may fill in annex 3 only may change the head count only; name and group then stay.
    ///
    /// # Errors
    /// Fields that are wrong, a name that is taken, [`DeskError::Conflict`] if somebody was quicker.
    pub async fn edit_unit(&self, id: i64, revision: i64, edit: &UnitEdit) -> Result<(), DeskError> {
        self.need(Permission::EditUnitContacts)?;
        let mut tx = self.office().begin().await?;
        let unit = unit_within_reach(self, &mut tx, UnitId(id)).await?;
        let edit = if self.may(Permission::EditUnits) {
            edit.clone()
        } else {
            let group = unit.group.map_or("", TargetGroup::as_str).to_owned();
            UnitEdit { name: unit.name.clone(), group, head_count: edit.head_count.clone() }
        };
        let fields = fields(&edit)?;
        if unit.revision != revision {
            return Err(changed(&unit));
        }
        let namesake = tx.unit_in(unit.county, &fields.name).await?;
        if namesake.is_some_and(|other| other.id != unit.id) {
            return Err(taken());
        }
        match tx.edit_unit(unit.id, revision, &fields).await {
            Ok(true) => Ok(tx.commit().await?),
            Ok(false) => Err(changed(&unit)),
            Err(StoreError::Duplicate { .. }) => Err(taken()),
            Err(error) => Err(error.into()),
        }
    }

    async fn unit_lines(&self, asked: &UnitsAsked, limit: u32) -> Result<Vec<UnitLine>, DeskError> {
        let name = asked.name.trim();
        let filter =
            UnitFilter { name: (!name.is_empty()).then(|| name.to_owned()), county: asked.county, group: asked.group };
        let mut reader = self.office().store.read().await?;
        Ok(reader.unit_lines(self.reach()?, &filter, asked.after.map(UnitId), limit).await?)
    }

    /// Counties that they may choose from: code and name.
    ///
    /// # Errors
    /// A partner's account.
    pub fn counties(&self) -> Result<Vec<(u8, &'static str)>, DeskError> {
        Ok(match self.reach()? {
            Reach::Everything => County::all().map(|county| (county.code(), county.name())).collect(),
            Reach::County(code) => {
                County::from_code(code).map(|county| (county.code(), county.name())).into_iter().collect()
            }
            Reach::Unit(_) => Vec::new(),
        })
    }
}

fn changed(unit: &Unit) -> DeskError {
    match &unit.changed {
        Some((who, when)) => conflict(who, *when),
        None => conflict("有人", unit.created_at),
    }
}

fn taken() -> DeskError {
    let message = "这个县（区）已有同名单位。若就是同一个单位，请直接使用；若不是，请在名称中加以区别".into();
    DeskError::Invalid(vec![FieldError { field: "name", message }])
}

/// The typed values, or every field that is wrong.
fn fields(edit: &UnitEdit) -> Result<UnitFields, DeskError> {
    let mut wrong = Vec::new();
    let name = unit_name(&edit.name).unwrap_or_else(|| {
        let message = format!("请填写单位全称，1 到 {LONGEST_NAME} 个字，写在一行内");
        wrong.push(FieldError { field: "name", message });
        String::new()
    });
    let heads = edit.head_count.trim();
    let head_count = heads.parse::<u32>().ok().filter(|count| (1..=MOST_HEADS).contains(count));
    if !heads.is_empty() && head_count.is_none() {
        let message = format!("请填写 1 到 {MOST_HEADS} 之间的整数；不清楚时留空");
        wrong.push(FieldError { field: "head_count", message });
    }
    let group = TargetGroup::parse(&edit.group);
    if group.is_none() && !edit.group.is_empty() {
        wrong.push(FieldError { field: "group", message: "请从列表中选择".into() });
    }
    if wrong.is_empty() { Ok(UnitFields { name, head_count, group }) } else { Err(DeskError::Invalid(wrong)) }
}

fn page(line: &UnitLine) -> UnitPage {
    let UnitLine { unit, volunteers, receipt } = line;
    let many = *volunteers >= COUNTED;
    let percent =
        |heads: u32| if many { String::new() } else { format!("{}%", volunteers * 100 / u64::from(heads.max(1))) };
    let hours = unit.group.and_then(|group| group.hours_target(unit.county));
    UnitPage {
        id: unit.id.0,
        county_code: unit.county,
        county: County::from_code(unit.county).map_or("", County::name),
        name: unit.name.clone(),
        group: unit.group.map_or("", TargetGroup::as_str),
        group_label: unit.group.map_or("未确定", TargetGroup::label),
        head_count: unit.head_count.map(|count| count.to_string()).unwrap_or_default(),
        volunteers: if many { format!("{}+", COUNTED - 1) } else { volunteers.to_string() },
        rate: unit.head_count.map(percent).unwrap_or_default(),
        registration_target: match unit.group.map(TargetGroup::registration_target) {
            None => "确定类别后显示".into(),
            Some(None) => "不作要求".into(),
            Some(Some(percent)) => format!("{percent}%"),
        },
        hours_target: match (unit.group, hours) {
            (None, _) => "确定类别后显示".into(),
            (Some(_), None) => "不作要求".into(),
            (Some(_), Some(hours)) => hours.to_string(),
        },
        approver: if federation_approves(unit.county) { "联合会" } else { "县文明办" },
        receipt: *receipt,
        changed: unit.changed.as_ref().map(|(who, when)| (who.clone(), shown(*when))),
        revision: unit.revision,
    }
}
