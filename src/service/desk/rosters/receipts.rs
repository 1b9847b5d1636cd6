//! Annex 3 (回执): returned by each unit and each county, seen as a whole by county.

use super::paper::Document;
use super::{PAGE, conflict, shown, unit_within_reach};
use crate::domain::division::County;
use crate::domain::person::{PersonName, Phone, bare};
use crate::domain::staff::Permission;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::store::{Leader, Leaders, Reader, ReceiptOf, UnitId};

/// Annex 3 as a form gives it: 分管领导 and 负责人, seven texts each, in the form's order.
pub type ReceiptForm = [[String; 7]; 2];

/// Annex 3 as a page shows it.
#[derive(Clone)]
pub struct ReceiptView {
    /// Whose it is: a unit, or a county's 文明办.
    pub owner: String,
    /// Key of the unit; none for a county's own.
    pub unit: Option<i64>,
    /// The county's code.
    pub county_code: u8,
    /// The county's name.
    pub county: &'static str,
    /// The two rows; telephones are masked unless the form was opened.
    pub rows: ReceiptForm,
    /// Who returned it last, and when; none if nobody did.
    pub returned: Option<(String, String)>,
    /// Counts changes, 0 for none yet; the form carries it.
    pub revision: i64,
}

/// Who in a county returned annex 3.
#[derive(Debug, Clone)]
pub struct CountyReceipts {
    /// The county's code.
    pub county_code: u8,
    /// Its name.
    pub county: &'static str,
    /// Units it has, and how many of them returned.
    pub counts: (u64, u64),
    /// When its own 文明办 returned.
    pub own: Option<String>,
    /// Units: key, name, when it returned.
    pub units: Vec<(i64, String, Option<String>)>,
    /// Key after which the next page begins, if there is one.
    pub next: Option<i64>,
}

/// Names of the fields in the form's order, after `leader_` or `manager_`.
pub const FIELDS: [&str; 7] = ["name", "post", "mobile", "office_phone", "fax", "qq", "remark"];

impl Desk {
    /// Annex 3 of a unit (or, without one, of a county), telephones masked.
    ///
    /// # Errors
    /// There is no such unit or county within reach.
    pub async fn receipt(&self, unit: Option<i64>, county: u8) -> Result<ReceiptView, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let (of, owner) = self.receipt_owner(&mut reader, unit, county).await?;
        let mut view = read(&mut reader, of, owner).await?;
        for row in &mut view.rows {
            for field in &mut row[2..6] {
                *field = masked(field);
            }
        }
        Ok(view)
    }

    /// The same in the clear, for its form; that it was shown is noted if there was anything.
    ///
    /// # Errors
    /// As [`Self::receipt`]; the role may not change it.
    pub async fn open_receipt(&self, unit: Option<i64>, county: u8) -> Result<ReceiptView, DeskError> {
        self.need(Permission::EditUnitContacts)?;
        let mut tx = self.office().begin().await?;
        let (of, owner) = self.receipt_owner(&mut tx, unit, county).await?;
        let view = read(&mut tx, of, owner).await?;
        if view.returned.is_some() {
            tx.note_receipt_shown(of, "填报回执");
            tx.commit().await?;
        }
        Ok(view)
    }

    /// Returns annex 3.
    ///
    /// # Errors
    /// Fields that are wrong (named `leader_name`, `manager_mobile`, …), [`DeskError::Conflict`] if somebody was quicker.
    pub async fn return_receipt(
        &self,
        unit: Option<i64>,
        county: u8,
        revision: i64,
        form: &ReceiptForm,
    ) -> Result<(), DeskError> {
        self.need(Permission::EditUnitContacts)?;
        let mut tx = self.office().begin().await?;
        let (of, _) = self.receipt_owner(&mut tx, unit, county).await?;
        let mut wrong = Vec::new();
        let leader = leader(&form[0], &LEADER, &mut wrong);
        let manager = self::leader(&form[1], &MANAGER, &mut wrong);
        if !wrong.is_empty() {
            return Err(DeskError::Invalid(wrong));
        }
        let before = tx.receipt(of).await?;
        if !tx.set_receipt(of, revision, &Leaders { leader, manager }).await? {
            return Err(match before {
                Some(before) => conflict(&before.returned_by, before.returned_at),
                None => DeskError::NotFound,
            });
        }
        Ok(tx.commit().await?)
    }

    /// Annex 3 on paper or as a workbook, with telephones, which is noted.
    ///
    /// # Errors
    /// As [`Self::receipt`]; nothing was returned yet.
    pub async fn print_receipt(
        &self,
        unit: Option<i64>,
        county: u8,
        workbook: bool,
        reason: &str,
    ) -> Result<Document, DeskError> {
        self.need(Permission::RevealPersonal)?;
        let reason = super::paper::reason(reason)?;
        let mut tx = self.office().begin().await?;
        let (of, owner) = self.receipt_owner(&mut tx, unit, county).await?;
        let view = read(&mut tx, of, owner).await?;
        if view.returned.is_none() {
            return Err(DeskError::Refused("还没有填报回执，请先填报再打印".into()));
        }
        tx.note_receipt_shown(of, &reason);
        let now = tx.now();
        tx.commit().await?;
        super::paper::receipt(&view.owner, &view.rows, workbook, now)
    }

    /// How the counties within reach stand, each with its own 回执: code, name, units, returned, own returned.
    ///
    /// # Errors
    /// The role may not see them.
    pub async fn receipt_counties(&self) -> Result<Vec<CountyReceipts>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let counts = reader.receipt_counts().await?;
        let mut lines = Vec::new();
        for (code, county) in self.counties()? {
            let (units, returned) = counts.iter().find(|(c, _, _)| *c == code).map_or((0, 0), |(_, u, r)| (*u, *r));
            let own = reader.receipt(ReceiptOf::County(code)).await?.map(|receipt| shown(receipt.returned_at));
            lines.push(CountyReceipts {
                county_code: code,
                county,
                counts: (units, returned),
                own,
                units: Vec::new(),
                next: None,
            });
        }
        Ok(lines)
    }

    /// Who in a county returned annex 3, and who did not.
    ///
    /// # Errors
    /// There is no such county within reach.
    pub async fn county_receipts(
        &self,
        code: u8,
        missing: bool,
        after: Option<i64>,
    ) -> Result<CountyReceipts, DeskError> {
        self.need(Permission::ViewPeople)?;
        let county = County::from_code(code).ok_or(DeskError::NotFound)?;
        self.reach_county(code)?;
        let mut reader = self.office().store.read().await?;
        let mut lines = reader.receipt_lines(code, missing, after.map(UnitId), PAGE + 1).await?;
        let more = lines.len() > PAGE as usize;
        lines.truncate(PAGE as usize);
        let counts = reader.receipt_counts().await?;
        let counts =
            counts.iter().find(|(c, _, _)| *c == code).map_or((0, 0), |(_, units, returned)| (*units, *returned));
        let own = reader.receipt(ReceiptOf::County(code)).await?.map(|receipt| shown(receipt.returned_at));
        let next = lines.last().filter(|_| more).map(|line| line.unit.0);
        let units = lines.into_iter().map(|line| (line.unit.0, line.name, line.returned_at.map(shown)));
        Ok(CountyReceipts { county_code: code, county: county.name(), counts, own, units: units.collect(), next })
    }

    async fn receipt_owner(
        &self,
        reader: &mut Reader,
        unit: Option<i64>,
        county: u8,
    ) -> Result<(ReceiptOf, String), DeskError> {
        match unit {
            Some(unit) => {
                let unit = unit_within_reach(self, reader, UnitId(unit)).await?;
                Ok((ReceiptOf::Unit { unit: unit.id, county: unit.county }, unit.name))
            }
            None => {
                let named = County::from_code(county).ok_or(DeskError::NotFound)?;
                self.reach_county(county)?;
                Ok((ReceiptOf::County(county), format!("{}文明办", named.name())))
            }
        }
    }
}

async fn read(reader: &mut Reader, of: ReceiptOf, owner: String) -> Result<ReceiptView, DeskError> {
    let receipt = reader.receipt(of).await?;
    let (unit, code) = match of {
        ReceiptOf::Unit { unit, county } => (Some(unit.0), county),
        ReceiptOf::County(county) => (None, county),
    };
    let county = County::from_code(code).map_or("", County::name);
    let (rows, returned, revision) = match receipt {
        None => (ReceiptForm::default(), None, 0),
        Some(receipt) => {
            let rows = [row(receipt.leaders.leader), row(receipt.leaders.manager)];
            (rows, Some((receipt.returned_by, shown(receipt.returned_at))), receipt.revision)
        }
    };
    Ok(ReceiptView { owner, unit, county_code: code, county, rows, returned, revision })
}

fn row(leader: Leader) -> [String; 7] {
    [leader.name, leader.post, leader.mobile, leader.office_phone, leader.fax, leader.qq, leader.remark]
}

const LEADER: [&str; 7] =
    ["leader_name", "leader_post", "leader_mobile", "leader_office_phone", "leader_fax", "leader_qq", "leader_remark"];
const MANAGER: [&str; 7] = [
    "manager_name",
    "manager_post",
    "manager_mobile",
    "manager_office_phone",
    "manager_fax",
    "manager_qq",
    "manager_remark",
];

/// One row of the form; what is wrong is added to `wrong`.
fn leader(row: &[String; 7], fields: &[&'static str; 7], wrong: &mut Vec<FieldError>) -> Leader {
    let mut say = |place: usize, message: &str| {
        wrong.push(FieldError { field: fields[place], message: message.into() });
    };
    let name = PersonName::parse(&row[0]);
    if let Err(error) = &name {
        say(0, &error.to_string());
    }
    let short = |place: usize| row[place].trim().chars().take(61).collect::<String>();
    let post = short(1);
    if post.is_empty() || post.chars().count() > 60 || post.chars().any(char::is_control) {
        say(1, "请填写职务，60 字以内");
    }
    let mobile = Phone::parse(&row[2]);
    match &mobile {
        Err(error) => say(2, &error.to_string()),
        Ok(phone) if !phone.is_mobile() => say(2, "请填写 11 位手机号码"),
        Ok(_) => {}
    }
    let mut line = |place: usize| {
        let text = bare(&row[place]).into_owned();
        let good =
            text.len() <= 24 && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | '(' | ')' | '/'));
        if !good {
            say(place, "只能填写数字和 - ，最多 24 位");
        }
        text
    };
    let (office_phone, fax, qq) = (line(3), line(4), line(5));
    let remark = short(6);
    if remark.chars().count() > 60 || remark.chars().any(char::is_control) {
        say(6, "备注 60 字以内，写在一行内");
    }
    Leader {
        name: name.map(PersonName::into_string).unwrap_or_default(),
        post,
        mobile: mobile.map(|phone| phone.as_str().to_owned()).unwrap_or_default(),
        office_phone,
        fax,
        qq,
        remark,
    }
}

/// All but the last four and the first three.
fn masked(number: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    match digits.len() {
        0 => String::new(),
        1..=7 => "*".repeat(digits.len()),
        many => {
            let stars = std::iter::repeat_n('*', many - 7);
            digits[..3].iter().copied().chain(stars).chain(digits[many - 4..].iter().copied()).collect()
        }
    }
}

impl std::fmt::Debug for ReceiptView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ReceiptView({}, revision {})", self.owner, self.revision)
    }
}
