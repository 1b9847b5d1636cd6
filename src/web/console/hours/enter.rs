//! One activity for many people; activities that wait for their hours.

use std::collections::{HashMap, HashSet};

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::page::{self, Shell};
use super::super::{ConsoleForm, PageError, Signed};
use super::list::Reason;
use super::{Errors, activity_field, items};
use crate::domain::hours::hours_of;
use crate::domain::staff::Permission;
use crate::service::desk::hours::{
    ActivityForm, BulkEntry, EntryCheck, EntryOutcome, PendingLine, RosterPage, UnitChoice,
};
use crate::service::desk::{Desk, DeskError};

/// The form as a browser sends it: `chosen` once a person, `h.NUMBER` the hours of one person alone.
#[derive(Debug, Clone, Default)]
struct EnterForm {
    step: String,
    unit: i64,
    pending: Option<i64>,
    search: String,
    activity: ActivityForm,
    chosen: Vec<String>,
    hours: HashMap<String, String>,
}

/// A person to tick.
struct Choice {
    number: String,
    grouped: String,
    name: String,
    ticked: bool,
    hours: String,
}

#[derive(Template)]
#[template(path = "console/hours/enter.html")]
struct EnterPage {
    shell: Shell,
    unit: UnitChoice,
    form: ActivityForm,
    pending: Option<i64>,
    search: String,
    errors: Errors,
    items: Vec<(String, &'static str)>,
    people: Vec<Choice>,
    /// Chosen and not listed: number and hours.
    hidden: Vec<(String, String)>,
    more: bool,
    chosen: usize,
}

#[derive(Template)]
#[template(path = "console/hours/check.html")]
struct CheckPage {
    shell: Shell,
    unit: UnitChoice,
    form: ActivityForm,
    pending: Option<i64>,
    item: &'static str,
    check: EntryCheck,
    total: String,
    refused: bool,
}

#[derive(Template)]
#[template(path = "console/hours/units.html")]
struct UnitsPage {
    shell: Shell,
    search: String,
    units: Vec<UnitChoice>,
}

#[derive(Template)]
#[template(path = "console/hours/pending.html")]
struct PendingPage {
    shell: Shell,
    tab: &'static str,
    due: bool,
    q: String,
    first: bool,
    lines: Vec<PendingLine>,
    next: Option<String>,
    may_write: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Start {
    unit: Option<i64>,
    activity: Option<i64>,
    #[serde(default)]
    q: String,
}

/// The empty form, or the unit to be chosen first.
pub(super) async fn page(signed: Signed, Query(start): Query<Start>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let mut form = EnterForm::default();
    if let Some(id) = start.activity {
        let (line, activity) = desk.pending_activity(id).await?;
        form = EnterForm { unit: line.unit, pending: Some(id), activity, ..form };
    } else {
        let unit = match (start.unit, desk.hours_own_unit().await?) {
            (Some(unit), _) => desk.hours_unit(unit).await?,
            (None, Some(own)) => own,
            (None, None) => {
                let search = start.q.trim().to_owned();
                let units = desk.hours_find_units(&search).await?;
                return page::render(&UnitsPage { shell, search, units });
            }
        };
        form.unit = unit.id;
        form.activity.organiser = unit.name;
    }
    shown(&desk, shell, form, Errors::default()).await
}

/// Each button of the form: search, tick all, note for later, check, change, save.
pub(super) async fn step(
    signed: Signed,
    ConsoleForm(fields): ConsoleForm<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let mut form = read(fields);
    match form.step.as_str() {
        "note" => match desk.note_activity(form.unit, &form.activity).await {
            Ok(_) => {
                Ok(page::done(&shell, "/hours/pending", "已登记活动，时长待录入。10 个工作日的录入期限从服务日期起算"))
            }
            Err(DeskError::Invalid(wrong)) => shown(&desk, shell, form, Errors(wrong)).await,
            Err(error) => Err(error.into()),
        },
        "all" => {
            let listed = desk.entry_people(form.unit, &form.search).await?;
            form.chosen.extend(listed.people.into_iter().map(|(number, ..)| number));
            shown(&desk, shell, form, Errors::default()).await
        }
        "none" => {
            form.chosen.clear();
            shown(&desk, shell, form, Errors::default()).await
        }
        "check" => match desk.check_entry(&form.entry()).await {
            Ok(check) => checked(&desk, shell, &form, check, false).await,
            Err(DeskError::Invalid(wrong)) => shown(&desk, shell, form, Errors(wrong)).await,
            Err(error) => Err(error.into()),
        },
        "save" => match desk.save_entry(&form.entry()).await {
            Ok(EntryOutcome::Saved { entry, records, minutes }) => {
                let text =
                    format!("已录入 {records} 人的服务记录，共 {} 小时（{}）", hours_of(minutes), form.activity.date);
                Ok(page::done(&shell, &format!("/hours/entries/{entry}"), text))
            }
            Ok(EntryOutcome::Refused(check)) => checked(&desk, shell, &form, check, true).await,
            Err(DeskError::Invalid(wrong)) => shown(&desk, shell, form, Errors(wrong)).await,
            Err(error) => Err(error.into()),
        },
        // Search, and back from the check.
        _ => shown(&desk, shell, form, Errors::default()).await,
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct PendingQuery {
    #[serde(default)]
    due: String,
    /// Part of an activity's or unit's name.
    #[serde(default)]
    q: String,
    after: Option<String>,
}

/// Activities that wait for their hours.
pub(super) async fn pending(signed: Signed, Query(query): Query<PendingQuery>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let due = query.due == "1";
    let (lines, next) = desk.pending_activities(due, &query.q, query.after.as_deref()).await?;
    let may_write = desk.may(Permission::WriteHours);
    let (q, first) = (query.q.trim().to_owned(), query.after.is_none());
    page::render(&PendingPage { shell, tab: "pending", due, q, first, lines, next, may_write })
}

/// The same as a workbook.
pub(super) async fn pending_export(signed: Signed, Query(query): Query<PendingQuery>) -> Result<Response, PageError> {
    let bytes = signed.desk.pending_workbook(query.due == "1", &query.q).await?;
    Ok(page::workbook("待录入的活动.xlsx", bytes))
}

/// Gives an activity up.
pub(super) async fn drop_activity(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(form): ConsoleForm<Reason>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    match desk.drop_activity(id, &form.reason).await {
        Ok(()) => Ok(page::done(&shell, "/hours/pending", "已取消这项待录入的活动")),
        Err(DeskError::Invalid(_)) => Ok(page::failed(&shell, "/hours/pending", "没有取消：请写明取消的原因")),
        Err(error) => Err(error.into()),
    }
}

impl EnterForm {
    fn entry(&self) -> BulkEntry {
        let people = self
            .chosen
            .iter()
            .map(|number| (number.clone(), self.hours.get(number).cloned().unwrap_or_default()))
            .collect();
        BulkEntry { unit: self.unit, activity: self.activity.clone(), people, pending: self.pending }
    }
}

fn read(fields: Vec<(String, String)>) -> EnterForm {
    let mut form = EnterForm::default();
    let mut seen = HashSet::new();
    let number = |text: &str| text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    for (name, value) in fields {
        match name.as_str() {
            "step" => form.step = value,
            "unit" => form.unit = value.parse().unwrap_or_default(),
            "pending" => form.pending = value.parse().ok(),
            "search" => form.search = value,
            "chosen" if number(&value) => {
                if seen.insert(value.clone()) {
                    form.chosen.push(value);
                }
            }
            name => match name.strip_prefix("h.").filter(|own| number(own)) {
                Some(own) => drop(form.hours.insert(own.to_owned(), value)),
                None => {
                    if let Some(field) = activity_field(&mut form.activity, name) {
                        *field = value;
                    }
                }
            },
        }
    }
    form
}

async fn shown(desk: &Desk, shell: Shell, form: EnterForm, errors: Errors) -> Result<Response, PageError> {
    let unit = desk.hours_unit(form.unit).await?;
    let RosterPage { people, more } = desk.entry_people(form.unit, &form.search).await?;
    let ticked: HashSet<&String> = form.chosen.iter().collect();
    let listed: HashSet<&String> = people.iter().map(|(number, ..)| number).collect();
    let own = |number: &String| form.hours.get(number).cloned().unwrap_or_default();
    let hidden: Vec<_> = form
        .chosen
        .iter()
        .filter(|number| !listed.contains(number))
        .collect::<HashSet<_>>()
        .into_iter()
        .map(|number| (number.clone(), own(number)))
        .collect();
    let chosen = ticked.len();
    let people = people
        .iter()
        .map(|(number, grouped, name)| Choice {
            ticked: ticked.contains(number),
            hours: own(number),
            number: number.clone(),
            grouped: grouped.clone(),
            name: name.clone(),
        })
        .collect();
    let status = if errors.count() > 0 { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = EnterPage {
        shell,
        unit,
        form: form.activity,
        pending: form.pending,
        search: form.search,
        errors,
        items: items(),
        people,
        hidden,
        more,
        chosen,
    };
    page::render_as(status, &page)
}

async fn checked(
    desk: &Desk,
    shell: Shell,
    form: &EnterForm,
    check: EntryCheck,
    refused: bool,
) -> Result<Response, PageError> {
    let unit = desk.hours_unit(form.unit).await?;
    let item = items()
        .into_iter()
        .find(|(code, _)| !code.is_empty() && *code == form.activity.item)
        .map_or("", |(_, name)| name);
    let (total, status) = (hours_of(check.minutes), if refused { StatusCode::CONFLICT } else { StatusCode::OK });
    let page =
        CheckPage { shell, unit, form: form.activity.clone(), pending: form.pending, item, check, total, refused };
    page::render_as(status, &page)
}
