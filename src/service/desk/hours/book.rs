//! The unit's record book (普洱市志愿者记录薄): who served when, for how long, at what, in a period.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::paper::{self, BookPart};
use super::records::RecordRow;
use super::rows::row;
use crate::domain::staff::Permission;
use crate::service::ServiceError;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::store::{RecordFilter, UnitId};

/// Records of one book: more make a file nobody prints.
const MOST: u32 = 20_000;

/// How a book is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BookOrder {
    /// A page a person.
    People,
    /// A section an activity.
    Activities,
}

impl Desk {
    /// The record book of a unit as PDF, from one day to another, both included. Void records are not in it.
    ///
    /// # Errors
    /// The unit is out of reach; no records, or more than 20,000; a character that no font has.
    pub async fn record_book(
        &self,
        unit: i64,
        (from, to): (Date, Date),
        order: BookOrder,
    ) -> Result<(String, Vec<u8>), DeskError> {
        self.need(Permission::ViewPeople)?;
        let field = |field, message: &str| DeskError::Invalid(vec![FieldError { field, message: message.into() }]);
        if from > to {
            return Err(field("to", "结束日期早于开始日期"));
        }
        let mut reader = self.office().store.read().await?;
        let unit = self.hours_unit_within(&mut reader, unit).await?;
        let filter = RecordFilter {
            unit: Some(UnitId(unit.id.0)),
            from: Some(from),
            to: Some(to),
            ..RecordFilter::all(self.reach()?)
        };
        let lines = reader.record_lines(&filter, None, MOST + 1).await?;
        drop(reader);
        if lines.len() > MOST as usize {
            return Err(field("to", "这段时间的记录超过 20000 条，请缩短起止日期，分册打印"));
        }
        if lines.is_empty() {
            return Err(field("from", "这段时间没有服务记录，请核对起止日期"));
        }
        // Oldest first, as a book is written.
        let rows: Vec<RecordRow> = lines.iter().rev().map(row).collect();
        let parts = match order {
            BookOrder::People => parts(rows, |row| (row.number.clone(), String::new())),
            BookOrder::Activities => parts(rows, |row| (row.date.to_string(), row.activity.clone())),
        };
        let (created, name) = (self.office().now(), unit.name.clone());
        let bytes = tokio::task::spawn_blocking(move || paper::book(&name, (from, to), order, &parts, created))
            .await
            .map_err(|_| ServiceError::Aborted)?
            .map_err(ServiceError::from)?;
        Ok((format!("志愿者记录簿_{}_{from}_{to}.pdf", unit.name), bytes))
    }
}

fn parts(rows: Vec<RecordRow>, key: impl Fn(&RecordRow) -> (String, String)) -> Vec<BookPart> {
    let mut parts: BTreeMap<(String, String), Vec<RecordRow>> = BTreeMap::new();
    for row in rows {
        parts.entry(key(&row)).or_default().push(row);
    }
    parts.into_values().map(|rows| BookPart { rows }).collect()
}
