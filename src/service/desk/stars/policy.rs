//! The rules by their dates.

use jiff::civil::Date;

use crate::clock::beijing_date;
use crate::domain::hours::hours_of;
use crate::domain::staff::Permission;
use crate::domain::star::{StarPolicy, Window};
use crate::service::desk::{Desk, DeskError, FieldError};
use crate::store::StoreError;

/// A rule as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyForm {
    /// First day it holds, `YYYY-MM-DD`.
    pub from: String,
    /// Hours for one to five stars.
    pub hours: [String; 5],
    /// `calendar_year`, `lifetime` or `rolling_12_months`.
    pub window: String,
    /// Whether a star is kept when a later year is lower.
    pub keep: bool,
}

/// A rule, for people.
#[derive(Debug, Clone)]
pub struct PolicyRow {
    /// First day it holds.
    pub from: Date,
    /// Hours for one to five stars.
    pub hours: [String; 5],
    /// Its window in words.
    pub window: &'static str,
    /// Whether a star is kept, in words.
    pub keep: &'static str,
    /// 现行, 尚未施行 or 已被取代.
    pub standing: &'static str,
}

impl Desk {
    /// All rules, the newest first.
    ///
    /// # Errors
    /// The role may not read people; the database fails.
    pub async fn policy_rows(&self) -> Result<Vec<PolicyRow>, DeskError> {
        self.need(Permission::ViewPeople)?;
        let policies = self.office().store.read().await?.star_policies().await?;
        let today = beijing_date(self.office().now());
        let current = policies.iter().filter(|policy| policy.effective_from <= today).map(|p| p.effective_from).max();
        Ok(policies
            .iter()
            .rev()
            .map(|policy| PolicyRow {
                from: policy.effective_from,
                hours: policy.thresholds_minutes.map(|minutes| hours_of(minutes.into())),
                window: policy.window.label(),
                keep: if policy.keep { "保留" } else { "按当年时长重定" },
                standing: match () {
                    () if Some(policy.effective_from) == current => "现行",
                    () if policy.effective_from > today => "尚未施行",
                    () => "已被取代",
                },
            })
            .collect())
    }

    /// The rule in force, as a form to start from.
    ///
    /// # Errors
    /// The database fails.
    pub async fn policy_form(&self) -> Result<PolicyForm, DeskError> {
        self.need(Permission::ViewPeople)?;
        let today = beijing_date(self.office().now());
        let policy = self.office().store.read().await?.star_policy_at(today).await?;
        let policy = policy.unwrap_or_else(StarPolicy::of_the_notice);
        Ok(PolicyForm {
            from: String::new(),
            hours: policy.thresholds_minutes.map(|minutes| hours_of(minutes.into())),
            window: policy.window.as_str().into(),
            keep: policy.keep,
        })
    }

    /// Adds a rule. It changes nothing that was certified.
    ///
    /// # Errors
    /// Fields that are wrong; a rule of the same day; a day in the past, under which a batch may have been certified.
    pub async fn add_policy(&self, form: &PolicyForm) -> Result<Date, DeskError> {
        self.need(Permission::StarPolicy)?;
        let policy = self.understand_policy(form, true)?;
        let from = policy.effective_from;
        match self.office().add_star_policy(policy).await {
            Ok(()) => Ok(from),
            Err(crate::service::ServiceError::Store(StoreError::Duplicate { .. })) => {
                let message = format!("已有一条自 {from} 起施行的规则，请换一个日期");
                Err(DeskError::Invalid(vec![FieldError { field: "from", message }]))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a form; `dated` wants the day it begins, which must not be in the past.
    pub(super) fn understand_policy(&self, form: &PolicyForm, dated: bool) -> Result<StarPolicy, DeskError> {
        const FIELDS: [&str; 5] = ["hours1", "hours2", "hours3", "hours4", "hours5"];
        let today = beijing_date(self.office().now());
        let mut wrong = Vec::new();
        let mut say = |field: &'static str, message: &str| wrong.push(FieldError { field, message: message.into() });
        let from = match form.from.trim().parse::<Date>() {
            Ok(from) if dated && from < today => {
                say("from", "施行日期不能早于今天：已经认定的批次不能改按新规则");
                from
            }
            Ok(from) => from,
            Err(_) if dated => {
                say("from", "请填写施行日期，如 2027-01-01");
                today
            }
            Err(_) => today,
        };
        let mut thresholds_minutes = [0; 5];
        let mut below = 0;
        for ((typed, minutes), field) in form.hours.iter().zip(&mut thresholds_minutes).zip(FIELDS) {
            let hours =
                typed.trim().parse::<f64>().ok().filter(|hours| hours.is_finite() && (0.0..=100_000.0).contains(hours));
            *minutes = (hours.unwrap_or(0.0) * 60.0).round() as u32;
            match hours {
                None => say(field, "请填写小时数，如 100"),
                Some(_) if *minutes <= below => say(field, "必须大于前一级（一星须大于零）"),
                Some(_) => {}
            }
            below = *minutes;
        }
        let window = Window::parse(form.window.trim()).unwrap_or_else(|_| {
            say("window", "请选择统计周期");
            Window::CalendarYear
        });
        if wrong.is_empty() {
            Ok(StarPolicy { effective_from: from, thresholds_minutes, window, keep: form.keep })
        } else {
            Err(DeskError::Invalid(wrong))
        }
    }
}
