//! Lists of records as workbooks.

use super::records::RecordQuery;
use crate::clock::beijing_date;
use crate::domain::staff::Permission;
use crate::roster::export::{Cell, table};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError};

impl Desk {
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
