//! Frozen lists: whom exactly a step is about, counted, named and checked before anything is signed or printed.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use zyz_credential::CertificateNumber;

use super::choose::CardLine;
use super::numbers;
use crate::domain::certificate::{CertificateState, VolunteerState};
use crate::domain::choice::{CardChoice, LIST_MOST, ListDetail, ListProblem, UnitShare};
use crate::domain::job::JobTask;
use crate::domain::review::ReviewState;
use crate::domain::staff::{Permission, Scope};
use crate::render;
use crate::service::card_jobs::blocking;
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::store::{CardList, Chosen, ListEntry, UnitId};

/// People shown on a page of a list, with their cards' pictures.
pub const LIST_PAGE: usize = 24;
/// Problems and unknown numbers that are kept by name.
const NAMED: usize = 200;

/// A list as a person sees it.
#[derive(Debug, Clone)]
pub struct ListView {
    /// Key.
    pub id: i64,
    /// What it was chosen by.
    pub title: String,
    /// What was found.
    pub detail: ListDetail,
    /// How many people.
    pub people: u64,
    /// When it was frozen.
    pub made_at: String,
    /// Whether signing so many needs a second person.
    pub second_person: bool,
    /// The review asked for, with where it stands.
    pub review: Option<(i64, ReviewState)>,
    /// The job that signs it.
    pub job: Option<i64>,
    /// Whether the caller may see that job: who asked for it, and an administrator.
    pub job_opens: bool,
}

/// A page of a list.
#[derive(Debug, Clone)]
pub struct ListPage {
    /// Those on it.
    pub rows: Vec<CardLine>,
    /// Place of the first, from 1.
    pub first: usize,
    /// Where the next page goes on.
    pub next: Option<usize>,
    /// Where the page before began.
    pub previous: Option<usize>,
}

impl Desk {
    /// Freezes a choice; returns the list's key.
    ///
    /// # Errors
    /// No permission to print; a unit that does not exist; nobody, or more than [`LIST_MOST`]; the database fails.
    pub async fn freeze_choice(&self, choice: CardChoice, unit: Option<i64>) -> Result<i64, DeskError> {
        self.need(Permission::PrintCards)?;
        let filter = self.choice_filter(choice, unit).await?;
        let mut reader = self.office().store.read().await?;
        let people = reader.chosen_all(&filter, LIST_MOST + 1).await?;
        let place = match unit {
            Some(unit) => reader.unit(UnitId(unit)).await?.ok_or(DeskError::NotFound)?.name,
            None => "全市".to_owned(),
        };
        drop(reader);
        if people.is_empty() {
            return Err(DeskError::Refused(format!("{place}：{}", choice.nobody())));
        }
        if people.len() > LIST_MOST as usize {
            return Err(DeskError::Refused(format!("超过 {LIST_MOST} 人，一次核对不了。请先选择单位，分批办理")));
        }
        let detail = ListDetail { choice: choice.as_str().into(), ..ListDetail::default() };
        self.freeze_list(&format!("{} · {place}", choice.label()), people, detail).await
    }

    /// Freezes those of the numbers in a text, one a line or parted by commas; what is no number, unknown or left is named.
    ///
    /// # Errors
    /// As [`Self::freeze_choice`]; [`DeskError::Invalid`] for a text in which no number is known.
    pub async fn freeze_numbers(&self, text: &str) -> Result<i64, DeskError> {
        self.need(Permission::PrintCards)?;
        let wrong = |message: String| DeskError::Invalid(vec![FieldError { field: "numbers", message }]);
        let found = numbers::read(text);
        if found.numbers.is_empty() && found.wrong.is_empty() {
            return Err(wrong("没有证书编号。请每行写一个编号，例如 02 0001234 9".into()));
        }
        if found.numbers.len() > LIST_MOST as usize {
            return Err(wrong(format!("有 {} 个编号，一次最多 {LIST_MOST} 个。请分批提交", found.numbers.len())));
        }
        let named: Vec<&str> = found.numbers.iter().map(CertificateNumber::as_str).collect();
        let mut people = self.office().store.read().await?.chosen_by_number(&named).await?;
        let known: HashMap<String, bool> =
            people.iter().map(|person| (person.number.clone(), person.state == VolunteerState::Active)).collect();
        let mut unknown = found.wrong;
        for number in &found.numbers {
            match known.get(number.as_str()) {
                Some(true) => {}
                Some(false) => unknown.push(format!("{}：本人已退出，不再制证", number.grouped())),
                None => unknown.push(format!("{}：没有这个编号的志愿者", number.grouped())),
            }
        }
        people.retain(|person| person.state == VolunteerState::Active);
        if people.is_empty() {
            let first = unknown.into_iter().take(5).collect::<Vec<_>>().join("；");
            return Err(wrong(format!("没有可以制证的人：{first}")));
        }
        let detail = ListDetail { unknown, ..ListDetail::default() };
        self.freeze_list("按编号清单", people, detail).await
    }

    /// Freezes those of the numbers in a file: text, or a spreadsheet of any kind, of which every cell is looked at.
    ///
    /// # Errors
    /// As [`Self::freeze_numbers`].
    pub async fn freeze_numbers_file(&self, path: &Path) -> Result<i64, DeskError> {
        self.need(Permission::PrintCards)?;
        let limits = crate::service::reading::limits(self.office().config());
        let path = path.to_owned();
        let text = blocking(move || Ok(numbers::in_file(&path, &limits))).await?;
        match text {
            Ok(text) => self.freeze_numbers(&text).await,
            Err(message) => Err(DeskError::Invalid(vec![FieldError { field: "numbers", message }])),
        }
    }

    /// Freezes the people of a list anew, with the cards that they have now: all, or only those with a valid card
    /// (`with`), without one (`without`), or whose card can be printed (`printable`).
    ///
    /// # Errors
    /// As [`Self::freeze_choice`]; [`DeskError::NotFound`].
    pub async fn freeze_again(&self, list: i64, keep: &str) -> Result<i64, DeskError> {
        self.need(Permission::PrintCards)?;
        let old = self.card_list_row(list).await?;
        let mut reader = self.office().store.read().await?;
        let entries = reader.list_entries(list).await?;
        let ids: Vec<_> = entries.into_iter().map(|(volunteer, _)| volunteer).collect();
        let mut people = reader.chosen_by_key(&ids).await?;
        drop(reader);
        people.retain(|person| person.state == VolunteerState::Active);
        let mut choice = String::new();
        match keep {
            "with" => people.retain(has_valid),
            "without" => people.retain(|person| person.card.is_none()),
            "printable" => {
                let wrong: HashSet<i64> =
                    self.card_problems(&people).await?.into_iter().map(|problem| problem.volunteer).collect();
                people.retain(|person| !wrong.contains(&person.volunteer.0));
                choice = old.detail.choice;
            }
            _ => {}
        }
        if people.is_empty() {
            return Err(DeskError::Refused("名单里没有可以办理的人了".into()));
        }
        self.freeze_list(&old.title, people, ListDetail { choice, ..ListDetail::default() }).await
    }

    /// A list, with what was asked for about it.
    ///
    /// # Errors
    /// [`DeskError::NotFound`]: none, or the caller does not reach everybody; the database fails.
    pub async fn card_list(&self, id: i64) -> Result<ListView, DeskError> {
        let list = self.card_list_row(id).await?;
        let mut reader = self.office().store.read().await?;
        let review = match list.review {
            Some(review) => reader.review(review).await?.map(|row| (row.id, row.state)),
            None => None,
        };
        let job = reader.job_of(&JobTask::Issue { list: id }).await?.map(|job| job.id);
        drop(reader);
        let job_opens = match job {
            Some(job) => self.job(job).await.is_ok(),
            None => false,
        };
        let settings = self.settings().await?;
        Ok(ListView {
            id,
            second_person: settings.batch_needs_second(list.people),
            title: list.title,
            detail: list.detail,
            people: list.people,
            made_at: super::moment(list.made_at),
            review,
            job,
            job_opens,
        })
    }

    /// A page of a list, from the place `from` (counted from 0), as the people stand now.
    ///
    /// # Errors
    /// As [`Self::card_list`].
    pub async fn card_list_page(&self, id: i64, from: usize) -> Result<ListPage, DeskError> {
        self.card_list_row(id).await?;
        let mut reader = self.office().store.read().await?;
        let entries = reader.list_entries(id).await?;
        let from = from.min(entries.len());
        let shown: Vec<_> = entries.iter().skip(from).take(LIST_PAGE).map(|(volunteer, _)| *volunteer).collect();
        let now = self.office().now();
        let rows = reader.chosen_by_key(&shown).await?.iter().map(|person| CardLine::of(person, now)).collect();
        Ok(ListPage {
            rows,
            first: from + 1,
            next: (from + LIST_PAGE < entries.len()).then_some(from + LIST_PAGE),
            previous: (from > 0).then(|| from.saturating_sub(LIST_PAGE)),
        })
    }

    /// Whoever reaches everybody may see every list: the second person must be able to.
    async fn card_list_row(&self, id: i64) -> Result<CardList, DeskError> {
        self.need(Permission::ViewPeople)?;
        if self.staff().scope != Scope::All {
            return Err(DeskError::NotFound);
        }
        self.office().store.read().await?.card_list(id).await?.ok_or(DeskError::NotFound)
    }

    async fn freeze_list(&self, title: &str, people: Vec<Chosen>, mut detail: ListDetail) -> Result<i64, DeskError> {
        let mut units: HashMap<i64, UnitShare> = HashMap::new();
        for person in &people {
            let share = units.entry(person.unit.0).or_insert_with(|| UnitShare {
                unit: person.unit.0,
                name: person.unit_name.clone(),
                county: person.county,
                people: 0,
            });
            share.people += 1;
            detail.photos += u64::from(person.photo);
            match person.card.as_ref().map(|card| card.state) {
                None => detail.without_card += 1,
                Some(CertificateState::Valid) => detail.with_card += 1,
                Some(_) => detail.suspended += 1,
            }
        }
        detail.units = units.into_values().collect();
        detail.units.sort_by(|a, b| b.people.cmp(&a.people).then(a.unit.cmp(&b.unit)));
        detail.problems = self.card_problems(&people).await?;
        detail.problem_count = detail.problems.len() as u64;
        detail.problems.truncate(NAMED);
        if detail.unknown.len() > NAMED {
            let more = detail.unknown.len() - NAMED;
            detail.unknown.truncate(NAMED);
            detail.unknown.push(format!("……另有 {more} 个"));
        }
        let entries: Vec<ListEntry> =
            people.iter().map(|person| (person.volunteer, person.card.as_ref().map(|card| card.id))).collect();
        let mut tx = self.office().begin().await?;
        let id = tx.insert_card_list(self.staff().id, title, &detail, &entries).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Whose card could not be printed, and why: characters no font has, texts that do not fit.
    async fn card_problems(&self, people: &[Chosen]) -> Result<Vec<ListProblem>, DeskError> {
        let design = self.office().design()?;
        let mut problems = Vec::new();
        for part in people.chunks(1000) {
            let cards = part
                .iter()
                .map(|person| Ok((person.volunteer.0, self.sample_card(person)?)))
                .collect::<Result<Vec<_>, DeskError>>()?;
            let design = design.clone();
            let found = blocking(move || {
                // All at once is fast; one by one only where something is wrong.
                let all: Vec<_> = cards.iter().map(|(_, card)| card.clone()).collect();
                if render::check(&all, &design).is_ok() {
                    return Ok(Vec::new());
                }
                let problem = |(volunteer, card): &(i64, render::CardData)| {
                    let errors = render::check(std::slice::from_ref(card), &design).err()?;
                    let text = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("；");
                    Some(ListProblem { volunteer: *volunteer, text })
                };
                Ok(cards.iter().filter_map(problem).collect())
            })
            .await?;
            problems.extend(found);
        }
        Ok(problems)
    }
}

fn has_valid(person: &Chosen) -> bool {
    person.card.as_ref().is_some_and(|card| card.state == CertificateState::Valid)
}

/// The first few of a list's units with their counts, for a sentence.
pub(super) fn units_in_words(detail: &ListDetail) -> String {
    const SHOWN: usize = 3;
    let mut words: Vec<String> =
        detail.units.iter().take(SHOWN).map(|unit| format!("{} {} 人", unit.name, unit.people)).collect();
    if detail.units.len() > SHOWN {
        words.push(format!("另有 {} 个单位", detail.units.len() - SHOWN));
    }
    words.join("、")
}
