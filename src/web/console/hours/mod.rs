//! Service records.

mod book;
mod disputes;
mod enter;
mod list;
mod record;
mod upload;

use axum::routing::{get, post};

use super::routes::{Need, Route, file_row, row};
use crate::domain::hours::ServiceItem;
use crate::domain::staff::Permission::{ResolveDisputes, ViewPeople, WriteHours};
use crate::service::desk::FieldError;
use crate::service::desk::hours::ActivityForm;

const VIEW: Need = Need::May(ViewPeople);
const WRITE: Need = Need::May(WriteHours);

/// Routes of this room.
pub(super) const ROUTES: &[Route] = &[
    row("GET", "/hours", VIEW, || get(list::page)),
    row("GET", "/hours/export", VIEW, || get(list::export)),
    row("POST", "/hours/find", VIEW, || post(list::find)),
    row("GET", "/hours/people/{number}", VIEW, || get(list::person)),
    row("GET", "/hours/entries", VIEW, || get(list::entries)),
    row("GET", "/hours/entries/export", VIEW, || get(list::entries_export)),
    row("GET", "/hours/entries/{entry}", VIEW, || get(list::entry)),
    row("POST", "/hours/entries/{entry}/void", WRITE, || post(list::void_entry)),
    row("GET", "/hours/enter", WRITE, || get(enter::page)),
    row("POST", "/hours/enter", WRITE, || post(enter::step)),
    row("GET", "/hours/pending", VIEW, || get(enter::pending)),
    row("GET", "/hours/pending/export", VIEW, || get(enter::pending_export)),
    row("POST", "/hours/pending/{activity}/drop", WRITE, || post(enter::drop_activity)),
    row("GET", "/hours/import", WRITE, || get(upload::page)),
    file_row("/hours/import/file", WRITE, || post(upload::take)),
    row("GET", "/hours/import/{sheet}", WRITE, || get(upload::preview)),
    row("POST", "/hours/import/{sheet}", WRITE, || post(upload::confirm)),
    row("GET", "/hours/import/{sheet}/report", WRITE, || get(upload::report)),
    row("POST", "/hours/import/{sheet}/drop", WRITE, || post(upload::drop_upload)),
    row("GET", "/hours/records/{record}", VIEW, || get(record::page)),
    row("GET", "/hours/records/{record}/correct", WRITE, || get(record::correction)),
    row("POST", "/hours/records/{record}/correct", WRITE, || post(record::correct)),
    row("GET", "/hours/records/{record}/void", WRITE, || get(record::voiding)),
    row("POST", "/hours/records/{record}/void", WRITE, || post(record::void)),
    row("POST", "/hours/records/{record}/dispute", WRITE, || post(record::dispute)),
    row("GET", "/hours/disputes", VIEW, || get(disputes::list)),
    row("GET", "/hours/disputes/export", VIEW, || get(disputes::export)),
    row("POST", "/hours/disputes/export", VIEW, || post(disputes::search_export)),
    row("POST", "/hours/disputes/search", VIEW, || post(disputes::search)),
    row("GET", "/hours/disputes/{dispute}", VIEW, || get(disputes::page)),
    row("POST", "/hours/disputes/{dispute}", Need::May(ResolveDisputes), || post(disputes::decide)),
    row("GET", "/hours/book", VIEW, || get(book::page)),
    row("GET", "/hours/book.pdf", VIEW, || get(book::pdf)),
    row("POST", "/hours/people/{number}/proof", WRITE, || post(book::proof)),
];

/// What is wrong with the fields of a form.
#[derive(Debug, Default)]
pub(super) struct Errors(pub Vec<FieldError>);

impl Errors {
    /// The words for one field, empty for none.
    pub fn of(&self, field: &str) -> &str {
        self.0.iter().find(|error| error.field == field).map_or("", |error| error.message.as_str())
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// The 32 items for a choice.
fn items() -> Vec<(String, &'static str)> {
    let none = (String::new(), "不指定");
    std::iter::once(none).chain(ServiceItem::all().map(|item| (item.code().to_string(), item.name()))).collect()
}

/// The field of an activity by its name in the form.
fn activity_field<'a>(form: &'a mut ActivityForm, name: &str) -> Option<&'a mut String> {
    Some(match name {
        "name" => &mut form.name,
        "date" => &mut form.date,
        "start" => &mut form.start,
        "end" => &mut form.end,
        "hours" => &mut form.hours,
        "content" => &mut form.content,
        "place" => &mut form.place,
        "item" => &mut form.item,
        "organiser" => &mut form.organiser,
        "in_charge" => &mut form.in_charge,
        "late_reason" => &mut form.late_reason,
        _ => return None,
    })
}
