//! Looking things up in the audit trail: newest first, by who, what, on what and when.

use jiff::Timestamp;

use super::audit::event;
use super::bulk::Statement;
use super::{AuditEvent, Reader, StoreError};

/// Which events. Empty means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who.
    pub actor: Option<String>,
    /// One of these actions.
    pub actions: Vec<String>,
    /// On one of these objects; `Some` of none finds nothing.
    pub objects: Option<Vec<String>>,
    /// From this moment.
    pub from: Option<Timestamp>,
    /// Until before this moment.
    pub to: Option<Timestamp>,
}

/// Behind which event a page begins: its moment (seconds since 1970) and position.
pub type AuditCursor = (i64, i64);

impl Reader {
    /// Up to `limit` events, newest first, that lie before `before`. Each action, or each object, is a walk along an index
    /// of its own that ends after `limit` events, however rare or common it is.
    pub async fn search_audit(
        &mut self,
        filter: &AuditFilter,
        before: Option<AuditCursor>,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let mut found = Vec::new();
        match (&filter.objects, filter.actions.as_slice()) {
            (Some(objects), actions) => {
                for object in objects {
                    let rows = self.audit_page(filter, Some(object), None, before, limit).await?;
                    let wanted = |row: &AuditEvent| actions.is_empty() || actions.contains(&row.action);
                    found.extend(rows.into_iter().filter(wanted));
                }
            }
            (None, []) => found = self.audit_page(filter, None, None, before, limit).await?,
            (None, actions) => {
                for action in actions {
                    found.append(&mut self.audit_page(filter, None, Some(action), before, limit).await?);
                }
            }
        }
        found.sort_by_key(|event| std::cmp::Reverse((event.at, event.seq)));
        found.dedup_by_key(|event| event.seq);
        found.truncate(limit as usize);
        Ok(found)
    }

    async fn audit_page(
        &mut self,
        filter: &AuditFilter,
        object: Option<&str>,
        action: Option<&str>,
        before: Option<AuditCursor>,
        limit: u32,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let mut query = Statement::new(
            "SELECT seq, at, actor, action, object, detail, previous_hash, hash FROM audit_event WHERE 1 = 1",
        );
        if let Some(object) = object {
            query.push(" AND object = ").bind(object);
        }
        if let Some(action) = action {
            query.push(" AND action = ").bind(action);
        }
        if let Some(actor) = &filter.actor {
            query.push(" AND actor = ").bind(actor.as_str());
        }
        if let Some(from) = filter.from {
            query.push(" AND at >= ").bind(from.as_second());
        }
        if let Some(to) = filter.to {
            query.push(" AND at < ").bind(to.as_second());
        }
        if let Some((at, seq)) = before {
            // Both halves: the first lets an index begin there, the second leaves out what was shown.
            query.push(" AND at <= ").bind(at).push(" AND (at < ").bind(at);
            query.push(" OR seq < ").bind(seq).push(")");
        }
        query.push(" ORDER BY at DESC, seq DESC");
        // Objects have few events, of which those of other actions are left out afterwards.
        let limit = if object.is_some() && !filter.actions.is_empty() { 5_000 } else { limit };
        query.push(" LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(event).collect()
    }
}
