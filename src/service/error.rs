//! Why a use case was refused or failed.

use crate::domain::certificate::CertificateState;
use crate::domain::star::StarPolicyError;
use crate::keystore::KeyError;
use crate::render::{PhotoError, RenderError};
use crate::roster::report::WriteError;
use crate::roster::{HeaderError, SheetError};
use crate::store::StoreError;

/// Why a use case was refused or failed. The text is for the person at the keyboard: what is so, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A file that cannot be read as a spreadsheet.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// A spreadsheet without the columns needed.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A workbook that cannot be written.
    #[error(transparent)]
    Workbook(#[from] WriteError),
    /// A unit's name that is none.
    #[error("--unit 须写单位全称，1 到 60 个字")]
    UnitName,
    /// Drawing a card.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// Cards that cannot be printed; nothing was.
    #[error("有 {} 处不能打印，一张也没有打印：{}", faults.len(), super::print::first_faults(faults))]
    Unprintable {
        /// Each with name and number.
        faults: Vec<RenderError>,
    },
    /// A photo that is no picture, or too large.
    #[error("照片 {path}：{why}")]
    Photo {
        /// The file.
        path: String,
        /// Why.
        why: PhotoError,
    },
    /// A star policy or year.
    #[error(transparent)]
    StarPolicy(#[from] StarPolicyError),
    /// A file or folder.
    #[error("{path}：{}", io_words(.source))]
    Io {
        /// The file or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database has keys already.
    #[error("这里已经初始化过（根公钥 {root}），不会再建立一次。要更换密钥请用 zyz key rotate")]
    AlreadyInitialised {
        /// The root public key in use, hexadecimal.
        root: String,
    },
    /// No volunteer has this number.
    #[error("没有编号为 {number} 的志愿者。请核对编号，或用 zyz volunteer list --name 姓名 查找")]
    UnknownVolunteer {
        /// The number, grouped.
        number: String,
    },
    /// No unit has this name.
    #[error("没有名为“{name}”的单位。单位名称须与导入名册时的 --unit 完全一致，可用 zyz volunteer list 查看")]
    UnknownUnit {
        /// The name asked for.
        name: String,
    },
    /// Several units in different counties have this name.
    #[error("有 {count} 个县区都有名为“{name}”的单位，请按证书编号选择")]
    AmbiguousUnit {
        /// The name asked for.
        name: String,
        /// How many.
        count: usize,
    },
    /// The volunteer has no card at all, or none that could be changed.
    #[error("{number} 还没有志愿服务证。先签发：zyz issue --volunteer {number}")]
    NoCertificate {
        /// The number.
        number: String,
    },
    /// The card is in a state from which the change is not possible.
    #[error("{number} 的证件现为“{}”，{hint}", state.label())]
    WrongState {
        /// The number.
        number: String,
        /// The state it has.
        state: CertificateState,
        /// What can be done instead.
        hint: &'static str,
    },
    /// The volunteer has left.
    #[error("{number} 已退出志愿服务组织，不能再制证。本人要求重新加入时：zyz volunteer readmit {number}")]
    Exited {
        /// The number.
        number: String,
    },
    /// The volunteer has not left.
    #[error("{number} 没有退出，无需重新加入")]
    NotExited {
        /// The number.
        number: String,
    },
    /// The year has not begun.
    #[error("{year} 年还没有到，不能认定该年度的星级")]
    FutureYear {
        /// The year.
        year: i16,
    },
    /// No policy holds in the year.
    #[error("{year} 年没有施行中的星级规则。请用 zyz stars policy add 添加")]
    NoStarPolicy {
        /// The year.
        year: i16,
    },
    /// No key of a role is active.
    #[error("没有可用的{role}。请运行 zyz key rotate {command}")]
    NoActiveKey {
        /// The role in words.
        role: &'static str,
        /// Its word on the command line.
        command: &'static str,
    },
    /// No key has this id.
    #[error("没有编号为 {kid} 的密钥。用 zyz key list 查看")]
    UnknownKey {
        /// The id asked for.
        kid: String,
    },
    /// A root key cannot be retired or compromised by command.
    #[error("{kid} 是根密钥，不能停用或作废。根密钥遗失或泄露时的办法见 docs/OPERATIONS.md")]
    RootKey {
        /// Its id.
        kid: String,
    },
    /// The only active key of its role.
    #[error("{kid} 是唯一在用的{role}，停用后将无法工作。请改用 zyz key rotate {command} 换一把新的")]
    LastKey {
        /// Its id.
        kid: String,
        /// The role in words.
        role: &'static str,
        /// Its word on the command line.
        command: &'static str,
    },
    /// A key is not in the state for what was asked.
    #[error("密钥 {kid} 现为“{state}”，不能这样操作")]
    KeyState {
        /// Its id.
        kid: String,
        /// Its state in words.
        state: &'static str,
    },
    /// The root key given is not the one pinned.
    #[error("这把根密钥不是本会的根密钥（公钥应为 {expected}）。请检查 --root-key")]
    WrongRoot {
        /// The public key in use, hexadecimal.
        expected: String,
    },
    /// A version far beyond the present one, which no verifier would ever forget.
    #[error("--at-least {asked} 太大：现在是第 {now} 版，最多一次提高 {most}。请核对合作单位看到的版本号")]
    VersionLeap {
        /// What was asked for.
        asked: u64,
        /// The present version.
        now: u64,
        /// The largest step.
        most: u64,
    },
    /// There is no trust list.
    #[error("还没有信任列表。请先运行 zyz init，或用 zyz key renew 重新签署")]
    NoTrustList,
    /// A card just signed did not pass the verifier: nothing was written.
    #[error("刚签发的证（{number}）没有通过验真自检（{reason}），本批未写入。请检查系统时间，再运行 zyz doctor")]
    SelfCheck {
        /// The number.
        number: String,
        /// The verdict's reason.
        reason: String,
    },
    /// A signed object could not be built or read back.
    #[error("{what}无法处理：{why}")]
    Signed {
        /// What, in Chinese.
        what: &'static str,
        /// Why, from the credential core.
        why: String,
    },
    /// No partner has this id.
    #[error("没有编号为 {id} 的合作单位。用 zyz partner list 查看")]
    UnknownPartner {
        /// The id asked for.
        id: crate::domain::partner::PartnerId,
    },
    /// Nothing to print.
    #[error("没有可打印的证件。先签发：zyz issue --all；已注销、已暂停、已换发的证不打印")]
    NothingToPrint,
    /// The configuration does not allow it.
    #[error("配置项 {field} 有误：{why}")]
    Configuration {
        /// The field.
        field: &'static str,
        /// Why.
        why: String,
    },
    /// A background computation ended early.
    #[error("内部计算意外中止，本次操作未写入")]
    Aborted,
}

impl ServiceError {
    /// Whether trying again in a moment may help: the database is away or busy.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Store(StoreError::Busy(_) | StoreError::Connection(_)))
    }

    /// Whether this is no answer for the person at the screen but a failure for the log: database, disk, key files.
    pub fn is_internal(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Key(_) | Self::Io { .. } | Self::Aborted)
    }
}

/// Lets `?` take the errors of the rooms below into an operation's own error, through its variant `Service`.
macro_rules! service_errors {
    ($error:ident) => {
        impl From<crate::store::StoreError> for $error {
            fn from(error: crate::store::StoreError) -> Self {
                Self::Service(error.into())
            }
        }
    };
}
pub(super) use service_errors;

/// The system's word for the errors people meet, with what to do.
fn io_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::StorageFull => "磁盘已满，请腾出空间后重试".into(),
        std::io::ErrorKind::PermissionDenied => "没有权限读写，请检查文件夹权限".into(),
        std::io::ErrorKind::NotFound => "找不到这个文件或文件夹，请检查路径".into(),
        _ => error.to_string(),
    }
}
