//! Lists of records as workbooks.

use super::records::RecordQuery;
use crate::clock::beijing_date;
use crate::domain::staff::Permission;
use crate::roster::export::{Cell, table};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError};

/// Lines of an export.
const EXPORTED: usize = 50_000;

impl Desk {
    /// The acts of entering that `search` finds as a workbook, up to 50,000 of them.
    ///
    /// # Errors
    /// As [`Desk::entries`].
    pub async fn entries_workbook(&self, search: &str) -> Result<Vec<u8>, DeskError> {
        let (mut lines, mut before) = (Vec::new(), None);
        while lines.len() < EXPORTED {
            let (page, next) = self.entries(search, before).await?;
            lines.extend(page);
            before = next;
            if before.is_none() {
                break;
            }
        }
        let rows = lines.into_iter().map(|line| {
            vec![
                Cell::from(line.when),
                line.kind.into(),
                line.name.into(),
                line.unit.into(),
                line.records.into(),
                line.who.into(),
            ]
        });
        self.hours_table("录入批次", &["时间", "方式", "活动或文件", "单位", "记录数", "录入人"], rows)
    }

    /// The objections that `search` finds as a workbook, those that wait (`open`) or those decided, up to 50,000 of them.
    ///
    /// # Errors
    /// As [`Desk::disputes`].
    pub async fn disputes_workbook(&self, open: bool, search: &str) -> Result<Vec<u8>, DeskError> {
        let (mut lines, mut before) = (Vec::new(), None);
        while lines.len() < EXPORTED {
            let (page, next) = self.disputes(open, search, before).await?;
            lines.extend(page);
            before = next;
            if before.is_none() {
                break;
            }
        }
        let heads = [
            "登记时间",
            "姓名",
            "证书编号",
            "服务日期",
            "小时数",
            "单位",
            "异议",
            "登记人",
            "结果",
            "理由",
            "处理人",
            "处理时间",
        ];
        let rows = lines.into_iter().map(|line| {
            let (name, number, date, hours, unit) = line.record.map_or_else(Default::default, |row| {
                (row.name, row.grouped, row.date.to_string(), f64::from(row.minutes) / 60.0, row.unit)
            });
            vec![
                Cell::from(line.noted_at),
                name.into(),
                number.into(),
                date.into(),
                hours.into(),
                unit.into(),
                line.objection.into(),
                line.noted_by.into(),
                line.state.into(),
                line.reason.into(),
                line.decided_by.into(),
                line.decided_at.into(),
            ]
        });
        self.hours_table(if open { "待处理的异议" } else { "已处理的异议" }, &heads, rows)
    }

    /// The activities that wait for their hours and that `search` finds as a workbook, up to 50,000 of them.
    ///
    /// # Errors
    /// As [`Desk::pending_activities`].
    pub async fn pending_workbook(&self, due: bool, search: &str) -> Result<Vec<u8>, DeskError> {
        let (mut lines, mut after) = (Vec::new(), None);
        while lines.len() < EXPORTED {
            let (page, next) = self.pending_activities(due, search, after.as_deref()).await?;
            lines.extend(page);
            after = next;
            if after.is_none() {
                break;
            }
        }
        let rows = lines.into_iter().map(|line| {
            vec![
                Cell::from(line.date.to_string()),
                line.days_left.into(),
                Cell::from(if line.overdue { "已逾期" } else { "期限内" }),
                line.name.into(),
                line.unit_name.into(),
                line.made_by.into(),
            ]
        });
        self.hours_table("待录入的活动", &["服务日期", "剩余工作日", "期限", "活动", "单位", "登记人"], rows)
    }

    fn hours_table(
        &self,
        title: &str,
        heads: &[&str],
        rows: impl Iterator<Item = Vec<Cell>>,
    ) -> Result<Vec<u8>, DeskError> {
        Ok(table(title, heads, rows, beijing_date(self.office().now())).map_err(ServiceError::from)?)
    }

    /// The records of a list as a workbook, up to 50,000 of them.
    ///
    /// # Errors
    /// As [`Desk::records`].
    pub async fn records_workbook(&self, query: &RecordQuery) -> Result<Vec<u8>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let (rows, more) = self.records_to_export(query).await?;
        let today = beijing_date(self.office().now());
        let title = match (query.void, more) {
            (true, _) => "已作废的服务记录",
            (false, true) => "服务记录（只含最近 50000 条，请缩小日期范围后分次导出）",
            (false, false) => "服务记录",
        };
        let heads = [
            "日期",
            "时间",
            "小时数",
            "姓名",
            "证书编号",
            "记录单位",
            "县（区）",
            "活动名称",
            "服务内容",
            "地点",
            "服务项目",
            "组织单位",
            "负责人",
            "状态",
            "迟录原因",
            "录入时间",
            "录入人",
        ];
        let cells = rows.into_iter().map(|row| {
            let state = row.state().1;
            let hours: f64 = f64::from(row.minutes) / 60.0;
            vec![
                Cell::from(row.date.to_string()),
                row.time.into(),
                hours.into(),
                row.name.into(),
                row.grouped.into(),
                row.unit.into(),
                row.county.into(),
                row.activity.into(),
                row.content.into(),
                row.place.into(),
                row.item.into(),
                row.organiser.into(),
                row.in_charge.into(),
                state.into(),
                row.late_reason.into(),
                row.entered_at.into(),
                row.entered_by.into(),
            ]
        });
        Ok(table(title, &heads, cells, today).map_err(ServiceError::from)?)
    }
}
