//! An activity as a form gives it, and activities that wait for their hours.

use jiff::civil::{Date, date};

use super::clock::Deadlines;
use crate::clock::beijing_date;
use crate::domain::hours::{
    DayMinute, ENTRY_WORKING_DAYS, HoursError, ServiceItem, ServiceTime, hours, is_late, working_days_between,
};
use crate::domain::staff::Permission;
use crate::service::desk::{Desk, DeskError, FieldError, sought};
use crate::store::{NewActivity, NewServiceRecord, PendingActivity, VolunteerId};

/// What a form says of an activity, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityForm {
    /// 活动名称
    pub name: String,
    /// 日期, `YYYY-MM-DD`.
    pub date: String,
    /// 开始, `HH:MM`; may be empty together with `end`.
    pub start: String,
    /// 结束
    pub end: String,
    /// 小时数, such as `2.5`; empty takes the time between start and end.
    pub hours: String,
    /// 服务内容
    pub content: String,
    /// 地点
    pub place: String,
    /// 服务项目: its place in the form, 1 to 32, or empty.
    pub item: String,
    /// 组织单位
    pub organiser: String,
    /// 负责人
    pub in_charge: String,
    /// 迟录原因
    pub late_reason: String,
}

/// An activity that was understood.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    pub date: Date,
    pub span: Option<(DayMinute, DayMinute)>,
    /// Minutes a head, unless each person's are given.
    pub minutes: Option<i64>,
    pub name: String,
    pub content: String,
    pub place: String,
    pub item: Option<ServiceItem>,
    pub organiser: String,
    pub in_charge: String,
    pub late: bool,
    pub late_reason: String,
}

/// An activity that waits for its hours.
#[derive(Debug, Clone)]
pub struct PendingLine {
    /// Key.
    pub id: i64,
    /// The unit.
    pub unit: i64,
    /// Its name.
    pub unit_name: String,
    /// When it took place.
    pub date: Date,
    /// Its name.
    pub name: String,
    /// Name of who noted it.
    pub made_by: String,
    /// Working days left; below zero it is overdue by so many.
    pub days_left: i64,
    /// Whether it is due within three working days.
    pub soon: bool,
    /// Whether the ten working days are over.
    pub overdue: bool,
}

/// How many lines of waiting activities a page has.
const PAGE: u32 = 50;
/// Nobody recorded hours before: the notice's scheme began in 2018, the national system in 2012.
const FIRST_DAY: Date = date(2012, 1, 1);

impl Desk {
    /// Notes an activity that took place, so that its clock runs; its hours are entered later.
    ///
    /// # Errors
    /// Fields that are wrong; the unit is out of reach.
    pub async fn note_activity(&self, unit: i64, form: &ActivityForm) -> Result<i64, DeskError> {
        self.need(Permission::WriteHours)?;
        let activity = self.understand(form, false)?;
        let mut reader = self.office().store.read().await?;
        let unit = self.hours_unit_within(&mut reader, unit).await?;
        drop(reader);
        let new = NewActivity {
            unit: unit.id,
            county: unit.county,
            date: activity.date,
            name: activity.name,
            span: activity.span.map(|(start, end)| (start.minutes(), end.minutes())),
            minutes: activity.minutes.and_then(|minutes| u16::try_from(minutes).ok()),
            content: activity.content,
            place: activity.place,
            item: activity.item.map(ServiceItem::code),
            organiser: activity.organiser,
            in_charge: activity.in_charge,
        };
        let mut tx = self.office().begin().await?;
        let id = tx.note_activity(&new).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Gives an activity up: it did not take place, or was noted twice.
    ///
    /// # Errors
    /// No reason; it does not wait, or is out of reach.
    pub async fn drop_activity(&self, id: i64, reason: &str) -> Result<(), DeskError> {
        self.need(Permission::WriteHours)?;
        let reason = reason_of(reason)?;
        let mut tx = self.office().begin().await?;
        let found = tx.pending_activity(id).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(found.noted.county, found.noted.unit)?;
        tx.close_activity(id, Some(&reason)).await?;
        Ok(tx.commit().await?)
    }

    /// Activities that wait for their hours, the oldest first, after the place `after`; with the place where the next page
    /// begins. `due` shows only what is overdue or due within three working days, `search` only what it stands in the name
    /// or unit of.
    ///
    /// # Errors
    /// The role may not read people; a place that is none.
    pub async fn pending_activities(
        &self,
        due: bool,
        search: &str,
        after: Option<&str>,
    ) -> Result<(Vec<PendingLine>, Option<String>), DeskError> {
        self.need(Permission::ViewPeople)?;
        let after = after.map(place).transpose()?;
        let until = due.then(|| self.deadlines().soon);
        let mut reader = self.office().store.read().await?;
        let found = reader.pending_activities(self.reach()?, until, &sought(search), after, PAGE + 1).await?;
        let more = found.len() > PAGE as usize;
        let lines: Vec<_> = found.iter().take(PAGE as usize).map(|found| self.pending_line(found)).collect();
        let next = lines.last().filter(|_| more).map(|line| format!("{}.{}", line.date, line.id));
        Ok((lines, next))
    }

    /// One activity that waits, with its form filled in.
    ///
    /// # Errors
    /// It does not wait, or is out of reach.
    pub async fn pending_activity(&self, id: i64) -> Result<(PendingLine, ActivityForm), DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let found = reader.pending_activity(id).await?.ok_or(DeskError::NotFound)?;
        self.reach_unit(found.noted.county, found.noted.unit)?;
        Ok((self.pending_line(&found), form_of(&found.noted)))
    }

    fn pending_line(&self, found: &PendingActivity) -> PendingLine {
        let today = beijing_date(self.office().now());
        let gone = working_days_between(found.noted.date, today, &self.office().config().calendar.holidays);
        let Deadlines { overdue, soon } = self.deadlines();
        PendingLine {
            id: found.id,
            unit: found.noted.unit.0,
            unit_name: found.unit_name.clone(),
            date: found.noted.date,
            name: found.noted.name.clone(),
            made_by: found.made_by.clone(),
            days_left: i64::from(ENTRY_WORKING_DAYS) - i64::from(gone),
            overdue: found.noted.date <= overdue,
            soon: found.noted.date > overdue && found.noted.date <= soon,
        }
    }

    /// Reads a form. A late service needs its reason where hours are entered (`entered`).
    pub(super) fn understand(&self, form: &ActivityForm, entered: bool) -> Result<Activity, DeskError> {
        let today = beijing_date(self.office().now());
        understand(form, today, &self.office().config().calendar.holidays, entered).map_err(DeskError::Invalid)
    }
}

impl Activity {
    /// The record of one person; `minutes` are their own.
    pub fn record(&self, volunteer: VolunteerId, time: ServiceTime) -> NewServiceRecord {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        NewServiceRecord {
            volunteer,
            date: time.date,
            start_minute: time.span.map(|(start, _)| start.minutes()),
            end_minute: time.span.map(|(_, end)| end.minutes()),
            minutes: time.minutes,
            content: self.content.clone(),
            activity: text(&self.name),
            place: text(&self.place),
            item: self.item.map(ServiceItem::code),
            flags: if self.late { crate::service::hours::FLAG_LATE } else { 0 },
            organiser: text(&self.organiser),
            in_charge: text(&self.in_charge),
            late_reason: if self.late { text(&self.late_reason) } else { None },
        }
    }
}

/// Hours as typed (`2`, `2.5`, `2。5`), in minutes; `None` for anything else.
pub(super) fn minutes_of(text: &str) -> Option<i64> {
    let text: String = text.trim().chars().map(|c| if matches!(c, '．' | '。') { '.' } else { half(c) }).collect();
    let number: f64 = text.trim_end_matches("小时").trim().parse().ok()?;
    number.is_finite().then(|| (number.clamp(-1e6, 1e6) * 60.0).round() as i64)
}

/// A reason that was given.
pub(super) fn reason_of(text: &str) -> Result<String, DeskError> {
    let text = text.trim();
    let wrong = |message: &str| Err(DeskError::Invalid(vec![FieldError { field: "reason", message: message.into() }]));
    match text.chars().count() {
        0 => wrong("请写明原因"),
        1..=200 => Ok(plain(text)),
        _ => wrong("原因最多 200 个字"),
    }
}

/// `YYYY-MM-DD.id`, where a page of a list ended.
pub(super) fn place(text: &str) -> Result<(Date, i64), DeskError> {
    let (day, id) = text.rsplit_once('.').ok_or(DeskError::NotFound)?;
    Ok((day.parse().map_err(|_| DeskError::NotFound)?, id.parse().map_err(|_| DeskError::NotFound)?))
}

/// A form filled in from what was noted.
fn form_of(noted: &NewActivity) -> ActivityForm {
    let clock = |minute: u16| DayMinute::new(minute).map(|minute| minute.to_string()).unwrap_or_default();
    ActivityForm {
        name: noted.name.clone(),
        date: noted.date.to_string(),
        start: noted.span.map(|(start, _)| clock(start)).unwrap_or_default(),
        end: noted.span.map(|(_, end)| clock(end)).unwrap_or_default(),
        hours: noted.minutes.map(hours).unwrap_or_default(),
        content: noted.content.clone(),
        place: noted.place.clone(),
        item: noted.item.map(|item| item.to_string()).unwrap_or_default(),
        organiser: noted.organiser.clone(),
        in_charge: noted.in_charge.clone(),
        late_reason: String::new(),
    }
}

fn understand(form: &ActivityForm, today: Date, holidays: &[Date], entered: bool) -> Result<Activity, Vec<FieldError>> {
    let mut wrong = Vec::new();
    let mut say = |field: &'static str, message: String| wrong.push(FieldError { field, message });
    let mut text = |field: &'static str, text: &str, limit: usize, must: Option<&str>| {
        let text = plain(text.trim());
        match (text.chars().count(), must) {
            (0, Some(message)) => say(field, message.to_owned()),
            (count, _) if count > limit => say(field, format!("最多 {limit} 个字，现有 {count} 个字")),
            _ => {}
        }
        text
    };
    let name = text("name", &form.name, 100, Some("请填写活动名称"));
    let content = text("content", &form.content, 500, Some("请填写服务内容：做了什么"));
    let place = text("place", &form.place, 100, Some("请填写服务地点"));
    let organiser = text("organiser", &form.organiser, 60, Some("请填写组织单位"));
    let in_charge = text("in_charge", &form.in_charge, 30, Some("请填写活动负责人姓名"));
    let late_reason = text("late_reason", &form.late_reason, 200, None);
    let item = match form.item.trim() {
        "" => None,
        code => {
            let item = code.parse().ok().and_then(ServiceItem::from_code);
            if item.is_none() {
                say("item", "请从 32 个服务项目中选择".into());
            }
            item
        }
    };
    let date: Option<Date> = form.date.trim().parse().ok();
    match date {
        None => say("date", "请填写服务日期，如 2026-11-20".into()),
        Some(date) if date > today => say("date", HoursError::Future { date, today }.to_string()),
        Some(date) if date < FIRST_DAY => say("date", format!("服务日期 {date} 过早，请检查年份")),
        Some(_) => {}
    }
    let mut clock = |field: &'static str, text: &str| {
        let read = minute_of(text);
        if read.is_none() && !text.trim().is_empty() {
            say(field, "请写成 08:30 这样的时间".into());
        }
        read
    };
    let (start, end) = (clock("start", &form.start), clock("end", &form.end));
    match (form.start.trim().is_empty(), form.end.trim().is_empty()) {
        (false, true) => say("end", "请填写结束时间，或把开始时间也空着".into()),
        (true, false) => say("start", "请填写开始时间，或把结束时间也空着".into()),
        _ => {}
    }
    let span = start.zip(end);
    let minutes = match form.hours.trim() {
        "" => None,
        text => {
            let minutes = minutes_of(text);
            if minutes.is_none() {
                say("hours", "请填写小时数，如 2 或 2.5".into());
            }
            minutes
        }
    };
    if minutes.is_some() || span.is_some() {
        // A date that is wrong has been said above; the times are judged all the same.
        let day = date.filter(|date| *date <= today).unwrap_or(today);
        if let Err(error) = ServiceTime::new(day, span, minutes, today) {
            say(if matches!(error, HoursError::EndBeforeStart { .. }) { "end" } else { "hours" }, error.to_string());
        }
    }
    let late = date.is_some_and(|date| is_late(date, today, holidays));
    if entered && late && late_reason.is_empty() {
        let over = date.map_or(0, |date| working_days_between(date, today, holidays));
        say(
            "late_reason",
            format!("服务已过去 {over} 个工作日，超过 {ENTRY_WORKING_DAYS} 个工作日的录入期限，请写明迟录原因"),
        );
    }
    match date {
        Some(date) if wrong.is_empty() => {
            Ok(Activity { date, span, minutes, name, content, place, item, organiser, in_charge, late, late_reason })
        }
        _ => Err(wrong),
    }
}

/// A time of day as typed: `8:30`, `08：30`, `24:00`.
fn minute_of(text: &str) -> Option<DayMinute> {
    let text: String = text.trim().chars().map(half).collect();
    let mut parts = text.split(':');
    let (hour, minute) = (parts.next()?, parts.next()?);
    let digits = |text: &str| text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    if minute > 59 { None } else { DayMinute::new(hour.checked_mul(60)? + minute) }
}

/// Full-width digits and colons as half-width ones.
fn half(c: char) -> char {
    crate::domain::person::half_width(c)
}

/// Text without control and direction characters.
fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().map(|c| if matches!(c, '\n' | '\t' | '\r') { ' ' } else { c }).filter(|c| !hidden(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> ActivityForm {
        ActivityForm {
            name: "周五环境集中整治日".into(),
            date: "2026-11-20".into(),
            start: "8：30".into(),
            end: "11:30".into(),
            content: "清扫步道".into(),
            place: "洗马湖".into(),
            item: "3".into(),
            organiser: "思茅区文化馆".into(),
            in_charge: "岩温扁".into(),
            ..ActivityForm::default()
        }
    }

    fn wrong(form: &ActivityForm) -> Vec<&'static str> {
        match understand(form, date(2026, 11, 23), &[], true) {
            Ok(_) => Vec::new(),
            Err(fields) => fields.iter().map(|field| field.field).collect(),
        }
    }

    #[test]
    fn a_form_is_understood() {
        let read = understand(&form(), date(2026, 11, 23), &[], true).unwrap();
        assert_eq!(read.span.map(|(start, end)| (start.minutes(), end.minutes())), Some((510, 690)));
        assert!(!read.late && read.minutes.is_none());
        assert_eq!(minutes_of("２.5 小时"), Some(150));
    }

    #[test]
    fn each_field_says_what_is_wrong_with_it() {
        assert_eq!(wrong(&ActivityForm { date: "2026-11-24".into(), ..form() }), ["date"]);
        assert_eq!(wrong(&ActivityForm { date: "1926-11-20".into(), ..form() }), ["date", "late_reason"]);
        assert_eq!(wrong(&ActivityForm { end: String::new(), ..form() }), ["end"]);
        assert_eq!(wrong(&ActivityForm { end: "08:00".into(), ..form() }), ["end"]);
        assert_eq!(wrong(&ActivityForm { hours: "4".into(), ..form() }), ["hours"]);
        assert_eq!(wrong(&ActivityForm { hours: "many".into(), ..form() }), ["hours"]);
        assert_eq!(wrong(&ActivityForm { item: "33".into(), ..form() }), ["item"]);
        assert_eq!(wrong(&ActivityForm { date: "2026-10-20".into(), ..form() }), ["late_reason"]);
        assert_eq!(wrong(&ActivityForm::default()).len(), 6);
    }
}
