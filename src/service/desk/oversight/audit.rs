//! The audit trail: looked up by who, what, on what and when; its chain checked.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use zyz_credential::CertificateNumber;

use super::actions::{self, Group};
use crate::clock::beijing;
use crate::domain::partner::{PartnerId, midnight};
use crate::domain::staff::Permission;
use crate::service::desk::{Desk, DeskError};
use crate::store::{AuditCursor, AuditEvent, AuditFilter, Reader, StaffFilter};

pub use crate::store::ChainWalk;

/// Events of one page.
pub const PAGE: u32 = 50;
/// Events of one export at most.
pub const EXPORT: u32 = 50_000;
/// Events that one step of a check goes through.
pub const STEP: u32 = 100_000;

/// What is looked for. Empty means any.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// A login, a person's name, or a partner as `partner/3`.
    pub actor: String,
    /// A group of actions.
    pub group: Option<Group>,
    /// One action.
    pub action: String,
    /// A certificate number, the number of anything, or an object as it is written (`partner/3`).
    pub object: String,
    /// First day, Beijing time.
    pub from: Option<Date>,
    /// Last day.
    pub to: Option<Date>,
    /// Behind which event the page begins.
    pub before: Option<AuditCursor>,
}

/// One event in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// Position in the chain.
    pub seq: i64,
    /// When, Beijing time to the second.
    pub at: String,
    /// Who, as it is written.
    pub actor: String,
    /// The person's or partner's name; empty for a command of the machine's administrator.
    pub actor_name: String,
    /// What, as it is written.
    pub action: String,
    /// What, in words.
    pub action_label: String,
    /// On what, as it is written.
    pub object: String,
    /// On what, in words.
    pub object_label: String,
    /// Particulars in words.
    pub detail: Vec<(String, String)>,
    /// Hash, hexadecimal.
    pub hash: String,
    /// Hash of the event before.
    pub previous_hash: String,
    /// Whether its hash is the one that its content has.
    pub intact: bool,
    cursor: AuditCursor,
}

/// A page of events.
#[derive(Debug, Clone)]
pub struct AuditPage {
    /// Newest first.
    pub lines: Vec<AuditLine>,
    /// Where the next page begins; none after the last one.
    pub next: Option<AuditCursor>,
    /// Position of the end of the chain.
    pub head_seq: i64,
    /// Hash of the end, hexadecimal.
    pub head_hash: String,
    /// The latest check of the chain.
    pub check: Option<ChainWalk>,
}

/// What became of comparing a noted hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// The event has this hash: nothing up to there was changed since it was noted.
    Same,
    /// It has another hash.
    Differs {
        /// The hash that is there, hexadecimal.
        found: String,
    },
    /// There is no such event.
    Missing,
}

impl Desk {
    /// A page of the trail, newest first.
    ///
    /// # Errors
    /// The role may not read it; the database fails.
    pub async fn audit_trail(&self, query: &AuditQuery) -> Result<AuditPage, DeskError> {
        self.need(Permission::Audit)?;
        let mut reader = self.office.store.read().await?;
        let mut lines = self.audit_lines(&mut reader, query, PAGE + 1, &mut Names::new()).await?;
        let next = (lines.len() > PAGE as usize).then(|| lines[PAGE as usize - 1].cursor);
        lines.truncate(PAGE as usize);
        let (head_seq, hash) = reader.audit_head().await?;
        let check = reader.latest_chain_walk().await?;
        Ok(AuditPage { lines, next, head_seq, head_hash: hex::encode(hash), check })
    }

    /// The trail for a file: at most [`EXPORT`] events, and whether there are more.
    ///
    /// # Errors
    /// As [`Self::audit_trail`].
    pub async fn audit_export(&self, query: &AuditQuery) -> Result<(Vec<AuditLine>, bool), DeskError> {
        self.need(Permission::Audit)?;
        let mut reader = self.office.store.read().await?;
        let (mut all, mut names) = (Vec::new(), Names::new());
        let mut query = AuditQuery { before: None, ..query.clone() };
        loop {
            let lines = self.audit_lines(&mut reader, &query, 5_000, &mut names).await?;
            let last = lines.last().map(|line| line.cursor);
            let full = lines.len() == 5_000;
            all.extend(lines);
            if all.len() > EXPORT as usize {
                all.truncate(EXPORT as usize);
                return Ok((all, true));
            }
            if !full {
                return Ok((all, false));
            }
            query.before = last;
        }
    }

    /// One event.
    ///
    /// # Errors
    /// As [`Self::audit_trail`]; there is no such event.
    pub async fn audit_event(&self, seq: i64) -> Result<AuditLine, DeskError> {
        self.need(Permission::Audit)?;
        let mut reader = self.office.store.read().await?;
        let event = reader.audit_events(None, seq.saturating_sub(1), 1).await?.pop().filter(|event| event.seq == seq);
        let event = event.ok_or(DeskError::NotFound)?;
        let mut names = Names::new();
        name(&mut reader, &event.actor, &mut names).await?;
        Ok(line(event, &names))
    }

    /// Who may stand in the trail: logins with names, as many as are worth offering.
    ///
    /// # Errors
    /// As [`Self::audit_trail`].
    pub async fn audit_actors(&self) -> Result<Vec<(String, String)>, DeskError> {
        self.need(Permission::Audit)?;
        let mut reader = self.office.store.read().await?;
        let accounts = reader.staff_accounts(&StaffFilter::default(), 200).await?;
        Ok(accounts.into_iter().map(|account| (account.staff.login, account.staff.name)).collect())
    }

    /// Begins a check of the whole chain.
    ///
    /// # Errors
    /// As [`Self::audit_trail`].
    pub async fn begin_audit_check(&self) -> Result<ChainWalk, DeskError> {
        self.need(Permission::Audit)?;
        let mut tx = self.office.begin().await?;
        let walk = tx.begin_chain_walk().await?;
        tx.commit().await?;
        self.continue_audit_check(walk.id).await
    }

    /// Goes on with a check by [`STEP`] events.
    ///
    /// # Errors
    /// As [`Self::audit_trail`]; there is no such check.
    pub async fn continue_audit_check(&self, id: i64) -> Result<ChainWalk, DeskError> {
        self.need(Permission::Audit)?;
        let walk = self.office.store.read().await?.chain_walk(id).await?.ok_or(DeskError::NotFound)?;
        Ok(self.office.store.continue_chain_walk(walk, STEP, self.office.now()).await?)
    }

    /// Whether event `seq` still has the hash that somebody noted outside of the system. `noted` is hexadecimal, at least
    /// 16 digits of it; blanks do not count.
    ///
    /// # Errors
    /// As [`Self::audit_trail`]; [`DeskError::Refused`] if `noted` is no hash.
    pub async fn compare_audit_hash(&self, seq: i64, noted: &str) -> Result<Comparison, DeskError> {
        self.need(Permission::Audit)?;
        let noted: String = noted.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
        if !(16..=64).contains(&noted.len()) || !noted.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(DeskError::Refused("记下的末端摘要应为 16 到 64 位的数字和字母 a–f，请核对后重新输入".into()));
        }
        let Some(hash) = self.office.store.read().await?.audit_hash(seq).await? else { return Ok(Comparison::Missing) };
        let found = hex::encode(hash);
        Ok(if found.starts_with(&noted) { Comparison::Same } else { Comparison::Differs { found } })
    }

    async fn audit_lines(
        &self,
        reader: &mut Reader,
        query: &AuditQuery,
        limit: u32,
        names: &mut Names,
    ) -> Result<Vec<AuditLine>, DeskError> {
        let filter = filter(reader, query).await?;
        let events = reader.search_audit(&filter, query.before, limit).await?;
        for event in &events {
            name(reader, &event.actor, names).await?;
        }
        Ok(events.into_iter().map(|event| line(event, names)).collect())
    }
}

/// Moment in Beijing time, to the second.
pub fn moment(at: Timestamp) -> String {
    beijing().to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Names by login or `partner/3`.
type Names = HashMap<String, String>;

/// Finds out the name of one who acted, once.
async fn name(reader: &mut Reader, actor: &str, names: &mut Names) -> Result<(), DeskError> {
    if names.contains_key(actor) {
        return Ok(());
    }
    let partner = actor.strip_prefix("partner/").and_then(|id| id.parse().ok()).map(PartnerId);
    let found = match partner {
        Some(partner) => reader.partner(partner).await?.map(|partner| partner.name),
        None => reader.staff_by_login(actor).await?.map(|account| account.staff.name),
    };
    names.insert(actor.to_owned(), found.unwrap_or_default());
    Ok(())
}

async fn filter(reader: &mut Reader, query: &AuditQuery) -> Result<AuditFilter, DeskError> {
    let mut actor = Some(query.actor.trim().to_owned()).filter(|actor| !actor.is_empty());
    // A person's name is taken for their login, unless it is a login itself.
    if let Some(text) = &actor
        && reader.staff_by_login(text).await?.is_none()
    {
        let like = StaffFilter { text: text.clone(), ..StaffFilter::default() };
        let named = reader.staff_accounts(&like, 50).await?;
        if let Some(account) = named.into_iter().find(|account| account.staff.name == *text) {
            actor = Some(account.staff.login);
        }
    }
    let actions = match (query.action.trim(), query.group) {
        ("", None) => Vec::new(),
        ("", Some(group)) => group.actions().map(str::to_owned).collect(),
        (action, _) => vec![action.to_owned()],
    };
    Ok(AuditFilter {
        actor,
        actions,
        objects: objects(reader, &query.object).await?,
        from: query.from.map(midnight),
        to: query.to.map(|day| midnight(day.tomorrow().unwrap_or(Date::MAX))),
    })
}

/// The objects that somebody means who typed this: everything about a certificate number, or about whatever has the number.
async fn objects(reader: &mut Reader, text: &str) -> Result<Option<Vec<String>>, DeskError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.contains('/') {
        return Ok(Some(vec![text.to_owned()]));
    }
    if let Ok(number) = CertificateNumber::parse(text) {
        let number = number.to_string();
        let cards = reader.certificate_history(&number).await?;
        let cards = cards.iter().map(|card| format!("certificate/{number}#{}", card.id));
        return Ok(Some([format!("volunteer/{number}")].into_iter().chain(cards).collect()));
    }
    let kinds = actions::OBJECTS.iter().filter(|(kind, _)| !matches!(*kind, "volunteer" | "certificate" | "key"));
    Ok(Some(kinds.map(|(kind, _)| format!("{kind}/{text}")).collect()))
}

fn line(event: AuditEvent, names: &Names) -> AuditLine {
    AuditLine {
        seq: event.seq,
        at: moment(event.at),
        actor_name: names.get(&event.actor).cloned().unwrap_or_default(),
        action_label: actions::label(&event.action).to_owned(),
        object_label: actions::object_words(&event.object),
        detail: actions::detail_words(&event.detail),
        hash: hex::encode(event.hash),
        previous_hash: hex::encode(event.previous_hash),
        intact: event.expected_hash() == event.hash,
        cursor: (event.at.as_second(), event.seq),
        actor: event.actor,
        action: event.action,
        object: event.object,
    }
}
