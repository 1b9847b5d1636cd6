//! The list for public notice (公示名单): masked names, for the page, as PDF and as a workbook.

use jiff::civil::Date;
use zyz_credential::Holder;

use super::batch::{BatchRow, batch_row, draft_of};
use crate::clock::beijing_date;
use crate::domain::staff::Permission;
use crate::domain::star::label;
use crate::render::paper::{self, Align, Paper, Style, Table};
use crate::roster::export::{self, Cell};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError};
use crate::store::{Reach, RowFilter};

/// People of a list on one page of the screen; a workbook and a PDF hold all of them.
const SHOWN: u32 = 2_000;
/// Most people of a PDF.
const PRINTED: u32 = 20_000;
/// Most people of a workbook.
const WRITTEN: u32 = 200_000;

/// The list for public notice.
#[derive(Debug, Clone)]
pub struct NoticeList {
    /// Year.
    pub year: i16,
    /// First and last day of the notice; none for a draft.
    pub notice: Option<(Date, Date)>,
    /// The people.
    pub rows: Vec<NoticeRow>,
    /// Whether there are more than are shown.
    pub more: bool,
    /// Who puts it up.
    pub issuer: String,
    /// The day it was made.
    pub made: Date,
}

/// A person of it.
#[derive(Debug, Clone)]
pub struct NoticeRow {
    /// Name, masked.
    pub name: String,
    /// The last four digits of the certificate number: who is meant, among people of one family name.
    pub ending: String,
    /// Unit.
    pub unit: String,
    /// County.
    pub county: &'static str,
    /// Hours in the window.
    pub hours: String,
    /// Star, in words.
    pub star: &'static str,
}

impl NoticeList {
    /// Its title.
    pub fn title(&self) -> String {
        format!("{} 年度拟认定星级志愿者公示名单", self.year)
    }

    /// What stands below the title.
    pub fn note(&self) -> String {
        match self.notice {
            Some((from, to)) => format!(
                "公示时间：{from} 至 {to}。对名单如有异议，请在公示期内向{}反映，并写明事实和联系方式。",
                self.issuer
            ),
            None => "草案，尚未公示。".into(),
        }
    }
}

impl Desk {
    /// The list for the screen.
    ///
    /// # Errors
    /// There is no such batch; it was never put up for notice and the caller does not reach everybody.
    pub async fn notice_list(&self, id: i64) -> Result<NoticeList, DeskError> {
        self.notice(id, SHOWN).await
    }

    /// The list as PDF: its file name and bytes.
    ///
    /// # Errors
    /// As [`Self::notice_list`]; more than 20,000 people; a character that no font has.
    pub async fn notice_pdf(&self, id: i64) -> Result<(String, Vec<u8>), DeskError> {
        let list = self.notice(id, PRINTED).await?;
        if list.more {
            return Err(DeskError::Refused("名单超过 20000 人，请下载 Excel 名单后分县（区）打印".into()));
        }
        let created = self.office().now();
        let name = format!("{}.pdf", list.title().replace(' ', ""));
        let bytes = tokio::task::spawn_blocking(move || printed(&list, created))
            .await
            .map_err(|_| ServiceError::Aborted)?
            .map_err(ServiceError::from)?;
        Ok((name, bytes))
    }

    /// The list as a workbook: its file name and bytes.
    ///
    /// # Errors
    /// As [`Self::notice_list`].
    pub async fn notice_workbook(&self, id: i64) -> Result<(String, Vec<u8>), DeskError> {
        let list = self.notice(id, WRITTEN).await?;
        let title = list.title();
        let heads = ["序号", "姓名", "编号末四位", "单位", "县（区）", "服务时长（小时）", "拟认定星级"];
        let rows = list.rows.iter().enumerate().map(|(index, row)| {
            let hours: f64 = row.hours.parse().unwrap_or_default();
            let number = Cell::from(index as u64 + 1);
            vec![
                number,
                row.name.as_str().into(),
                row.ending.as_str().into(),
                row.unit.as_str().into(),
                row.county.into(),
                hours.into(),
                row.star.into(),
            ]
        });
        let bytes = export::table(&title, &heads, rows, list.made).map_err(ServiceError::from)?;
        Ok((format!("{}.xlsx", title.replace(' ', "")), bytes))
    }

    async fn notice(&self, id: i64, most: u32) -> Result<NoticeList, DeskError> {
        self.need(Permission::ViewPeople)?;
        let mut reader = self.office().store.read().await?;
        let draft = draft_of(&mut reader, id).await?;
        if draft.notice.is_none() && self.reach()? != Reach::Everything {
            return Err(DeskError::Refused("这个批次还没有公示。公示以后，全市名单在这里查看".into()));
        }
        // The notice is public: everybody who may read here may read all of it.
        let filter = RowFilter { listed: true, ..RowFilter::all(Reach::Everything) };
        let found = reader.draft_rows(draft.id, &filter, None, most + 1).await?;
        let rows = found.iter().take(most as usize).map(|row| notice_row(&batch_row(row))).collect();
        Ok(NoticeList {
            year: draft.noted.year,
            notice: draft.notice,
            rows,
            more: found.len() > most as usize,
            issuer: self.office().config().card.issuer.clone(),
            made: beijing_date(self.office().now()),
        })
    }
}

fn notice_row(row: &BatchRow) -> NoticeRow {
    // The mask of the card's code; a name that it cannot take shows its first character.
    let masked = Holder::masked(&row.name)
        .map_or_else(|_| row.name.chars().take(1).chain("**".chars()).collect(), |name| name.to_string());
    NoticeRow {
        name: masked,
        ending: row.number.chars().skip(row.number.chars().count().saturating_sub(4)).collect(),
        unit: row.unit.clone(),
        county: row.county,
        hours: row.hours.clone(),
        star: label(row.star),
    }
}

fn printed(list: &NoticeList, created: jiff::Timestamp) -> Result<Vec<u8>, crate::render::RenderError> {
    let mut sheet = Paper::new(list.title(), list.issuer.clone(), created);
    sheet.title(&list.title())?;
    sheet.paragraph(&list.note(), Style { indent: 2.0, after: 3.0, ..Style::default() })?;
    let heads = ["序号", "姓名", "编号末四位", "单位", "县（区）", "服务时长（小时）", "拟认定星级"];
    let mut table = Table::new(&[1.2, 2.0, 2.5, 5.3, 2.2, 3.4, 3.0])
        .size(10.0)
        .head(heads.map(|head| paper::Cell::new(head).centred()));
    for (index, row) in list.rows.iter().enumerate() {
        table.row([
            paper::Cell::new((index + 1).to_string()).centred(),
            paper::Cell::new(&row.name),
            paper::Cell::new(&row.ending).centred(),
            paper::Cell::new(&row.unit),
            paper::Cell::new(row.county),
            paper::Cell::new(&row.hours).right(),
            paper::Cell::new(row.star).centred(),
        ]);
    }
    sheet.table(&table)?;
    sheet.space(6.0);
    let right = Style { align: Align::Right, ..Style::default() };
    sheet.paragraph(&format!("共 {} 人", list.rows.len()), right)?;
    sheet.paragraph(&list.issuer, right)?;
    sheet.paragraph(&list.made.strftime("%Y 年 %-m 月 %-d 日").to_string(), right)?;
    sheet.finish()
}
