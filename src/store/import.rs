//! Imports: one row a spreadsheet taken in.

use jiff::Timestamp;
use serde_json::json;
use sqlx::any::AnyRow;

use super::bulk::Statement;
use super::row::{Columns, id};
use super::{Reader, StoreError, Tx, UnitId};

id!(
    /// Key of an import.
    ImportId
);

/// What a spreadsheet held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportKind {
    /// Volunteers, 附件2.
    Roster,
    /// Service hours.
    Hours,
    /// One activity entered for many people at the console; no spreadsheet, but one act.
    Activity,
}

impl ImportKind {
    /// The word stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Roster => "roster",
            Self::Hours => "hours",
            Self::Activity => "activity",
        }
    }

    fn parse(text: &str) -> Result<Self, StoreError> {
        [Self::Roster, Self::Hours, Self::Activity]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(StoreError::BadValue { what: "导入类型" })
    }
}

/// An import that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewImport {
    /// What the file holds.
    pub kind: ImportKind,
    /// The file's name, without its folder.
    pub file_name: String,
    /// SHA-256 of the file.
    pub file_sha256: [u8; 32],
    /// The unit whose file it is; none for a file of several.
    pub unit: Option<UnitId>,
}

/// What became of an import's rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Data rows in the file.
    pub rows: u64,
    /// Rows written.
    pub imported: u64,
    /// Rows that were known already.
    pub known: u64,
    /// Rows refused.
    pub refused: u64,
}

/// An import begun in this transaction, for [`Tx::finish_import`].
#[derive(Debug)]
#[must_use = "an import begun must be finished, or the transaction cannot be committed"]
pub struct OpenImport {
    id: ImportId,
    new: NewImport,
}

impl OpenImport {
    /// Its key, for the rows that come with it.
    pub fn id(&self) -> ImportId {
        self.id
    }
}

/// An import that happened.
#[derive(Debug, Clone)]
pub struct Import {
    /// Key.
    pub id: ImportId,
    /// What was noted.
    pub noted: NewImport,
    /// What became of its rows.
    pub counts: ImportCounts,
    /// Who imported.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

const SELECT: &str = "SELECT id, kind, file_name, file_sha256, unit_id, row_count, imported, known, refused, actor, at \
                      FROM import";

impl Reader {
    /// The latest imports, newest first.
    pub async fn imports(&mut self, limit: u32) -> Result<Vec<Import>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" ORDER BY id DESC LIMIT ").bind(i64::from(limit));
        query.fetch_all(self).await?.iter().map(import).collect()
    }

    /// The latest import of a file with this SHA-256.
    pub async fn import_of_file(&mut self, sha256: &[u8; 32]) -> Result<Option<Import>, StoreError> {
        let mut query = Statement::new(SELECT);
        query.push(" WHERE file_sha256 = ").bind(&sha256[..]).push(" ORDER BY id DESC LIMIT 1");
        query.fetch_optional(self).await?.as_ref().map(import).transpose()
    }
}

impl Tx {
    /// Notes an import before its rows, which refer to it. How many they are need not be known yet:
    /// [`Self::finish_import`] says so, and without it nothing can be committed.
    pub async fn begin_import(&mut self, new: NewImport) -> Result<OpenImport, StoreError> {
        let id = ImportId(self.draw_one("import").await?);
        let (actor, at) = (self.actor.clone(), self.now.as_second());
        sqlx::query(
            "INSERT INTO import (id, kind, file_name, file_sha256, unit_id, row_count, imported, known, refused, actor, at) \
             VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 0, $6, $7)",
        )
        .bind(id.0)
        .bind(new.kind.as_str())
        .bind(new.file_name.as_str())
        .bind(&new.file_sha256[..])
        .bind(new.unit.map(|unit| unit.0))
        .bind(actor)
        .bind(at)
        .execute(self.connection())
        .await?;
        self.open += 1;
        Ok(OpenImport { id, new })
    }

    /// Notes what became of an import's rows (`import.roster`, `import.hours`, `import.activity`).
    pub async fn finish_import(&mut self, import: OpenImport, counts: &ImportCounts) -> Result<(), StoreError> {
        let OpenImport { id, new } = import;
        sqlx::query("UPDATE import SET row_count = $1, imported = $2, known = $3, refused = $4 WHERE id = $5")
            .bind(counts.rows as i64)
            .bind(counts.imported as i64)
            .bind(counts.known as i64)
            .bind(counts.refused as i64)
            .bind(id.0)
            .execute(self.connection())
            .await?;
        let action = match new.kind {
            ImportKind::Roster => "import.roster",
            ImportKind::Hours => "import.hours",
            ImportKind::Activity => "import.activity",
        };
        let detail = json!({
            "file_sha256": hex::encode(new.file_sha256), "rows": counts.rows, "imported": counts.imported,
            "known": counts.known, "refused": counts.refused,
        });
        self.audit(action, format!("import/{id}"), detail);
        self.open -= 1;
        Ok(())
    }
}

fn import(row: &AnyRow) -> Result<Import, StoreError> {
    Ok(Import {
        id: ImportId(row.int(0)?),
        noted: NewImport {
            kind: ImportKind::parse(row.str(1)?)?,
            file_name: row.text(2)?,
            file_sha256: row.array(3, "文件摘要")?,
            unit: row.int_or_null(4)?.map(UnitId),
        },
        counts: ImportCounts {
            rows: row.number(5, "行数")?,
            imported: row.number(6, "行数")?,
            known: row.number(7, "行数")?,
            refused: row.number(8, "行数")?,
        },
        actor: row.text(9)?,
        at: row.moment(10)?,
    })
}
