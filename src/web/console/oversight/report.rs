//! The inspection report (notice, 四、（四）强化监督检查): one page for screen and printer, and the same as PDF.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;

use super::statistics::{Asked, charts, headlines, part_row};
use super::words::{counted, figure, hours, percent, tenths};
use crate::render::RenderError;
use crate::render::paper::{Cell, Paper, Style, Table};
use crate::service::ServiceError;
use crate::service::desk::oversight::statistics::{About, Figures, Part};
use crate::service::desk::{Desk, DeskError};
use crate::web::console::chart::Svg;
use crate::web::console::error::PageError;
use crate::web::console::guard::Signed;
use crate::web::console::page::{Shell, download, render};

/// Units that one list of the report names at most; the workbook has them all.
const LISTED: usize = 100;

/// A part of the report.
struct Section {
    title: &'static str,
    text: String,
    chart: Svg,
    caption: String,
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    note: String,
}

impl Section {
    /// Whether a column holds words and not figures.
    fn words(&self, column: &usize) -> bool {
        *column == 0 || matches!(self.heads.get(*column), Some(&("说明" | "目标群体")))
    }
}

/// What a report says.
struct Content {
    title: String,
    about: String,
    sections: Vec<Section>,
    year: i16,
}

#[derive(Template)]
#[template(path = "console/oversight/report.html")]
struct Page {
    shell: Shell,
    title: String,
    about: String,
    sections: Vec<Section>,
    back: String,
    query: String,
}

pub(super) async fn page(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let about = about(&signed.desk, &asked)?;
    let content = content(&signed.desk, about, &asked).await?;
    let (back, query) = match about {
        About::City => ("/statistics".to_owned(), String::new()),
        About::County(county) => (format!("/statistics/counties/{county}"), format!("&county={county}")),
        About::Unit(unit) => (format!("/statistics/units/{unit}"), format!("&unit={unit}")),
    };
    let Content { title, about, sections, year } = content;
    let query = format!("year={year}{query}");
    render(&Page { title, about, sections, back: format!("{back}?year={year}"), query, shell: signed.shell })
}

pub(super) async fn pdf(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let desk = signed.desk;
    let about = about(&desk, &asked)?;
    let content = content(&desk, about, &asked).await?;
    let name = format!("{}.pdf", content.title);
    let (issuer, now) = (signed.shell.issuer, desk.office().now());
    // Laying out a hundred units takes a moment that other requests need not wait for.
    let made = tokio::task::spawn_blocking(move || paper(&content, issuer, now)).await;
    let bytes = made.map_err(|_| ServiceError::Aborted)?.map_err(ServiceError::from)?;
    Ok(download("application/pdf", &name, bytes))
}

/// What is asked for; without a word, what this person's own statistics are about.
pub(super) fn about(desk: &Desk, asked: &Asked) -> Result<About, DeskError> {
    match (asked.unit.parse(), asked.county.parse()) {
        (Ok(unit), _) => Ok(About::Unit(unit)),
        (Err(_), Ok(county)) => Ok(About::County(county)),
        (Err(_), Err(_)) => desk.own_statistics(),
    }
}

async fn content(desk: &Desk, about: About, asked: &Asked) -> Result<Content, PageError> {
    let figures = desk
        .figures(about, asked.year())
        .await?
        .ok_or_else(|| DeskError::Refused("还没有统计数据。请先到“统计督查”页面点“重新统计”".into()))?;
    let year = figures.year;
    let (parts, units) = match about {
        About::City => (desk.county_parts(year).await?, desk.all_unit_parts(None, year).await?),
        About::County(county) => {
            let units = desk.all_unit_parts(Some(county), year).await?;
            (units.clone(), units)
        }
        About::Unit(_) => (Vec::new(), Vec::new()),
    };
    let name = &figures.standing.name;
    let title = format!("{name}志愿服务工作督查报告（{year} 年）");
    let said = format!("数据时间：{}。制表人：{}。", counted(&figures.counted), desk.staff().name);
    let mut sections = vec![summary(&figures, about)];
    if !parts.is_empty() {
        sections.push(table(&figures, &parts, about));
    }
    if !units.is_empty() {
        sections.push(behind_in_registration(&units));
        sections.push(behind_in_hours(&units));
        sections.push(without_figures(&units));
    }
    sections.push(months(&figures));
    Ok(Content { title, about: said, sections, year })
}

fn summary(figures: &Figures, about: About) -> Section {
    let rows = headlines(figures, about).into_iter().map(|line| vec![line.title.to_owned(), line.figure, line.note]);
    Section {
        title: "一、总体情况",
        text: "依据普创文办〔2018〕12号：在编和非在编人员 100% 注册；建城区各单位、学校年人均服务不少于 100 小时，公司企业不少于 50 小时，其他各县建城区各单位不少于 25 小时。".into(),
        chart: Svg::default(),
        caption: "主要指标".into(),
        heads: vec!["指标", "数值", "说明"],
        rows: rows.collect(),
        note: String::new(),
    }
}

fn table(figures: &Figures, parts: &[Part], about: About) -> Section {
    let city = about == About::City;
    let rows = parts.iter().take(LISTED).map(|part| {
        let row = part_row(part, figures.year);
        vec![row.name, row.heads, row.people, row.rate, row.hours, row.per_head, row.target, row.stars, row.cards]
    });
    let chart = charts(figures, parts, about).into_iter().next().map_or_else(Svg::default, |(_, svg)| svg);
    Section {
        title: if city { "二、各县（区）" } else { "二、各单位" },
        text: format!(
            "全年服务 {} 小时，人均 {} 小时。",
            hours(figures.total.minutes),
            tenths(figures.tenths_a_head())
        ),
        chart,
        caption: if city { "各县（区）情况" } else { "各单位情况" }.into(),
        heads: vec![
            "名称",
            "在职人数",
            "志愿者",
            "注册率",
            "服务小时",
            "人均",
            if city { "达标单位" } else { "目标" },
            "星级",
            "有效证件",
        ],
        rows: rows.collect(),
        note: more(parts.len()),
    }
}

fn behind_in_registration(units: &[Part]) -> Section {
    let mut behind: Vec<&Part> =
        units.iter().filter(|part| part.standing.rate().is_some_and(|rate| rate < 1000)).collect();
    behind.sort_by_key(|part| (part.standing.rate(), part.standing.key));
    let rows = behind.iter().take(LISTED).map(|part| {
        let standing = &part.standing;
        vec![
            standing.name.clone(),
            figure(standing.head_count),
            figure(standing.people_counted),
            percent(standing.rate()),
            figure(standing.head_count.saturating_sub(standing.people_counted)),
        ]
    });
    Section {
        title: "三、注册率未达到 100% 的单位",
        text: match behind.len() {
            0 => "填写了在职人数的单位都已达到。".into(),
            count => format!("共 {count} 个，注册率低的在前。"),
        },
        chart: Svg::default(),
        caption: "注册率未达到 100% 的单位".into(),
        heads: vec!["单位", "在职人数", "志愿者", "注册率", "还差（人）"],
        rows: rows.collect(),
        note: more(behind.len()),
    }
}

fn behind_in_hours(units: &[Part]) -> Section {
    let mut behind: Vec<(&Part, u32, u64)> = units
        .iter()
        .filter_map(|part| {
            let (target, served) = (part.standing.hours_target?, part.tenths_a_head()?);
            (served < u64::from(target) * 10).then_some((part, target, served))
        })
        .collect();
    behind.sort_by_key(|(part, target, served)| (served * 100 / u64::from(*target).max(1), part.standing.key));
    let rows = behind.iter().take(LISTED).map(|(part, target, served)| {
        let standing = &part.standing;
        vec![
            standing.name.clone(),
            standing.group.clone().unwrap_or_default(),
            figure(standing.people),
            tenths(Some(*served)),
            target.to_string(),
        ]
    });
    Section {
        title: "四、人均服务小时数未达标的单位",
        text: match behind.len() {
            0 => "有小时数目标的单位都已达到。".into(),
            count => format!("共 {count} 个，离目标远的在前。年度未结束时仅供参考。"),
        },
        chart: Svg::default(),
        caption: "人均服务小时数未达标的单位".into(),
        heads: vec!["单位", "目标群体", "志愿者", "人均小时", "目标"],
        rows: rows.collect(),
        note: more(behind.len()),
    }
}

fn without_figures(units: &[Part]) -> Section {
    let without: Vec<&Part> = units
        .iter()
        .filter(|part| part.standing.group.is_none() || part.standing.units_due > part.standing.units_counted)
        .collect();
    let rows = without.iter().take(LISTED).map(|part| {
        let heads = part.standing.units_due > part.standing.units_counted;
        vec![
            part.standing.name.clone(),
            if heads { "未填" } else { "已填" }.to_owned(),
            if part.standing.group.is_none() { "未设" } else { "已设" }.to_owned(),
        ]
    });
    Section {
        title: "五、资料不全的单位",
        text: match without.len() {
            0 => "各单位的在职人数和目标群体都已填写。".into(),
            count => format!("共 {count} 个单位没有填写在职人数或目标群体，无法判断是否达标，请督促补填。"),
        },
        chart: Svg::default(),
        caption: "资料不全的单位".into(),
        heads: vec!["单位", "在职人数", "目标群体"],
        rows: rows.collect(),
        note: more(without.len()),
    }
}

fn months(figures: &Figures) -> Section {
    let rows = figures.months.iter().map(|month| {
        let counts = [month.registered, month.exited].map(figure);
        let [registered, exited] = counts;
        vec![month.period.clone(), registered, exited, hours(month.minutes), figure(month.issued), figure(month.uses)]
    });
    Section {
        title: "各月情况",
        text: String::new(),
        chart: Svg::default(),
        caption: format!("{} 年各月", figures.year),
        heads: vec!["月份", "新登记", "退出", "服务小时", "签发证件", "优惠使用"],
        rows: rows.collect(),
        note: "人均＝当年服务小时数÷现有在册志愿者；已退出者当年的小时数仍计入。".into(),
    }
}

fn more(count: usize) -> String {
    if count > LISTED { format!("只列出前 {LISTED} 个，全部见导出的 Excel。") } else { String::new() }
}

fn paper(content: &Content, issuer: String, now: jiff::Timestamp) -> Result<Vec<u8>, RenderError> {
    let mut paper = Paper::new(&*content.title, issuer, now);
    paper.title(&content.title)?;
    paper.paragraph(&content.about, Style { size: 9.0, quiet: true, ..Style::default() })?;
    for section in &content.sections {
        paper.heading(section.title)?;
        if !section.text.is_empty() {
            paper.paragraph(&section.text, Style::default())?;
        }
        if !section.rows.is_empty() {
            paper.table(&sheet(section))?;
        }
        if !section.note.is_empty() {
            paper.paragraph(&section.note, Style { size: 9.0, quiet: true, ..Style::default() })?;
        }
        paper.space(2.0);
    }
    paper.finish()
}

fn sheet(section: &Section) -> Table {
    // The first column holds names, and with few columns the last one holds sentences.
    let columns = section.heads.len();
    let widths: Vec<f32> = (0..columns)
        .map(|at| match at {
            0 => 2.2,
            2 if columns == 3 && section.heads[2] == "说明" => 5.0,
            _ => 1.0,
        })
        .collect();
    let mut table = Table::new(&widths).head(section.heads.iter().map(|head| Cell::new(*head).centred())).size(9.0);
    for row in &section.rows {
        let cells = row.iter().enumerate().map(|(at, text)| {
            let cell = Cell::new(text.as_str());
            if section.words(&at) { cell } else { cell.right() }
        });
        table.row(cells);
    }
    table
}
