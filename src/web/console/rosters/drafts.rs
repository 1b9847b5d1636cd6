//! Rosters under way: upload, preview, correction in place, confirmation, report.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::page::{Shell, done, failed, render, render_as, workbook};
use super::super::{ConsoleForm, PageError, Signed, Upload};
use super::units::choices;
use super::{again, key};
use crate::domain::staff::{Permission, Scope};
use crate::service::desk::rosters::{DraftUpload, DraftView, PAGE, Preview, RowForm, Shown, UnitPage, UnitsAsked};
use crate::service::desk::{Desk, DeskError};

/// What the list of drafts is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    /// Part of a unit's or file's name.
    q: String,
    before: String,
}

/// For which unit a roster is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NewAsked {
    unit: String,
    q: String,
    county: String,
}

/// What the preview is asked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PreviewAsked {
    show: String,
    after: String,
    /// A row number to begin at.
    from: String,
}

/// A form about a row or a whole roster at a revision.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Step {
    revision: i64,
    sure: String,
}

#[derive(Template)]
#[template(path = "console/rosters/rosters.html")]
struct List {
    shell: Shell,
    asked: Asked,
    drafts: Vec<DraftView>,
    next: Option<i64>,
    may_import: bool,
}

#[derive(Template)]
#[template(path = "console/rosters/upload.html")]
struct New {
    shell: Shell,
    unit: Option<UnitPage>,
    asked: NewAsked,
    counties: Vec<(String, String)>,
    units: Vec<UnitPage>,
    problem: String,
}

#[derive(Template)]
#[template(path = "console/rosters/preview.html")]
struct PreviewPage {
    shell: Shell,
    preview: Preview,
    show: &'static str,
    tabs: Vec<(&'static str, &'static str, u64)>,
}

#[derive(Template)]
#[template(path = "console/rosters/row.html")]
struct RowPage {
    shell: Shell,
    draft: DraftView,
    row: RowForm,
    /// What was typed, in the columns' order; else what stands there.
    typed: Vec<String>,
    refused: String,
    late: bool,
}

#[derive(Template)]
#[template(path = "console/rosters/confirm.html")]
struct Confirm {
    shell: Shell,
    preview: Preview,
    refused: String,
    unsure: bool,
}

#[derive(Template)]
#[template(path = "console/rosters/abandon.html")]
struct Abandon {
    shell: Shell,
    draft: DraftView,
}

#[derive(Template)]
#[template(path = "console/rosters/report.html")]
struct Report {
    shell: Shell,
    draft: DraftView,
    /// Rows that stayed out, the first page of them; none once forgotten.
    refused: Option<Preview>,
    delivery: Option<i64>,
}

pub(super) async fn list(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let mut drafts = desk.roster_drafts(None, &asked.q, asked.before.parse().ok()).await?;
    let more = drafts.len() > PAGE as usize;
    drafts.truncate(PAGE as usize);
    let next = drafts.last().filter(|_| more).map(|draft| draft.id);
    let may_import = desk.may(Permission::ImportRoster);
    render(&List { shell, asked, drafts, next, may_import })
}

pub(super) async fn export(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    Ok(workbook("上传的名册.xlsx", signed.desk.drafts_workbook(&asked.q).await?))
}

pub(super) async fn new(signed: Signed, Query(asked): Query<NewAsked>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    new_page(StatusCode::OK, &desk, shell, asked, String::new()).await
}

pub(super) async fn upload(signed: Signed, upload: Upload) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let unit = upload.field("unit").unwrap_or_default().to_owned();
    let file = DraftUpload { file: upload.path(), name: &upload.name, unit: key(&unit)? };
    match desk.upload_roster(file).await {
        Ok(id) => {
            let draft = desk.roster_draft(id).await?;
            let words = match draft.refused {
                0 => format!("已读取 {} 行，没有发现错误。还没有登记任何人：请核对后确认", draft.rows),
                wrong => format!("已读取 {} 行，其中 {wrong} 行有错误。还没有登记任何人", draft.rows),
            };
            Ok(done(&shell, &format!("/rosters/drafts/{id}"), words))
        }
        Err(DeskError::Service(error)) if !error.is_internal() => {
            let asked = NewAsked { unit, ..NewAsked::default() };
            new_page(StatusCode::UNPROCESSABLE_ENTITY, &desk, shell, asked, error.to_string()).await
        }
        Err(DeskError::Refused(words)) => {
            let asked = NewAsked { unit, ..NewAsked::default() };
            new_page(StatusCode::UNPROCESSABLE_ENTITY, &desk, shell, asked, words).await
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn preview(
    signed: Signed,
    Path(draft): Path<String>,
    Query(asked): Query<PreviewAsked>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let id = key(&draft)?;
    let begin = asked.from.parse::<u32>().ok().map(|from| from.saturating_sub(1));
    let after = begin.or_else(|| asked.after.parse().ok()).unwrap_or(0);
    let shown = Shown::parse(&asked.show);
    let draft = desk.roster_draft(id).await?;
    if draft.confirmed {
        return report_page(&desk, shell, draft).await;
    }
    let preview = desk.preview_roster(id, shown, after).await?;
    let tabs = tabs(&preview.draft);
    render(&PreviewPage { shell, preview, show: shown.word(), tabs })
}

pub(super) async fn row(signed: Signed, Path((draft, row)): Path<(String, String)>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let id = key(&draft)?;
    let row = desk.open_roster_row(id, key(&row)?).await?;
    let typed = row.cells.iter().map(|cell| cell.text.clone()).collect();
    render(&RowPage { shell, draft: desk.roster_draft(id).await?, row, typed, refused: String::new(), late: false })
}

pub(super) async fn correct(
    signed: Signed,
    Path((draft, row)): Path<(String, String)>,
    ConsoleForm(form): ConsoleForm<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let (id, number) = (key::<i64>(&draft)?, key::<u32>(&row)?);
    let value = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let revision = value("revision").and_then(|text| text.parse().ok()).unwrap_or(0);
    let cells: Vec<(u16, String)> = form
        .iter()
        .filter_map(|(name, text)| Some((name.strip_prefix("cell-")?.parse().ok()?, text.clone())))
        .collect();
    match desk.correct_roster_row(id, number, revision, &cells).await {
        Ok(()) => {
            let row = desk.preview_roster(id, Shown::All, number.saturating_sub(1)).await?;
            let wrong = row.rows.first().is_some_and(|row| row.number == number && row.outcome == "有错误");
            if wrong {
                let words = format!("第 {number} 行已保存，但还有错误");
                return Ok(failed(&shell, &format!("/rosters/drafts/{id}/rows/{number}"), words));
            }
            if value("then") == Some("next")
                && let Some(next) = desk.next_problem(id, number).await?
            {
                let words = format!("第 {number} 行已更正，下面是第 {next} 行");
                return Ok(done(&shell, &format!("/rosters/drafts/{id}/rows/{next}"), words));
            }
            Ok(done(&shell, &format!("/rosters/drafts/{id}?from={number}"), format!("第 {number} 行已更正")))
        }
        Err(error) => {
            let (status, wrong, mut refused) = again(error)?;
            if refused.is_empty() {
                refused = wrong.of("cell").to_owned();
            }
            let row = desk.open_roster_row(id, number).await?;
            let typed = |column: u16| cells.iter().find(|(at, _)| *at == column).map(|(_, text)| text.clone());
            let typed = row.cells.iter().map(|cell| typed(cell.column).unwrap_or_else(|| cell.text.clone())).collect();
            let late = status == StatusCode::CONFLICT;
            let draft = desk.roster_draft(id).await?;
            render_as(status, &RowPage { shell, draft, row, typed, refused, late })
        }
    }
}

pub(super) async fn remove(
    signed: Signed,
    Path((draft, row)): Path<(String, String)>,
    ConsoleForm(step): ConsoleForm<Step>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let (id, number) = (key::<i64>(&draft)?, key::<u32>(&row)?);
    desk.remove_roster_row(id, number, step.revision, true).await?;
    let words = format!("第 {number} 行已从这份名册中删去，可在“已删去”中恢复");
    Ok(done(&shell, &format!("/rosters/drafts/{id}?from={number}"), words))
}

pub(super) async fn restore(
    signed: Signed,
    Path((draft, row)): Path<(String, String)>,
    ConsoleForm(step): ConsoleForm<Step>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let (id, number) = (key::<i64>(&draft)?, key::<u32>(&row)?);
    desk.remove_roster_row(id, number, step.revision, false).await?;
    Ok(done(&shell, &format!("/rosters/drafts/{id}?from={number}"), format!("第 {number} 行已恢复")))
}

pub(super) async fn errors(signed: Signed, Path(draft): Path<String>) -> Result<Response, PageError> {
    let (name, bytes) = signed.desk.roster_errors(key(&draft)?).await?;
    Ok(workbook(&name, bytes))
}

pub(super) async fn ask_confirm(signed: Signed, Path(draft): Path<String>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let id = key(&draft)?;
    let draft = desk.roster_draft(id).await?;
    if draft.confirmed {
        return report_page(&desk, shell, draft).await;
    }
    let preview = desk.preview_roster(id, Shown::Problems, 0).await?;
    render(&Confirm { shell, preview, refused: String::new(), unsure: false })
}

pub(super) async fn confirm(
    signed: Signed,
    Path(draft): Path<String>,
    ConsoleForm(step): ConsoleForm<Step>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let id = key(&draft)?;
    match desk.confirm_roster(id, step.revision, step.sure == "yes").await {
        Ok(came) => {
            let words = format!("已登记 {} 人，{} 人此前已登记，{} 行未登记", came.fresh, came.known, came.refused);
            Ok(done(&shell, &format!("/rosters/drafts/{id}/report"), words))
        }
        Err(error) => {
            let (status, _, refused) = again(error)?;
            let draft = desk.roster_draft(id).await?;
            if !draft.open {
                return Ok(failed(&shell, &format!("/rosters/drafts/{id}/report"), refused));
            }
            let preview = desk.preview_roster(id, Shown::Problems, 0).await?;
            let unsure = !preview.doubts.is_empty() && step.sure != "yes";
            render_as(status, &Confirm { shell, preview, refused, unsure })
        }
    }
}

pub(super) async fn ask_abandon(signed: Signed, Path(draft): Path<String>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let draft = desk.roster_draft(key(&draft)?).await?;
    render(&Abandon { shell, draft })
}

pub(super) async fn abandon(signed: Signed, Path(draft): Path<String>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    desk.abandon_roster(key(&draft)?).await?;
    Ok(done(&shell, "/rosters", "名册已放弃，其中的资料已删除；没有登记任何人"))
}

pub(super) async fn report(signed: Signed, Path(draft): Path<String>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let draft = desk.roster_draft(key(&draft)?).await?;
    report_page(&desk, shell, draft).await
}

async fn report_page(desk: &Desk, shell: Shell, draft: DraftView) -> Result<Response, PageError> {
    let refused = match desk.preview_roster(draft.id, Shown::Problems, 0).await {
        Ok(preview) => Some(preview),
        // Forgotten after its time.
        Err(DeskError::Refused(_) | DeskError::NotFound) => None,
        Err(error) => return Err(error.into()),
    };
    let delivery = desk.delivery_of_draft(draft.id).await?;
    render(&Report { shell, draft, refused, delivery })
}

async fn new_page(
    status: StatusCode,
    desk: &Desk,
    shell: Shell,
    asked: NewAsked,
    problem: String,
) -> Result<Response, PageError> {
    let own = match desk.staff().scope {
        Scope::Unit { unit, .. } => Some(unit),
        _ => None,
    };
    let chosen = own.or_else(|| asked.unit.parse().ok());
    let unit = match chosen {
        Some(id) => Some(desk.unit(id).await?),
        None => None,
    };
    let units = match unit {
        Some(_) => Vec::new(),
        None => {
            let wanted =
                UnitsAsked { name: asked.q.clone(), county: asked.county.parse().ok(), ..UnitsAsked::default() };
            let mut units = desk.units(&wanted).await?;
            units.truncate(PAGE as usize);
            units
        }
    };
    let counties = choices(desk, "全部县（区）")?;
    render_as(status, &New { shell, unit, asked, counties, units, problem })
}

fn tabs(draft: &DraftView) -> Vec<(&'static str, &'static str, u64)> {
    let mut tabs = vec![
        ("all", "全部", draft.rows),
        ("problems", "只看有问题的", draft.refused),
        ("new", "将新登记", draft.fresh),
        ("known", "此前已登记", draft.known),
    ];
    if draft.removed > 0 {
        tabs.push(("removed", "已删去", draft.removed));
    }
    tabs
}
