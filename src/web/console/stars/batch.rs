//! The year's batch.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use zyz_credential::CertificateNumber;

use super::super::hours::Errors;
use super::super::page::{self, Shell};
use super::super::{ConsoleForm, PageError, Signed};
use super::drawn;
use crate::domain::division::County;
use crate::domain::staff::Permission;
use crate::domain::star::label;
use crate::service::desk::stars::{
    BatchLine, BatchPage, BatchRow, NoticeList, ObjectionForm, ReissueLines, RowQuery, RowsPage,
};
use crate::service::desk::{Desk, DeskError};

/// The stars to choose from.
const STARS: [(&str, &str); 6] =
    [("5", "五星级"), ("4", "四星级"), ("3", "三星级"), ("2", "二星级"), ("1", "一星级"), ("0", "无星级")];

#[derive(Template)]
#[template(path = "console/stars/list.html")]
struct ListPage {
    shell: Shell,
    tab: &'static str,
    batches: Vec<BatchLine>,
    may_draft: bool,
    may_try: bool,
    year: String,
    errors: Errors,
}

#[derive(Template)]
#[template(path = "console/stars/batch.html")]
struct OnePage {
    shell: Shell,
    batch: BatchPage,
    rows: RowsPage,
    filters: RowFilters,
    counties: Vec<(String, &'static str)>,
    query: String,
    next: String,
    may_draft: bool,
    may_confirm: bool,
    missing: bool,
}

#[derive(Template)]
#[template(path = "console/stars/person.html")]
struct PersonPage {
    shell: Shell,
    batch: BatchPage,
    row: BatchRow,
    may_decide: bool,
    form: ObjectionForm,
    errors: Errors,
}

#[derive(Template)]
#[template(path = "console/stars/notice.html")]
struct NoticePage {
    shell: Shell,
    id: i64,
    list: NoticeList,
}

#[derive(Template)]
#[template(path = "console/stars/announce.html")]
struct AnnouncePage {
    shell: Shell,
    batch: BatchPage,
    from: String,
    to: String,
    errors: Errors,
}

#[derive(Template)]
#[template(path = "console/stars/drop.html")]
struct DropPage {
    shell: Shell,
    batch: BatchPage,
    reason: String,
    errors: Errors,
}

#[derive(Template)]
#[template(path = "console/stars/confirm.html")]
struct ConfirmPage {
    shell: Shell,
    batch: BatchPage,
}

#[derive(Template)]
#[template(path = "console/stars/reissue.html")]
struct ReissuePage {
    shell: Shell,
    page: ReissueLines,
    may_print: bool,
}

/// All batches.
pub(super) async fn list(signed: Signed) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let year = crate::clock::beijing_date(desk.office().now()).year().to_string();
    listed(&desk, shell, year, Errors::default()).await
}

#[derive(Debug, Deserialize)]
pub(super) struct YearForm {
    #[serde(default)]
    year: String,
}

/// Drafts a year's.
pub(super) async fn draft(signed: Signed, ConsoleForm(form): ConsoleForm<YearForm>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    match desk.draft_stars(&form.year).await {
        Ok(id) => Ok(page::done(
            &shell,
            &format!("/stars/{id}"),
            "草案已生成并固定，之后录入的时长不再影响它；确认之前没有人的星级会变",
        )),
        Err(DeskError::Invalid(wrong)) => listed(&desk, shell, form.year, Errors(wrong)).await,
        Err(error) => Err(error.into()),
    }
}

/// The filters of rows.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(super) struct RowFilters {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    county: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    star: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    changed: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    after: String,
}

/// One batch.
pub(super) async fn page(
    signed: Signed,
    Path(id): Path<i64>,
    Query(filters): Query<RowFilters>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    one(&desk, shell, id, filters, false).await
}

/// Its rows as a workbook.
pub(super) async fn export(
    signed: Signed,
    Path(id): Path<i64>,
    Query(filters): Query<RowFilters>,
) -> Result<Response, PageError> {
    let bytes = signed.desk.batch_workbook(id, &asked(&filters)).await?;
    Ok(page::workbook("星级批次名单.xlsx", bytes))
}

#[derive(Debug, Deserialize)]
pub(super) struct Find {
    #[serde(default)]
    number: String,
}

/// Finds a person of it by number.
pub(super) async fn find(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(find): ConsoleForm<Find>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let number: String = find.number.chars().filter(|c| !c.is_whitespace()).collect();
    if let Ok(number) = CertificateNumber::parse(&number)
        && let Ok(row) = desk.batch_row_of(id, number).await
    {
        return Ok(page::go(&shell, &format!("/stars/{id}/rows/{}", row.id), None));
    }
    one(&desk, shell, id, RowFilters::default(), true).await
}

/// One person of it.
pub(super) async fn person(signed: Signed, Path((id, row)): Path<(i64, i64)>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    of_person(&desk, shell, (id, row), None, Errors::default(), StatusCode::OK).await
}

/// An objection's end as a browser sends it.
#[derive(Debug, Deserialize)]
pub(super) struct Objection {
    revision: i64,
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    star: String,
    #[serde(default)]
    reason: String,
}

/// Decides an objection.
pub(super) async fn object(
    signed: Signed,
    Path((id, row)): Path<(i64, i64)>,
    ConsoleForm(sent): ConsoleForm<Objection>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let form = ObjectionForm { revision: sent.revision, outcome: sent.outcome, star: sent.star, reason: sent.reason };
    match desk.decide_star_objection(id, row, &form).await {
        Ok(()) => Ok(page::done(&shell, &format!("/stars/{id}"), "已记录这个异议的处理结果")),
        Err(DeskError::Invalid(wrong)) => {
            of_person(&desk, shell, (id, row), Some(form), Errors(wrong), StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The list for public notice.
pub(super) async fn notice(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let list = desk.notice_list(id).await?;
    page::render(&NoticePage { shell, id, list })
}

/// The same as PDF.
pub(super) async fn notice_pdf(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let (name, bytes) = signed.desk.notice_pdf(id).await?;
    Ok(page::download("application/pdf", &name, bytes))
}

/// The same as a workbook.
pub(super) async fn notice_xlsx(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let (name, bytes) = signed.desk.notice_workbook(id).await?;
    Ok(page::workbook(&name, bytes))
}

/// From when to when it is put up.
pub(super) async fn announcing(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let batch = desk.star_batch(id).await?;
    let (from, to) = batch.line.notice.unwrap_or(batch.suggested);
    let (from, to) = (from.to_string(), to.to_string());
    page::render(&AnnouncePage { shell, batch, from, to, errors: Errors::default() })
}

#[derive(Debug, Deserialize)]
pub(super) struct Announce {
    revision: i64,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// Puts it up.
pub(super) async fn announce(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(form): ConsoleForm<Announce>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    match desk.announce_stars(id, form.revision, &form.from, &form.to).await {
        Ok(()) => {
            let text = format!("公示 {} 至 {}；请打印或下载名单张贴", form.from, form.to);
            Ok(page::done(&shell, &format!("/stars/{id}"), text))
        }
        Err(DeskError::Invalid(wrong)) => {
            let batch = desk.star_batch(id).await?;
            let page = AnnouncePage { shell, batch, from: form.from, to: form.to, errors: Errors(wrong) };
            page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

/// Says what throwing it away does.
pub(super) async fn dropping(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let batch = desk.star_batch(id).await?;
    page::render(&DropPage { shell, batch, reason: String::new(), errors: Errors::default() })
}

#[derive(Debug, Deserialize)]
pub(super) struct Revision {
    revision: i64,
    #[serde(default)]
    reason: String,
}

/// Throws it away.
pub(super) async fn drop_batch(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(form): ConsoleForm<Revision>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    match desk.drop_stars(id, form.revision, &form.reason).await {
        Ok(()) => Ok(page::done(&shell, "/stars", "批次已作废，没有人的星级改变；可以重新起草")),
        Err(DeskError::Invalid(wrong)) => {
            let batch = desk.star_batch(id).await?;
            let page = DropPage { shell, batch, reason: form.reason, errors: Errors(wrong) };
            page::render_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => Err(error.into()),
    }
}

/// Says what confirming it does.
pub(super) async fn confirming(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let batch = desk.star_batch(id).await?;
    page::render(&ConfirmPage { shell, batch })
}

/// Confirms it.
pub(super) async fn confirm(
    signed: Signed,
    Path(id): Path<i64>,
    ConsoleForm(form): ConsoleForm<Revision>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let changed = desk.confirm_stars(id, form.revision).await?;
    Ok(page::done(&shell, &format!("/stars/{id}"), format!("已认定，{changed} 人的星级已变更并立即生效")))
}

#[derive(Debug, Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: String,
}

/// Whose cards show another star.
pub(super) async fn reissue(
    signed: Signed,
    Path(id): Path<i64>,
    Query(at): Query<After>,
) -> Result<Response, PageError> {
    let Signed { desk, shell } = signed;
    let page = desk.star_reissues(id, &at.after).await?;
    let may_print = desk.may(Permission::PrintCards);
    page::render(&ReissuePage { shell, page, may_print })
}

/// The same as a workbook.
pub(super) async fn reissue_export(signed: Signed, Path(id): Path<i64>) -> Result<Response, PageError> {
    Ok(page::workbook("需换发的证件.xlsx", signed.desk.reissue_workbook(id).await?))
}

async fn listed(desk: &Desk, shell: Shell, year: String, errors: Errors) -> Result<Response, PageError> {
    let batches = desk.star_batches().await?;
    let may_draft = desk.may(Permission::StarDraft);
    let status = if errors.count() > 0 { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = ListPage { shell, tab: "batches", batches, may_draft, may_try: may_draft, year, errors };
    page::render_as(status, &page)
}

async fn one(desk: &Desk, shell: Shell, id: i64, filters: RowFilters, missing: bool) -> Result<Response, PageError> {
    let batch = desk.star_batch(id).await?;
    let rows = desk.batch_rows(id, &asked(&filters)).await?;
    let bare = RowFilters { after: String::new(), ..filters.clone() };
    let encoded = |filters: &RowFilters| serde_html_form::to_string(filters).unwrap_or_default();
    let next = rows.next.clone().map(|after| encoded(&RowFilters { after, ..bare.clone() })).unwrap_or_default();
    let all = std::iter::once((String::new(), "全部县（区）"));
    let counties = all.chain(County::all().map(|county| (county.code().to_string(), county.name()))).collect();
    let (may_draft, may_confirm) = (desk.may(Permission::StarDraft), desk.may(Permission::StarConfirm));
    let query = encoded(&bare);
    page::render(&OnePage { shell, batch, rows, filters, counties, query, next, may_draft, may_confirm, missing })
}

fn asked(filters: &RowFilters) -> RowQuery {
    RowQuery {
        county: filters.county.parse().ok(),
        star: filters.star.parse().ok().filter(|star| *star <= 5),
        changed: filters.changed == "1",
        after: (!filters.after.is_empty()).then(|| filters.after.clone()),
    }
}

async fn of_person(
    desk: &Desk,
    shell: Shell,
    (id, row): (i64, i64),
    form: Option<ObjectionForm>,
    errors: Errors,
    status: StatusCode,
) -> Result<Response, PageError> {
    let batch = desk.star_batch(id).await?;
    let row = desk.batch_row(id, row).await?;
    let open = batch.is_draft || batch.is_announced;
    let may_decide = open && desk.may(Permission::StarDraft);
    let form = form.unwrap_or_else(|| ObjectionForm { revision: batch.revision, ..ObjectionForm::default() });
    page::render_as(status, &PersonPage { shell, batch, row, may_decide, form, errors })
}
