//! Records, changes and acts of entering as people read them.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::activity::ActivityForm;
use super::enter::{grouped, weekday};
use super::records::{ChangeLine, EntryRow, RecordRow};
use super::units::county_name;
use crate::clock::beijing;
use crate::domain::hours::{DayMinute, ServiceItem, hours};
use crate::service::desk::DeskError;
use crate::service::hours::FLAG_LATE;
use crate::store::{EntryLine, NewServiceRecord, RecordChange, RecordFilter, RecordLine, VolunteerId};

/// Who changed a record last.
pub(super) fn conflict(changes: &[RecordChange]) -> DeskError {
    let last = changes.last();
    DeskError::Conflict {
        who: last.map_or_else(|| "另一位工作人员".into(), |change| change.actor.clone()),
        when: last.map_or_else(String::new, |change| moment(change.at)),
    }
}

/// A moment in Beijing time, to the minute.
pub(in crate::service::desk) fn moment(at: Timestamp) -> String {
    beijing().to_datetime(at).strftime("%Y-%m-%d %H:%M").to_string()
}

pub(super) fn what(noted: &NewServiceRecord) -> String {
    format!("{}\n{}", noted.activity.as_deref().unwrap_or_default(), noted.content)
}

fn span_text(noted: &NewServiceRecord) -> String {
    let clock = |minute: Option<u16>| minute.and_then(DayMinute::new);
    match clock(noted.start_minute).zip(clock(noted.end_minute)) {
        Some((start, end)) => format!("{start}—{end}"),
        None => String::new(),
    }
}

pub(super) fn row(line: &RecordLine) -> RecordRow {
    let noted = &line.record.noted;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    RecordRow {
        id: line.record.id.0,
        number: line.number.clone(),
        grouped: grouped(&line.number),
        name: line.name.clone(),
        unit: line.unit_name.clone(),
        county: county_name(line.county),
        date: noted.date,
        weekday: weekday(noted.date.weekday()),
        time: span_text(noted),
        hours: hours(noted.minutes),
        minutes: noted.minutes,
        activity: text(&noted.activity),
        content: noted.content.clone(),
        place: text(&noted.place),
        item: noted.item.and_then(ServiceItem::from_code).map_or("", ServiceItem::name),
        organiser: text(&noted.organiser),
        in_charge: text(&noted.in_charge),
        late: noted.flags & FLAG_LATE != 0,
        late_reason: text(&noted.late_reason),
        disputed: line.disputed,
        void: line.void,
        entered_at: moment(line.record.entered_at),
        entered_by: text(&line.entered_by),
        entry: line.record.import.map(|import| import.0),
        revision: line.record.revision,
    }
}

pub(super) fn form_of(noted: &NewServiceRecord) -> ActivityForm {
    let clock =
        |minute: Option<u16>| minute.and_then(DayMinute::new).map(|minute| minute.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    ActivityForm {
        name: text(&noted.activity),
        date: noted.date.to_string(),
        start: clock(noted.start_minute),
        end: clock(noted.end_minute),
        hours: hours(noted.minutes),
        content: noted.content.clone(),
        place: text(&noted.place),
        item: noted.item.map(|item| item.to_string()).unwrap_or_default(),
        organiser: text(&noted.organiser),
        in_charge: text(&noted.in_charge),
        late_reason: text(&noted.late_reason),
    }
}

/// What a history calls the values that a record keeps.
const LABELS: &[(&str, &str)] = &[
    ("date", "日期"),
    ("start", "开始"),
    ("end", "结束"),
    ("minutes", "时长"),
    ("activity", "活动名称"),
    ("content", "服务内容"),
    ("place", "地点"),
    ("item", "服务项目"),
    ("organiser", "组织单位"),
    ("in_charge", "负责人"),
];

pub(super) fn change_line(change: &RecordChange) -> ChangeLine {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    let (before, after) = (read(&change.before), read(&change.after));
    let differences = LABELS
        .iter()
        .filter(|(key, _)| before.get(key) != after.get(key))
        .map(|(key, label)| (*label, shown(key, before.get(key)), shown(key, after.get(key))))
        .collect();
    ChangeLine {
        what: if change.kind == "void" { "作废" } else { "更正" },
        reason: change.reason.clone(),
        who: change.actor.clone(),
        when: moment(change.at),
        differences,
    }
}

fn shown(key: &str, value: Option<&Value>) -> String {
    let number = |value: &Value| value.as_u64().and_then(|number| u16::try_from(number).ok());
    match (key, value) {
        (_, None | Some(Value::Null)) => "（空）".into(),
        ("minutes", Some(value)) => {
            number(value).map_or_else(String::new, |minutes| format!("{} 小时", hours(minutes)))
        }
        ("start" | "end", Some(value)) => {
            number(value).and_then(DayMinute::new).map(|minute| minute.to_string()).unwrap_or_default()
        }
        ("item", Some(value)) => {
            let item = number(value).and_then(|code| u8::try_from(code).ok()).and_then(ServiceItem::from_code);
            item.map_or("", ServiceItem::name).to_owned()
        }
        (_, Some(Value::String(text))) => text.clone(),
        (_, Some(other)) => other.to_string(),
    }
}

pub(super) fn entry_row(entry: &EntryLine) -> EntryRow {
    EntryRow {
        id: entry.id.0,
        kind: if entry.sheet { "表格导入" } else { "批量录入" },
        name: entry.name.clone(),
        unit: entry.unit_name.clone().unwrap_or_else(|| "（多个单位）".into()),
        records: entry.records,
        who: entry.actor.clone(),
        when: moment(entry.at),
    }
}

/// Whose records a volunteer's are.
pub(super) fn of_volunteer(volunteer: VolunteerId, from: Date, to: Date) -> RecordFilter {
    RecordFilter {
        volunteer: Some(volunteer),
        from: Some(from),
        to: Some(to),
        ..RecordFilter::all(crate::store::Reach::Everything)
    }
}
