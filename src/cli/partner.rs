//! `zyz partner …`.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::Out;
use super::offer::offer_rows;
use crate::app::{App, AppError};
use crate::domain::partner::{DeviceId, DeviceName, PartnerId};
use crate::render::qr;
use crate::service::enrol::{DeviceLine, EnrolmentLink, LINK_DAYS};
use crate::service::partners::{PartnerDraft, PartnerLine, Usage, UsageCounts};

/// Pixels a module of the link's picture.
const MODULE: u32 = 10;

/// What can be done with partners.
#[derive(Debug, Subcommand)]
pub enum PartnerCommand {
    /// Add a partner with its agreement
    Add(AddArgs),
    /// List partners
    List {
        /// Also those whose agreement is over
        #[arg(long)]
        all: bool,
    },
    /// One partner: agreement, offers, devices
    Show {
        /// Partner
        id: PartnerId,
    },
    /// Note a newer agreement that holds longer; offers and devices stay
    Renew {
        /// Partner
        id: PartnerId,
        /// Number of the new agreement
        #[arg(long, value_name = "TEXT")]
        agreement: String,
        /// Its last day, Beijing time
        #[arg(long, value_name = "YYYY-MM-DD")]
        to: Date,
    },
    /// End an agreement; its offers leave the next bundle
    End {
        /// Partner
        id: PartnerId,
        /// First day on which it no longer holds, Beijing time [default: today, at once]
        #[arg(long, value_name = "YYYY-MM-DD")]
        on: Option<Date>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Make a one-time link with which one device enrols
    Enrol(EnrolArgs),
    /// A partner's devices
    Devices {
        /// Partner
        id: PartnerId,
    },
    /// Refuse a device from now on: lost, sold, or used by the wrong people
    RevokeDevice {
        /// Device, from `zyz partner devices`
        device: DeviceId,
    },
    /// What was given, by offer
    Usage {
        /// Partner
        id: PartnerId,
        /// First day, Beijing time
        #[arg(long, value_name = "YYYY-MM-DD")]
        from: Option<Date>,
        /// Last day, Beijing time
        #[arg(long, value_name = "YYYY-MM-DD")]
        to: Option<Date>,
    },
}

/// Arguments of `zyz partner add`.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// Name of the partner
    name: String,
    /// Number of the agreement
    #[arg(long, value_name = "TEXT")]
    agreement: String,
    /// First day of the agreement, Beijing time
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Date,
    /// Last day of the agreement, Beijing time
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Date,
    /// What it is: 餐饮, 医院 …
    #[arg(long, value_name = "TEXT")]
    kind: Option<String>,
    /// Whom to call (kept encrypted)
    #[arg(long, value_name = "TEXT")]
    contact: Option<String>,
}

/// Arguments of `zyz partner enrol`.
#[derive(Debug, Args)]
pub struct EnrolArgs {
    /// Partner
    id: PartnerId,
    /// Name proposed for the device: 收银台1
    #[arg(long, value_name = "NAME")]
    device: Option<DeviceName>,
    /// Address of the server [default: public_url of the configuration]
    #[arg(long, value_name = "URL")]
    server_url: Option<String>,
    /// Write the link's code as a picture
    #[arg(long, value_name = "FILE.png")]
    png: Option<PathBuf>,
    /// Days for which the link is good, 1 to 90
    #[arg(long, value_name = "DAYS", default_value_t = LINK_DAYS)]
    valid_days: u32,
}

/// Runs a partner command.
pub async fn run(app: &App, command: PartnerCommand, out: Out) -> Result<(), AppError> {
    let federation = app.federation().await?;
    match command {
        PartnerCommand::Add(args) => {
            let AddArgs { name, agreement, from, to, kind, contact } = args;
            let draft = PartnerDraft { name, kind, contact, agreement_number: agreement, from, to };
            let partner = federation.add_partner(draft).await?;
            out.result(&partner, |out| {
                out.line(format!("已登记合作单位 {}：{}。", partner.id, summary(&partner)));
                out.line(format!("接着登记优惠项目：zyz offer add {} --kind 优惠 --title …", partner.id));
            });
        }
        PartnerCommand::List { all } => {
            let partners = federation.partners(all).await?;
            out.result(&partners, |out| {
                if partners.is_empty() {
                    out.line("没有合作单位。登记：zyz partner add 名称 --agreement 编号 --from 日期 --to 日期");
                    return;
                }
                let rows: Vec<_> = partners
                    .iter()
                    .map(|line| {
                        vec![
                            line.id.to_string(),
                            line.name.clone(),
                            line.kind.clone().unwrap_or_default(),
                            line.agreement_number.clone(),
                            format!("{} 至 {}", line.agreement_from, last_day(line)),
                            line.state_label.to_owned(),
                            line.offers.to_string(),
                            line.devices.to_string(),
                        ]
                    })
                    .collect();
                out.table(&["编号", "名称", "类别", "协议编号", "协议期", "状态", "优惠", "设备"], &rows);
            });
        }
        PartnerCommand::Show { id } => {
            let detail = federation.partner(id).await?;
            out.result(&detail, |out| {
                out.line(format!("{}  {}", detail.partner.id, summary(&detail.partner)));
                if let Some(kind) = &detail.partner.kind {
                    out.line(format!("  类别：{kind}"));
                }
                if let Some(contact) = &detail.contact {
                    out.line(format!("  联系人：{contact}"));
                }
                if let Some(reason) = &detail.partner.end_reason {
                    out.line(format!("  终止原因：{reason}"));
                }
                offer_rows(out, &detail.offer_list);
                device_rows(out, &detail.device_list);
            });
        }
        PartnerCommand::Renew { id, agreement, to } => {
            let partner = federation.renew_partner(id, &agreement, to).await?;
            out.result(&partner, |out| out.line(format!("已续签：{}。", summary(&partner))));
        }
        PartnerCommand::End { id, on, reason } => {
            let partner = federation.end_partner(id, on, &reason).await?;
            out.result(&partner, |out| {
                let from = partner.ended_from.map_or_else(String::new, |day| day.to_string());
                out.line(format!("“{}”的协议自 {from} 零时（北京时间）起终止。", partner.name));
                out.line("它的优惠项目随下一个数据包失效；已经送出的使用记录仍会接收。");
            });
        }
        PartnerCommand::Enrol(args) => {
            let link = federation
                .enrolment_link(args.id, args.device.as_ref(), args.server_url.as_deref(), args.valid_days)
                .await?;
            if let Some(path) = &args.png {
                let picture = qr::png(&link.link, MODULE).map_err(|e| AppError::Usage(e.to_string()))?;
                std::fs::write(path, picture)
                    .map_err(|source| AppError::Io { path: path.display().to_string(), source })?;
            }
            say_link(&link, args.png.as_deref(), out)?;
        }
        PartnerCommand::Devices { id } => {
            let devices = federation.devices(id).await?;
            out.result(&devices, |out| device_rows(out, &devices));
        }
        PartnerCommand::RevokeDevice { device } => {
            let device = federation.revoke_device(device).await?;
            out.result(&device, |out| {
                out.line(format!("设备 {}“{}”已停用，它的令牌不再有效。", device.id, device.name));
            });
        }
        PartnerCommand::Usage { id, from, to } => {
            let usage = federation.partner_usage(id, from, to).await?;
            out.result(&usage, |out| say_usage(out, &usage));
        }
    }
    Ok(())
}

fn say_link(link: &EnrolmentLink, png: Option<&std::path::Path>, out: Out) -> Result<(), AppError> {
    let code = qr::terminal(&link.link).map_err(|e| AppError::Usage(e.to_string()))?;
    out.result(link, |out| {
        out.line(format!("{} 的登记链接，只能用一次，有效至 {}：", link.partner_name, link.expires_at));
        out.line("");
        out.line(&link.link);
        out.line("");
        // Drawn with a terminal's colours: in a file it would be noise.
        if std::io::stdout().is_terminal() {
            out.line(code.trim_end_matches('\n'));
            out.line("");
        }
        out.line("在要登记的手机或电脑上打开链接或扫码。设备上显示的根公钥须与下面逐组相同：");
        out.line(format!("  {}", link.root_fingerprint));
        if let Some(png) = png {
            out.line(format!("二维码图片：{}", png.display()));
        }
    });
    Ok(())
}

fn say_usage(out: &Out, usage: &Usage) {
    let day = |day: Option<Date>, none: &str| day.map_or_else(|| none.to_owned(), |day| day.to_string());
    out.line(format!("{} 的使用情况（{} 至 {}）：", usage.name, day(usage.from, "开始"), day(usage.to, "现在")));
    if usage.offers.is_empty() {
        out.line("  没有使用记录。");
    } else {
        let mut rows: Vec<_> = usage
            .offers
            .iter()
            .map(|line| {
                let title = line.title.clone().unwrap_or_else(|| "（不是该单位的优惠项目）".into());
                usage_row(line.offer.clone(), title, &line.counts)
            })
            .collect();
        rows.push(usage_row(String::new(), "合计".into(), &usage.total));
        out.table(
            &["编号", "优惠项目", "次数", "有效", "已注销", "已暂停", "已换发", "已过期", "查无此证", "超限", "已撤销"],
            &rows,
        );
    }
    if usage.unmatched_reversals > 0 {
        out.line(format!("  另有 {} 条撤销记录还没有等到对应的使用记录。", usage.unmatched_reversals));
    }
}

fn usage_row(offer: String, title: String, counts: &UsageCounts) -> Vec<String> {
    let UsageCounts { uses, valid, revoked, suspended, superseded, expired, unknown, over_limit, reversed } = *counts;
    let numbers = [uses, valid, revoked, suspended, superseded, expired, unknown, over_limit, reversed];
    [offer, title].into_iter().chain(numbers.iter().map(u64::to_string)).collect()
}

fn device_rows(out: &Out, devices: &[DeviceLine]) {
    if devices.is_empty() {
        out.line("没有设备。登记：zyz partner enrol 合作单位编号");
        return;
    }
    let rows: Vec<_> = devices
        .iter()
        .map(|device| {
            vec![
                device.id.to_string(),
                device.name.clone(),
                device.enrolled_at.clone(),
                device.last_seen_at.clone().unwrap_or_else(|| "从未".into()),
                device.revoked_at.as_ref().map_or_else(|| "在用".to_owned(), |at| format!("已停用 {at}")),
            ]
        })
        .collect();
    out.table(&["设备", "名称", "登记时间", "最近联网", "状态"], &rows);
}

fn summary(line: &PartnerLine) -> String {
    format!(
        "{}，协议 {}，{} 至 {}，{}",
        line.name,
        line.agreement_number,
        line.agreement_from,
        last_day(line),
        line.state_label
    )
}

/// The last day on which the agreement holds.
fn last_day(line: &PartnerLine) -> Date {
    let before = line.ended_from.and_then(|day| day.yesterday().ok());
    before.map_or(line.agreement_to, |day| day.min(line.agreement_to))
}
