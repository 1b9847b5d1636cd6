//! Lists of this room as workbooks.

use super::{DeliveredAsked, PAGE};
use crate::clock::beijing_date;
use crate::domain::division::County;
use crate::roster::export::{Cell, table};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError};

/// Lines of an export.
const EXPORTED: usize = 50_000;

impl Desk {
    /// The rosters handed in that `search` finds as a workbook, up to 50,000 of them.
    ///
    /// # Errors
    /// As [`Desk::roster_drafts`].
    pub async fn drafts_workbook(&self, search: &str) -> Result<Vec<u8>, DeskError> {
        let (mut lines, mut before) = (Vec::new(), None);
        while lines.len() < EXPORTED {
            let mut page = self.roster_drafts(None, search, before).await?;
            let more = page.len() > PAGE as usize;
            page.truncate(PAGE as usize);
            before = page.last().map(|draft| draft.id);
            lines.extend(page);
            if !more {
                break;
            }
        }
        let heads = [
            "文件",
            "单位",
            "县（区）",
            "情况",
            "行数",
            "新",
            "已登记",
            "有错误",
            "移除",
            "上传人",
            "上传时间",
            "保留至",
        ];
        let rows = lines.into_iter().map(|draft| {
            vec![
                Cell::from(draft.file_name),
                draft.unit_name.into(),
                draft.county.into(),
                draft.state.into(),
                draft.rows.into(),
                draft.fresh.into(),
                draft.known.into(),
                draft.refused.into(),
                draft.removed.into(),
                draft.made.0.into(),
                draft.made.1.into(),
                if draft.open { draft.expires.into() } else { Cell::Empty },
            ]
        });
        self.rosters_table("上传的名册", &heads, rows)
    }

    /// The delivered rosters that are asked for as a workbook, up to 50,000 of them.
    ///
    /// # Errors
    /// As [`Desk::delivered_rosters`].
    pub async fn delivered_workbook(&self, asked: &DeliveredAsked) -> Result<Vec<u8>, DeskError> {
        let (mut lines, mut asked) = (Vec::new(), DeliveredAsked { before: None, ..asked.clone() });
        while lines.len() < EXPORTED {
            let mut page = self.delivered_rosters(&asked).await?;
            let more = page.len() > PAGE as usize;
            page.truncate(PAGE as usize);
            asked.before = page.last().map(|roster| roster.id);
            lines.extend(page);
            if !more {
                break;
            }
        }
        let heads = ["送达日期", "单位", "县（区）", "人数", "来源", "窗口", "盖章件", "汇总", "存档"];
        let rows = lines.into_iter().map(|one| {
            let handed = match (one.direct, one.handed_on) {
                (true, _) => "直报",
                (false, true) => "已报",
                (false, false) => "未报",
            };
            vec![
                Cell::from(one.on),
                one.unit_name.into(),
                one.county.into(),
                one.people.into(),
                one.source.into(),
                if one.inside { "窗口内" } else { "窗口外" }.into(),
                if one.stamped.is_some() { "已收" } else { "未收" }.into(),
                handed.into(),
                one.archived.map(|(_, when)| when).into(),
            ]
        });
        self.rosters_table("已送达名册", &heads, rows)
    }

    /// Who returned annex 3, as a workbook: the counties within reach, or the units of one.
    ///
    /// # Errors
    /// As [`Desk::receipt_counties`] and [`Desk::county_receipts`].
    pub async fn receipts_workbook(&self, county: Option<u8>, missing: bool) -> Result<Vec<u8>, DeskError> {
        let Some(code) = county else {
            let heads = ["县（区）", "县（区）文明办回执", "单位", "已报", "未报"];
            let rows = self.receipt_counties().await?.into_iter().map(|one| {
                vec![
                    Cell::from(one.county),
                    one.own.unwrap_or_else(|| "未报".to_owned()).into(),
                    one.counts.0.into(),
                    one.counts.1.into(),
                    one.counts.0.saturating_sub(one.counts.1).into(),
                ]
            });
            return self.rosters_table("回执情况", &heads, rows);
        };
        let (mut lines, mut after) = (Vec::new(), None);
        while lines.len() < EXPORTED {
            let page = self.county_receipts(code, missing, after).await?;
            lines.extend(page.units);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let name = County::from_code(code).map_or("", County::name);
        let rows = lines.into_iter().map(|(_, unit, when)| {
            vec![Cell::from(name), unit.into(), if when.is_some() { "已报" } else { "未报" }.into(), when.into()]
        });
        self.rosters_table(&format!("{name}回执情况"), &["县（区）", "单位", "回执", "报送时间"], rows)
    }

    fn rosters_table(
        &self,
        title: &str,
        heads: &[&str],
        rows: impl Iterator<Item = Vec<Cell>>,
    ) -> Result<Vec<u8>, DeskError> {
        Ok(table(title, heads, rows, beijing_date(self.office().now())).map_err(ServiceError::from)?)
    }
}
