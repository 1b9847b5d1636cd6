//! Lists of a batch as workbooks.

use super::batch::{RowQuery, draft_of};
use crate::clock::beijing_date;
use crate::domain::staff::Permission;
use crate::domain::star::label;
use crate::roster::export::{Cell, table};
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError};

/// Lines of an export.
const EXPORTED: u32 = 50_000;

impl Desk {
    /// The rows of a batch within reach as a workbook, up to 50,000 of them.
    ///
    /// # Errors
    /// As [`Desk::batch_rows`].
    pub async fn batch_workbook(&self, id: i64, query: &RowQuery) -> Result<Vec<u8>, DeskError> {
        self.need(Permission::ViewPeople)?;
        draft_of(&mut self.office().store.read().await?, id).await?;
        let (mut lines, mut query) = (Vec::new(), RowQuery { after: None, ..query.clone() });
        while lines.len() < EXPORTED as usize {
            let page = self.batch_rows(id, &query).await?;
            lines.extend(page.rows);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        let heads =
            ["姓名", "证书编号", "单位", "县（区）", "周期内小时", "累计小时", "现在星级", "拟认定星级", "异议后移出"];
        let rows = lines.into_iter().map(|row| {
            let hours = |text: String| text.parse().map_or(Cell::Text(text), Cell::Decimal);
            vec![
                Cell::from(row.name),
                row.grouped.into(),
                row.unit.into(),
                row.county.into(),
                hours(row.hours),
                hours(row.lifetime),
                label(row.before).into(),
                label(row.star).into(),
                if row.removed { "是".into() } else { Cell::Empty },
            ]
        });
        Ok(table("星级批次名单", &heads, rows, beijing_date(self.office().now())).map_err(ServiceError::from)?)
    }

    /// The people of a batch within reach whose live card shows another star, as a workbook, up to 50,000 of them.
    ///
    /// # Errors
    /// There is no such batch.
    pub async fn reissue_workbook(&self, id: i64) -> Result<Vec<u8>, DeskError> {
        let lines = self.reissue_lines(id, "", EXPORTED).await?.lines;
        let heads = ["姓名", "证书编号", "单位", "证上星级", "认定星级"];
        let rows = lines.into_iter().map(|line| {
            vec![
                Cell::from(line.name),
                line.grouped.into(),
                line.unit.into(),
                label(line.on_card).into(),
                label(line.star).into(),
            ]
        });
        Ok(table("需换发的证件", &heads, rows, beijing_date(self.office().now())).map_err(ServiceError::from)?)
    }
}
