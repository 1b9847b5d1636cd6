//! Uses of offers that are worth a look, at every partner.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use super::words::counted;
use crate::clock::beijing_date;
use crate::roster::export;
use crate::service::ServiceError;
use crate::service::desk::oversight::findings::FindingKind;
use crate::service::desk::oversight::partners::FindingLine;
use crate::web::console::error::PageError;
use crate::web::console::guard::Signed;
use crate::web::console::page::{Shell, render, workbook};

/// What the list's address says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
}

struct Group {
    kind: FindingKind,
    lines: Vec<FindingLine>,
}

#[derive(Template)]
#[template(path = "console/oversight/unusual.html")]
struct Unusual {
    shell: Shell,
    groups: Vec<Group>,
    q: String,
    counted: String,
}

pub(super) async fn list(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let (lines, when) = signed.desk.unusual(&asked.q).await?;
    let groups = FindingKind::ALL
        .into_iter()
        .map(|kind| Group { kind, lines: lines.iter().filter(|line| line.kind == kind).cloned().collect() });
    let groups = groups.filter(|group| !group.lines.is_empty()).collect();
    render(&Unusual { shell: signed.shell, groups, q: asked.q.trim().to_owned(), counted: counted(&when) })
}

pub(super) async fn export(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let (lines, when) = signed.desk.unusual(&asked.q).await?;
    let today = beijing_date(signed.desk.office().now());
    let headers = ["情况", "合作单位", "项目或证书编号", "日期或月份", "次数", "说明"];
    let rows = lines.into_iter().map(|line| {
        let about = line.kind.explanation();
        vec![
            line.kind.label().into(),
            line.partner_name.into(),
            line.about.into(),
            line.when.into(),
            line.found.into(),
            about.into(),
        ]
    });
    let title = format!("值得核对的使用情况（数据时间 {}）", counted(&when));
    let bytes = export::table(&title, &headers, rows, today).map_err(ServiceError::from)?;
    Ok(workbook(&format!("异常使用-{today}.xlsx"), bytes))
}
