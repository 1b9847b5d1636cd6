//! What can go wrong with a database, by name.

use std::path::PathBuf;

use crate::domain::certificate::{CertificateState, UnknownWord};
use crate::domain::star::StarPolicyError;

use super::sealed::SealError;

/// Why the store refused or failed. The text is for the person at the keyboard and never carries SQL or data;
/// `source()` is for the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database URL is neither SQLite's nor PostgreSQL's.
    #[error("数据库地址无法识别，应为 sqlite:文件路径 或 postgres://用户@主机/库名")]
    Url,
    /// There is no database file.
    #[error("数据库文件 {path} 不存在。请先运行 zyz init 建立数据库和密钥；若已建立，请检查 --data 或 --database-url")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A database is there, but `zyz init` did not finish on it.
    #[error("数据库尚未初始化。请运行 zyz init")]
    NotInitialised,
    /// `create` was asked for a database that is in use already.
    #[error("数据库已初始化，不再重复建立，以免覆盖已有数据")]
    AlreadyInitialised,
    /// This program is newer than the database.
    #[error("数据库版本为 {found}，本程序需要 {needed}。请先备份，再运行 zyz migrate 升级数据库")]
    MigrationMissing {
        /// The newest migration applied.
        found: i64,
        /// The newest migration this program knows.
        needed: i64,
    },
    /// The database is newer than this program, or was changed by another line of development.
    #[error("数据库由更新的程序升级到版本 {found}，本程序只认识到 {known}。请改用新版程序")]
    MigrationNewer {
        /// The newest migration applied.
        found: i64,
        /// The newest migration this program knows.
        known: i64,
    },
    /// A migration was applied with a text other than the one in this program.
    #[error("数据库第 {version} 号升级脚本与本程序不一致，请核对程序来源")]
    MigrationDiffers {
        /// Its number.
        version: i64,
    },
    /// The data keys are not those that the database was made with.
    #[error("数据密钥与数据库不匹配。请检查 --data 目录中的密钥文件是否属于这个数据库")]
    WrongDataKey,
    /// A sealed column did not open.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// Somebody else held the database for longer than the waiting time.
    #[error("数据库正被其他操作占用，等待超时。请稍后重试")]
    Busy(#[source] sqlx::Error),
    /// No space left.
    #[error("磁盘空间不足，本次操作未保存任何内容。请清理磁盘后重试")]
    DiskFull(#[source] sqlx::Error),
    /// The file may not be written.
    #[error("数据库无法打开或没有写入权限。请检查文件和目录的权限")]
    ReadOnly(#[source] sqlx::Error),
    /// The database file is damaged, or is no database.
    #[error("数据库文件已损坏或不是数据库。请停止使用，用最近的备份恢复")]
    Corrupt(#[source] sqlx::Error),
    /// The server cannot be reached, refuses the login, or went away.
    #[error("无法连接数据库。请检查数据库服务是否运行、地址和账号是否正确")]
    Connection(#[source] sqlx::Error),
    /// A file operation on the database file failed.
    #[error("无法建立数据库文件 {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What is to be written is there already.
    #[error("{what}已存在，未重复写入")]
    Duplicate {
        /// What, in Chinese.
        what: &'static str,
        /// The database's word.
        #[source]
        source: sqlx::Error,
    },
    /// A row that something refers to does not exist.
    #[error("所引用的记录不存在，或仍被其他记录使用")]
    Reference(#[source] sqlx::Error),
    /// A transaction was to be committed with an import or registration in it that did not come to its end.
    #[error("导入没有完成，未保存任何内容。请重试")]
    Unfinished,
    /// A county's serial numbers, seven digits, are used up.
    #[error("县区代码 {county:02} 的证号序列已用完（最多 9999999 个）")]
    SerialsExhausted {
        /// Last two digits of the county's code.
        county: u8,
    },
    /// A county code is not two digits.
    #[error("县区代码 {county} 不正确，应为 00 至 99")]
    County {
        /// The code given.
        county: u8,
    },
    /// The issuing key's status list is full.
    #[error(
        "当前签发密钥的状态列表已满（已用 {used}，还需 {wanted}，上限 {limit}）。请先运行 zyz key rotate 更换签发密钥"
    )]
    StatusListFull {
        /// Indexes in use.
        used: u64,
        /// Indexes asked for.
        wanted: u64,
        /// How many count as full.
        limit: u64,
    },
    /// A state change that the rules do not know.
    #[error("证件不能由“{}”变为“{}”", from.label(), to.label())]
    Transition {
        /// The state it has.
        from: CertificateState,
        /// The state asked for.
        to: CertificateState,
    },
    /// More numbers were named in one request than a statement can bind.
    #[error("一次最多指定 {limit} 个证号")]
    TooManyNumbers {
        /// The limit.
        limit: usize,
    },
    /// A row with this id was expected and is not there.
    #[error("找不到{what}")]
    NotFound {
        /// What, in Chinese.
        what: &'static str,
    },
    /// A star rule is not acceptable.
    #[error(transparent)]
    StarPolicy(#[from] StarPolicyError),
    /// A stored value is outside its range: written by a newer program, or by hand.
    #[error("数据库中有无法识别的数据（{what}）")]
    BadValue {
        /// The column or kind of value.
        what: &'static str,
    },
    /// A stored word is not one this program knows.
    #[error(transparent)]
    UnknownWord(#[from] UnknownWord),
    /// Anything else the database says.
    #[error("数据库操作失败，本次操作未保存。详细原因见日志")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    /// Sorts the two databases' error codes into our names: SQLite's extended result codes are decimal numbers,
    /// PostgreSQL's are five characters.
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        let code = match &error {
            E::Database(inner) => inner.code().map(|code| code.into_owned()),
            E::PoolTimedOut => return Self::Busy(error),
            E::Io(io) if io.kind() == std::io::ErrorKind::StorageFull => return Self::DiskFull(error),
            E::Io(_) | E::Tls(_) | E::PoolClosed | E::Protocol(_) | E::WorkerCrashed => return Self::Connection(error),
            E::RowNotFound => return Self::NotFound { what: "记录" },
            _ => None,
        };
        let Some(code) = code else { return Self::Database(error) };
        if let Ok(number) = code.parse::<u32>()
            && code.len() != 5
        {
            return match number & 0xff {
                5 | 6 => Self::Busy(error),
                8 | 14 => Self::ReadOnly(error),
                // An I/O error while writing is what a full disk looks like through some file systems, yet it may be a
                // failing disk too; only SQLITE_FULL is certain.
                13 => Self::DiskFull(error),
                11 | 26 => Self::Corrupt(error),
                19 => constraint(error),
                _ => Self::Database(error),
            };
        }
        match code.as_str() {
            "53100" => Self::DiskFull(error),
            "55P03" | "40001" | "40P01" | "57014" => Self::Busy(error),
            "25006" | "42501" => Self::ReadOnly(error),
            "XX001" | "XX002" => Self::Corrupt(error),
            code if code.starts_with("23") => constraint(error),
            code if ["08", "28", "3D", "57", "53"].iter().any(|class| code.starts_with(class)) => {
                Self::Connection(error)
            }
            _ => Self::Database(error),
        }
    }
}

/// Names the unique or foreign key that refused a row. SQLite names columns in its message, PostgreSQL the constraint.
fn constraint(error: sqlx::Error) -> StoreError {
    let Some(inner) = error.as_database_error() else { return StoreError::Database(error) };
    if inner.is_foreign_key_violation() {
        return StoreError::Reference(error);
    }
    if !inner.is_unique_violation() {
        return StoreError::Database(error);
    }
    let place = format!("{} {}", inner.constraint().unwrap_or_default(), inner.message());
    let names = [
        ("identity_index", "身份证号码"),
        ("fingerprint", "服务记录"),
        ("certificate_live", "有效证件"),
        ("certificate.volunteer_id", "有效证件"),
        ("status_index", "证件状态序号"),
        ("public_key", "密钥"),
        ("star_policy", "同一日期起施行的星级标准"),
        ("trust_list", "该版本的信任列表"),
        ("redemption", "使用记录"),
        ("reversal", "撤销记录"),
        ("agreement_number", "协议编号"),
        ("enrolment_code", "登记码"),
        ("token_hash", "设备令牌"),
        ("bundle", "该版本的发布包"),
        ("staff", "登录名"),
        ("volunteer_number", "证号"),
        ("volunteer.number", "证号"),
        ("unit", "单位"),
    ];
    let what = names.iter().find(|(part, _)| place.contains(part)).map_or("记录", |(_, what)| what);
    StoreError::Duplicate { what, source: error }
}
