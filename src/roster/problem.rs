//! What is said about a row: why it is refused, why it was passed over, what else the unit should know.

use core::fmt;

use super::Field;
use super::sheet::{Sheet, column_letters};
use crate::domain::hours::HoursError;
use crate::domain::identity::IdentityError;
use crate::domain::person::{AGES, NameError, PhoneError, Sex};

/// One thing wrong with one row, at a cell where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The row as the spreadsheet program numbers it, from 1.
    pub row: u32,
    /// The column counted from 0, if the trouble is in one.
    pub column: Option<u16>,
    /// The column's heading as the unit wrote it (without line breaks); empty with no column.
    pub heading: String,
    /// What is wrong.
    pub reason: Reason,
}

impl Problem {
    /// A problem in the column that means `field`, or in the whole row if there is no such column.
    pub fn at(sheet: &Sheet, row: u32, field: Field, reason: Reason) -> Self {
        Self::in_column(sheet, row, sheet.header().column_of(field), reason)
    }

    /// A problem in a column counted from 0, or in the whole row.
    pub fn in_column(sheet: &Sheet, row: u32, column: Option<u16>, reason: Reason) -> Self {
        let heading = column.and_then(|column| sheet.header().heading(column)).unwrap_or_default().to_owned();
        Self { row, column, heading, reason }
    }

    /// The column's letters (`G`), if the trouble is in one.
    pub fn column_letters(&self) -> Option<String> {
        self.column.map(column_letters)
    }

    /// The cell (`G12`), or `第 12 行` for a whole row.
    pub fn cell(&self) -> String {
        match self.column {
            Some(column) => format!("{}{}", column_letters(column), self.row),
            None => format!("第 {} 行", self.row),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(_) if !self.heading.is_empty() => write!(f, "{}（{}）：{}", self.cell(), self.heading, self.reason),
            _ => write!(f, "{}：{}", self.cell(), self.reason),
        }
    }
}

/// Why a row is refused. `Display` is Chinese and repeats neither identity numbers nor phones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The name.
    #[error("{0}")]
    Name(#[from] NameError),
    /// The identity number.
    #[error("{0}")]
    Identity(#[from] IdentityError),
    /// The telephone number.
    #[error("{0}")]
    Phone(#[from] PhoneError),
    /// Neither 男 nor 女.
    #[error("性别“{0}”无法识别：请填写“男”或“女”")]
    Sex(String),
    /// Another sex than the identity number's.
    #[error("性别“{written}”与身份证号码不符（号码第 17 位为{}）", number.name())]
    SexDiffers {
        /// As written.
        written: Sex,
        /// As the number says.
        number: Sex,
    },
    /// No date.
    #[error("“{0}”不是可识别的日期：请写成 1990-05-01 或 1990.05")]
    Date(String),
    /// Another date of birth than the identity number's.
    #[error("出生日期“{0}”与身份证号码中的出生日期不一致")]
    BirthDiffers(String),
    /// Outside 14 to 60.
    #[error("申请当日 {age} 周岁，不在 {} 至 {} 周岁之间", AGES.start(), AGES.end())]
    Age {
        /// Full years on the day of application.
        age: i32,
    },
    /// Not in GB/T 4762.
    #[error("政治面貌“{0}”不在国家标准名称之内（如：中共党员、共青团员、群众）")]
    Political(String),
    /// Not in GB/T 3304.
    #[error("民族“{0}”不在国家标准名称之内（如：汉族、哈尼族、拉祜族）")]
    Ethnicity(String),
    /// No e-mail address.
    #[error("电子邮箱格式不正确")]
    Email,
    /// No number of the national system.
    #[error("全国志愿者编号只能由字母、数字组成，最多 32 位")]
    NationalNumber,
    /// Free text beyond its limit.
    #[error("内容过长：最多 {limit} 个字")]
    TooLong {
        /// Characters allowed.
        limit: usize,
    },
    /// The cell shows an error of the spreadsheet program (#N/A, #REF!).
    #[error("单元格是公式错误值 {0}：请改填实际内容")]
    ErrorValue(String),
    /// The same identity number in an earlier row.
    #[error("与第 {row} 行身份证号码相同，重复填报")]
    Duplicate {
        /// The first row with it.
        row: u32,
    },
    /// A service row that names nobody.
    #[error("未填写证书编号或身份证号码，无法确定志愿者")]
    WhoMissing,
    /// A certificate number of another length.
    #[error("证书编号应为 10 位数字，此处为 {digits} 位")]
    NumberLength {
        /// Digits found.
        digits: usize,
    },
    /// A certificate number whose check digit fails.
    #[error("证书编号校验位不符：请对照证件检查是否录错")]
    NumberCheck,
    /// A service row without a date.
    #[error("未填写服务日期")]
    DateMissing,
    /// A date before any service could be.
    #[error("服务日期 {0} 过早，请检查年份")]
    DateTooEarly(jiff::civil::Date),
    /// A time of day that is none.
    #[error("“{0}”不是可识别的时间：请写成 08:30 或 08:30-11:30")]
    Time(String),
    /// Hours that are no number.
    #[error("“{0}”不是可识别的时长：请填写小时数，如 2.5")]
    HoursText(String),
    /// Hours that cannot be.
    #[error("{0}")]
    Hours(#[from] HoursError),
    /// Neither activity nor content.
    #[error("未填写活动名称或服务内容")]
    ContentMissing,
    /// Not one of the 32.
    #[error("服务项目“{0}”不在登记表的 32 个项目之内")]
    Item(String),
    /// What the service layer has to say (unknown number, another county, a character no font draws).
    #[error("{0}")]
    Service(String),
}

/// A row's judgement by the sheet alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowCheck<T> {
    /// Nothing wrong with it.
    Accepted(T),
    /// Everything wrong with it, by column.
    Refused(Vec<Problem>),
}

impl<T> RowCheck<T> {
    /// The same with one more problem, in its place by column: refused in any case.
    #[must_use]
    pub fn with(self, problem: Problem) -> Self {
        let mut problems = match self {
            Self::Accepted(_) => Vec::new(),
            Self::Refused(problems) => problems,
        };
        problems.push(problem);
        problems.sort_by_key(|problem| problem.column);
        Self::Refused(problems)
    }
}

/// A data row and its judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked<T> {
    /// The row as the spreadsheet program numbers it, from 1.
    pub row: u32,
    /// What came of it.
    pub check: RowCheck<T>,
}

/// A row's judgement in the end, for the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOutcome {
    /// Taken in.
    New,
    /// Was there before; nothing changed.
    Known {
        /// What to tell the unit, such as 已登记，证书编号 02 0001234 9.
        note: String,
    },
    /// Taken in with a remark, such as a late entry.
    Flagged {
        /// The remark.
        note: String,
    },
    /// Not taken in.
    Refused(Vec<Problem>),
}

/// A row that holds no person or service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    /// The row as the spreadsheet program numbers it, from 1.
    pub row: u32,
    /// Why.
    pub why: Skip,
}

/// Why a row was passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// Nothing but its serial number.
    SerialOnly,
    /// 合计, 小计 and the like.
    Total,
    /// The header once more.
    RepeatedHeader,
    /// Signature, contact or remark lines at the foot.
    Footer,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SerialOnly => "只有序号的空行",
            Self::Total => "合计行",
            Self::RepeatedHeader => "重复的表头",
            Self::Footer => "落款、备注行",
        })
    }
}

/// What the unit should know about the sheet as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// There was a password column.
    #[error("表中有“密码”列：密码已全部丢弃，未保存也未显示。请今后不要在表格中填写密码")]
    PasswordDropped,
    /// No phone column.
    #[error("表中没有“联系电话”列：志愿者的联系电话将为空")]
    NoPhoneColumn,
    /// Accepted rows without a phone.
    #[error("{count} 行没有联系电话（第 {first} 行起）：已接收，请尽快补报")]
    NoPhone {
        /// How many.
        count: usize,
        /// The first of them.
        first: u32,
    },
    /// Rows passed over.
    #[error("跳过 {count} 行{why}（第 {} 行）", rows_text(rows, *count))]
    Skipped {
        /// Why.
        why: Skip,
        /// How many.
        count: usize,
        /// The first few.
        rows: Vec<u32>,
    },
    /// Other worksheets with a header that were not read.
    #[error("只读取了工作表“{read}”；工作表“{}”也像名单，未读取：请另存为单独的文件提交", others.join("”“"))]
    OtherSheets {
        /// The one that was read.
        read: String,
        /// The others.
        others: Vec<String>,
    },
    /// Two columns of one meaning.
    #[error("“{name}”有 {count} 列：以左起第一个非空的为准")]
    SameMeaning {
        /// The meaning's own heading.
        name: &'static str,
        /// How many columns.
        count: usize,
    },
    /// The sheet's own unit column names others than the unit that sends it.
    #[error("全部登记在“{unit}”名下；表中“单位”列另写有“{}”，如应分开登记，请按单位分表提交", others.join("”“"))]
    OtherUnits {
        /// The unit that sends it.
        unit: String,
        /// The first few others.
        others: Vec<String>,
    },
    /// Services entered late.
    #[error("{count} 行超过 10 个工作日才录入（第 {first} 行起），已标记为迟录")]
    Late {
        /// How many.
        count: usize,
        /// The first of them.
        first: u32,
    },
    /// What was said when the sheet was handed in, kept as words.
    #[error("{0}")]
    Told(String),
    /// The header stands there, and nothing below it.
    #[error("表头下面没有任何数据行")]
    NoRows,
}

fn rows_text(rows: &[u32], count: usize) -> String {
    let mut text = rows.iter().map(u32::to_string).collect::<Vec<_>>().join("、");
    if count > rows.len() {
        text.push_str(" …");
    }
    text
}
