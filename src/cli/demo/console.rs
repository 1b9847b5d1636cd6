//! `zyz demo --serve`: the console with a sample federation in it, an account for each role, and a page that says what to try.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{DemoArgs, application, at, office, work};
use crate::app::{AppError, Global};
use crate::cli::Out;
use crate::cli::serve::{self, ServeArgs};
use crate::domain::staff::Role;
use crate::service::Federation;
use crate::service::desk::accounts::staff::AccountDraft;

/// The password of every account: the demonstration is for this computer alone, and its people are invented.
const PASSWORD: &str = "cha-ma-gu-dao-8530";

/// An account of the demonstration.
struct Account {
    login: &'static str,
    name: &'static str,
    role: Role,
    /// Of which county, unit or partner; empty for the city.
    of: &'static str,
    /// What to try, in the order of the walk.
    trying: &'static [&'static str],
}

const ACCOUNTS: [Account; 6] = [
    Account {
        login: "danwei",
        name: "单位 周老师",
        role: Role::Unit,
        of: "宁洱县样例医院",
        trying: &[
            "登记与审批 → 新的登记表：填到一半存草稿，身份证号填错一位看看",
            "名册：一份待更正的名册，错的格子标了出来",
            "服务记录 → 录入：一次勾选多人",
        ],
    },
    Account {
        login: "xian",
        name: "宁洱县 李干事",
        role: Role::County,
        of: "21",
        trying: &[
            "登记与审批：通过一份，退回一份",
            "服务记录 → 异议：一名志愿者说少记了一小时",
            "名册：看哪些单位还没有交",
        ],
    },
    Account {
        login: "jingban",
        name: "联合会 王经办",
        role: Role::FederationClerk,
        of: "",
        trying: &[
            "首页：什么在等我",
            "制证：选一个单位，看样、签发、打印（进度条可以离开再回来）",
            "星级认定：正在公示的一批",
            "志愿者：按姓名找一个人，挂失或退出",
        ],
    },
    Account {
        login: "jiandu",
        name: "市文明办 张科长",
        role: Role::Oversight,
        of: "",
        trying: &["星级认定：看公示名单（公示期满次日起由您确认）", "统计督查：导出、打印督查报告", "审计：验证链条"],
    },
    Account {
        login: "guanli",
        name: "联合会 陈管理员",
        role: Role::FederationAdmin,
        of: "",
        trying: &["账号：邀请一位同事，打开链接设密码", "复核：王经办要签发一大批证，同意或不同意"],
    },
    Account {
        login: "shangjia",
        name: "晨光便利店 店长",
        role: Role::Partner,
        of: "晨光便利店（样例）",
        trying: &["我的优惠：每项用了多少次"],
    },
];

/// Refuses addresses that other computers reach: everybody knows the passwords.
pub(super) fn refuse_others(listen: SocketAddr) -> Result<(), AppError> {
    if listen.ip().is_loopback() {
        return Ok(());
    }
    Err(AppError::Usage(format!("演示的密码人人都知道，只能在本机打开：--listen 请用 127.0.0.1:端口，不能用 {listen}")))
}

/// Whether the demonstration ran to its end in this folder.
pub(super) fn ran_in(dir: &Path) -> bool {
    super::passphrase_file(dir).is_file() && dir.join("4-公布的文件/bundle.cose").is_file()
}

/// Puts the sample federation in, unless it is there, and serves until Ctrl-C.
pub(super) async fn open(global: &Global, args: &DemoArgs, out: Out) -> Result<(), AppError> {
    let app = application(global, &args.dir)?;
    let said = instructions_file(&args.dir);
    if !said.is_file() {
        out.line("\n七、工作台：更多的县、单位、人员、服务记录和合作单位");
        let federation = app.federation().await?;
        if !federation.partners(false).await?.is_empty() {
            return Err(AppError::Usage(format!(
                "文件夹 {} 里的样例上次没有准备完。请删除这个文件夹再来一次，或用 --dir 指定另一个",
                args.dir.display()
            )));
        }
        let folder = args.dir.join("1-单位报来的表格");
        office::furnish(&federation, &folder).await?;
        let keys = open_accounts(&federation).await?;
        work::at_desks(&federation, &keys, &folder).await?;
    }
    let text = instructions(args.listen);
    fs::write(&said, &text).map_err(|e| at(&said, e))?;
    out.line(&text);
    serve::run(app, ServeArgs::at(args.listen), out).await
}

/// Opens the accounts; returns their keys by login name.
async fn open_accounts(federation: &Federation) -> Result<HashMap<&'static str, i64>, AppError> {
    let partners = federation.partners(false).await?;
    let mut keys = HashMap::new();
    for account in &ACCOUNTS {
        let of = |role: Role| if account.role == role { account.of.to_owned() } else { String::new() };
        let partner = partners.iter().find(|partner| partner.name == account.of);
        let draft = AccountDraft {
            login: account.login.into(),
            name: account.name.into(),
            role: Some(account.role),
            county: of(Role::County),
            unit: of(Role::Unit),
            partner: partner.map(|partner| partner.id.to_string()).unwrap_or_default(),
        };
        let opened = federation.add_account(&draft, Zeroizing::new(PASSWORD.to_owned())).await;
        keys.insert(account.login, opened.map_err(|e| AppError::Usage(e.to_string()))?);
    }
    Ok(keys)
}

/// The one page that a newcomer reads.
fn instructions(listen: SocketAddr) -> String {
    let mut text = format!(
        "\n工作台已打开：http://{listen}/console/   （按 Ctrl-C 结束；只有这台电脑能打开；人员均为虚构）\n\n\
         六个账号，密码都是 {PASSWORD}\n"
    );
    for account in &ACCOUNTS {
        text.push_str(&format!("\n  {:<9} {}（{}）\n", account.login, account.role.label(), account.name));
        for what in account.trying {
            text.push_str(&format!("            · {what}\n"));
        }
    }
    text.push_str("\n按这个次序走一遍约五分钟。换账号：右上角“退出登录”。\n");
    text
}

fn instructions_file(dir: &Path) -> PathBuf {
    dir.join("6-工作台说明.txt")
}
