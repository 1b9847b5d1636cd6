//! The record book and the proof on paper.

use jiff::Timestamp;
use jiff::civil::Date;

use super::book::BookOrder;
use super::records::RecordRow;
use crate::domain::hours::hours_of;
use crate::render::RenderError;
use crate::render::paper::{Align, Cell, Paper, Style, Table};

const AUTHOR: &str = "普洱市志愿服务联合会";

/// A person's page or an activity's section.
pub(super) struct BookPart {
    pub rows: Vec<RecordRow>,
}

/// What a proof says.
pub(super) struct ProofPaper {
    pub serial: String,
    pub name: String,
    pub number: String,
    pub unit: String,
    pub days: (Date, Date),
    pub minutes: u64,
    pub rows: Vec<RecordRow>,
    pub issuer: String,
    pub issued_by: String,
    pub today: Date,
    pub digest: String,
    pub created: Timestamp,
}

/// The record book, lying A4.
pub(super) fn book(
    unit: &str,
    (from, to): (Date, Date),
    order: BookOrder,
    parts: &[BookPart],
    created: Timestamp,
) -> Result<Vec<u8>, RenderError> {
    let mut paper = Paper::new("普洱市志愿者记录簿", AUTHOR, created).landscape();
    paper.about(unit);
    for (index, part) in parts.iter().enumerate() {
        let first = &part.rows[0];
        let heads = index == 0 || order == BookOrder::People;
        if index > 0 && order == BookOrder::People {
            paper.page_break();
        }
        if heads {
            paper.title("普洱市志愿者记录簿")?;
            paper.line(&[&format!("单位名称：{unit}"), &format!("{from} 至 {to}")], 10.5)?;
        }
        paper.about(format!("{} {}", first.name, first.grouped));
        match order {
            BookOrder::People => {
                paper.line(&[&format!("姓名：{}", first.name), &format!("证书编号：{}", first.grouped)], 10.5)?;
                paper.table(&people_table(&part.rows))?;
            }
            BookOrder::Activities => {
                let name = if first.activity.is_empty() { "（未写活动名称）" } else { &first.activity };
                paper.heading(&format!("{}　{}　{name}", first.date, first.weekday))?;
                let about = format!(
                    "地点：{}　组织单位：{}　负责人：{}",
                    or_dash(&first.place),
                    or_dash(&first.organiser),
                    or_dash(&first.in_charge)
                );
                paper.paragraph(&about, Style { size: 9.0, ..Style::default() })?;
                paper.table(&activity_table(&part.rows))?;
            }
        }
        if order == BookOrder::People || index + 1 == parts.len() {
            paper.space(6.0);
            paper.line(
                &["记录人（签名）：　　　　　　", "负责人（签名）：　　　　　　", "单位（盖章）：　　　　　　"],
                10.5,
            )?;
        }
    }
    paper.finish()
}

fn people_table(rows: &[RecordRow]) -> Table {
    let heads = ["日期", "时间", "小时数", "活动", "内容", "地点", "服务项目", "负责人", "备注"];
    let mut table = Table::new(&[2.3, 2.3, 1.3, 3.6, 5.4, 3.0, 2.2, 2.0, 1.6])
        .size(9.0)
        .head(heads.map(|head| Cell::new(head).centred()));
    for row in rows {
        table.row([
            Cell::new(row.date.to_string()).centred(),
            Cell::new(&row.time).centred(),
            Cell::new(&row.hours).right(),
            Cell::new(&row.activity),
            Cell::new(&row.content),
            Cell::new(&row.place),
            Cell::new(row.item),
            Cell::new(&row.in_charge),
            Cell::new(remark(row)),
        ]);
    }
    table.row([
        Cell::new("合计").across(2).bold().centred(),
        Cell::new(sum(rows)).right().bold(),
        Cell::new(format!("共 {} 次", rows.len())).across(6),
    ]);
    table
}

fn activity_table(rows: &[RecordRow]) -> Table {
    let heads = ["序号", "姓名", "证书编号", "时间", "小时数", "内容", "签名", "备注"];
    let mut table = Table::new(&[1.0, 2.2, 2.8, 2.4, 1.4, 7.0, 2.4, 1.6])
        .size(9.0)
        .head(heads.map(|head| Cell::new(head).centred()));
    for (index, row) in rows.iter().enumerate() {
        table.row([
            Cell::new((index + 1).to_string()).centred(),
            Cell::new(&row.name),
            Cell::new(&row.grouped).centred(),
            Cell::new(&row.time).centred(),
            Cell::new(&row.hours).right(),
            Cell::new(&row.content),
            Cell::new(""),
            Cell::new(remark(row)),
        ]);
    }
    table.row([
        Cell::new("合计").across(4).bold().centred(),
        Cell::new(sum(rows)).right().bold(),
        Cell::new(format!("共 {} 人次", rows.len())).across(3),
    ]);
    table
}

/// The proof, upright A4.
pub(super) fn proof(proof: &ProofPaper) -> Result<Vec<u8>, RenderError> {
    let mut paper = Paper::new("志愿服务记录证明", AUTHOR, proof.created);
    paper.about(format!("{} {}", proof.name, proof.number));
    paper.space(6.0);
    paper.title("志愿服务记录证明")?;
    paper
        .paragraph(&format!("编号：{}", proof.serial), Style { align: Align::Right, after: 4.0, ..Style::default() })?;
    let running = Style { size: 12.0, indent: 2.0, after: 3.0, ..Style::default() };
    let units = recording_units(&proof.rows);
    paper.paragraph(
        &format!(
            "兹证明 {}（志愿服务证编号 {}，登记单位：{}）于 {} 至 {} 期间参加志愿服务 {} 次，服务时间累计 {} 小时。\
             以上服务由 {} 记录，明细如下。",
            proof.name,
            proof.number,
            proof.unit,
            proof.days.0,
            proof.days.1,
            proof.rows.len(),
            hours_of(proof.minutes),
            units,
        ),
        running,
    )?;
    let heads = ["序号", "服务日期", "时间", "小时数", "活动名称", "服务内容", "地点", "记录单位"];
    let mut table = Table::new(&[1.3, 2.5, 2.9, 1.8, 3.0, 3.9, 2.4, 2.9])
        .size(9.0)
        .head(heads.map(|head| Cell::new(head).centred()));
    for (index, row) in proof.rows.iter().enumerate() {
        table.row([
            Cell::new((index + 1).to_string()).centred(),
            Cell::new(row.date.to_string()).centred(),
            Cell::new(&row.time).centred(),
            Cell::new(&row.hours).right(),
            Cell::new(&row.activity),
            Cell::new(&row.content),
            Cell::new(&row.place),
            Cell::new(&row.unit),
        ]);
    }
    table.row([
        Cell::new("合计").across(3).bold().centred(),
        Cell::new(hours_of(proof.minutes)).right().bold(),
        Cell::new(format!("共 {} 次", proof.rows.len())).across(4),
    ]);
    paper.table(&table)?;
    paper.space(4.0);
    let small = Style { size: 9.0, quiet: true, after: 1.0, ..Style::default() };
    paper
        .paragraph("本证明依据《志愿服务记录与证明出具办法（试行）》（民政部令第67号）出具，不收取任何费用。", small)?;
    paper.paragraph(
        &format!(
            "本证明不是志愿服务证，不得用于营利。核实真伪请向出具单位提供编号 {}（摘要 {}）。",
            proof.serial, proof.digest
        ),
        small,
    )?;
    if paper.room() < 34.0 {
        paper.page_break();
    }
    paper.space(8.0);
    let right = Style { size: 12.0, align: Align::Right, after: 2.0, ..Style::default() };
    paper.paragraph(&format!("出具单位（盖章）：{}", proof.issuer), right)?;
    paper.paragraph(&format!("经办人：{}", proof.issued_by), right)?;
    paper.paragraph(&proof.today.strftime("%Y 年 %-m 月 %-d 日").to_string(), right)?;
    paper.finish()
}

/// The recording units, each once, in the order of the records.
fn recording_units(rows: &[RecordRow]) -> String {
    let mut units: Vec<&str> = Vec::new();
    for row in rows {
        if !units.contains(&row.unit.as_str()) {
            units.push(&row.unit);
        }
    }
    units.join("、")
}

fn remark(row: &RecordRow) -> &'static str {
    match (row.disputed, row.late) {
        (true, _) => "有异议",
        (false, true) => "迟录",
        (false, false) => "",
    }
}

fn sum(rows: &[RecordRow]) -> String {
    hours_of(rows.iter().map(|row| u64::from(row.minutes)).sum())
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "—" } else { text }
}
