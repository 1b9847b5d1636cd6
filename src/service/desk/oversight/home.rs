//! The first page: what waits for whoever signed in. A function a tile; each is cheap (an index, or what was counted).

use crate::clock::{beijing, beijing_date};
use crate::domain::application::ApplicationState;
use crate::domain::job::JobState;
use crate::domain::partner::PartnerId;
use crate::domain::staff::{Permission, Role, Scope};
use crate::service::desk::forms::Queue;
use crate::service::desk::{Desk, DeskError};
use crate::store::{Census, DraftFilter, Level, Reader, RosterState};

/// Counts stop here and are shown as “10000+”.
const MANY: u64 = 10_000;
/// Rosters under way are counted up to here.
const DRAFTS: u32 = 100;

/// How urgent a tile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// For information.
    Quiet,
    /// In order.
    Good,
    /// Something waits.
    Warn,
    /// Something is wrong.
    Bad,
}

/// One thing that the first page says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// What it is about.
    pub title: &'static str,
    /// A figure or a short word.
    pub figure: String,
    /// What is so, and what to do.
    pub note: String,
    /// Where it is done, below the console's address; empty for nowhere.
    pub href: String,
    /// How urgent it is.
    pub tone: Tone,
}

/// Tiles under a heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileGroup {
    /// The heading.
    pub title: &'static str,
    /// The tiles.
    pub tiles: Vec<Tile>,
}

impl Tone {
    /// The class of the tile's mark.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    /// The word beside the mark.
    pub fn label(self) -> &'static str {
        match self {
            Self::Quiet => "",
            Self::Good => "正常",
            Self::Warn => "待处理",
            Self::Bad => "需要处理",
        }
    }
}

impl Desk {
    /// What waits for this person, and how things stand within their reach.
    ///
    /// # Errors
    /// The database fails.
    pub async fn home(&self) -> Result<Vec<TileGroup>, DeskError> {
        self.need(Permission::Home)?;
        let mut reader = self.office.store.read().await?;
        let mut groups = vec![TileGroup { title: "待办", tiles: self.waiting(&mut reader).await? }];
        let cards = self.card_tiles(&mut reader).await?;
        groups.push(TileGroup { title: "志愿者与证件", tiles: cards });
        groups.push(TileGroup { title: "合作单位", tiles: self.partner_tiles(&mut reader).await? });
        drop(reader);
        groups.push(TileGroup { title: "系统", tiles: self.system_tiles().await? });
        groups.retain(|group| !group.tiles.is_empty());
        Ok(groups)
    }

    /// What somebody has to do, in the order in which it is usually done.
    async fn waiting(&self, reader: &mut Reader) -> Result<Vec<Tile>, DeskError> {
        let tiles = [
            self.decide_tile().await?,
            self.returned_tile().await?,
            self.hours_tile().await?,
            self.disputes_tile().await?,
            self.stars_tile().await?,
            self.drafts_tile(reader).await?,
            self.window_tile(reader).await?,
            self.heads_tile(reader).await?,
            self.reviews_tile().await?,
            self.jobs_tile().await?,
        ];
        Ok(tiles.into_iter().flatten().collect())
    }

    /// Forms that wait for this person's decision.
    async fn decide_tile(&self) -> Result<Option<Tile>, DeskError> {
        if !self.may(Permission::ApproveForms) {
            return Ok(None);
        }
        let count = self.forms_in(Queue::Mine).await?;
        let note = "单位提交的注册登记表（附件1），等待审批";
        Ok((count > 0).then(|| waiting("待审批登记表", count, note, "/forms?queue=mine")))
    }

    /// Forms that came back to their unit.
    async fn returned_tile(&self) -> Result<Option<Tile>, DeskError> {
        if !self.may(Permission::WriteForms) {
            return Ok(None);
        }
        let count = self.forms_in(Queue::State(ApplicationState::Returned)).await?;
        let note = "被退回的登记表，更正后重新提交";
        Ok((count > 0).then(|| waiting("退回的登记表", count, note, "/forms?queue=returned")))
    }

    async fn forms_in(&self, queue: Queue) -> Result<u64, DeskError> {
        let queues = self.form_queues().await?;
        Ok(queues.into_iter().find(|(known, _)| *known == queue).map_or(0, |(_, count)| count))
    }

    /// Activities whose hours are not entered yet (ten working days).
    async fn hours_tile(&self) -> Result<Option<Tile>, DeskError> {
        if !self.may(Permission::ViewPeople) {
            return Ok(None);
        }
        let late = self.late_hours_summary().await?;
        if late.overdue + late.due_soon == 0 {
            return Ok(None);
        }
        let note = format!("{} 项已超过 10 个工作日，{} 项即将到期", late.overdue, late.due_soon);
        let tone = if late.overdue > 0 { Tone::Bad } else { Tone::Warn };
        Ok(Some(Tile { tone, ..waiting("待录入服务时长", late.overdue + late.due_soon, &note, "/hours") }))
    }

    /// Objections to service records.
    async fn disputes_tile(&self) -> Result<Option<Tile>, DeskError> {
        if !self.may(Permission::ResolveDisputes) {
            return Ok(None);
        }
        let count = self.late_hours_summary().await?.open_disputes;
        Ok((count > 0).then(|| waiting("服务记录异议", count, "志愿者对记录有异议，等待处理", "/hours")))
    }

    /// A star batch that is announced and waits to be confirmed, for who confirms; one under way, for who drafts.
    async fn stars_tile(&self) -> Result<Option<Tile>, DeskError> {
        let confirms = self.may(Permission::StarConfirm);
        if !confirms && !self.may(Permission::StarDraft) {
            return Ok(None);
        }
        let batches = self.star_batches().await?;
        let Some(batch) = batches.into_iter().find(|batch| batch.decided_by.is_empty()) else { return Ok(None) };
        let note = if confirms { "等待市文明办确认" } else { "正在办理的星级批次" };
        let href = format!("/stars/{}", batch.id);
        let note = format!("{} 年度，{} 人，{note}", batch.year, batch.people);
        Ok(Some(Tile { title: "星级认定", figure: batch.state.into(), note, href, tone: Tone::Warn }))
    }

    /// Work in the background that goes on or failed.
    async fn jobs_tile(&self) -> Result<Option<Tile>, DeskError> {
        if !self.may(Permission::PrintCards) {
            return Ok(None);
        }
        let jobs = self.jobs("", None, 20).await?;
        let (running, failed) = jobs.iter().fold((0, 0), |(running, failed), job| match job.state {
            JobState::Waiting | JobState::Running => (running + 1, failed),
            JobState::Failed => (running, failed + 1),
            _ => (running, failed),
        });
        if running + failed == 0 {
            return Ok(None);
        }
        let tone = if failed > 0 { Tone::Bad } else { Tone::Quiet };
        let note = format!("正在办理 {running} 个，失败 {failed} 个");
        Ok(Some(Tile { tone, ..waiting("后台任务", running + failed, &note, "/cards/jobs") }))
    }

    /// Rosters that were uploaded and not confirmed.
    async fn drafts_tile(&self, reader: &mut Reader) -> Result<Option<Tile>, DeskError> {
        if !self.may(Permission::ImportRoster) {
            return Ok(None);
        }
        let open = DraftFilter { state: Some(RosterState::Open), ..DraftFilter::default() };
        let open = reader.roster_drafts(self.reach()?, &open, None, DRAFTS + 1).await?;
        let count = open.len() as u64;
        let note = "上传后还没有确认的名册";
        let tile = waiting("名册草稿", count, note, "/rosters");
        let figure = if count > u64::from(DRAFTS) { format!("{DRAFTS}+") } else { tile.figure.clone() };
        Ok((count > 0).then_some(Tile { figure, ..tile }))
    }

    /// The archive window of 1 to 30 September, and who is late.
    async fn window_tile(&self, reader: &mut Reader) -> Result<Option<Tile>, DeskError> {
        if !self.may(Permission::ImportRoster) && self.staff.role != Role::Oversight {
            return Ok(None);
        }
        let today = beijing_date(self.office.now());
        let year = today.year();
        let counties = reader.window_by_county(self.reach()?, year).await?;
        let (units, delivered) = counties.iter().fold((0, 0), |(units, delivered), county| {
            (units + county.units, delivered + county.inside + county.outside)
        });
        if units == 0 {
            return Ok(None);
        }
        let missing = units.saturating_sub(delivered);
        let own = self.staff.role == Role::Unit;
        let href = if own { "/rosters".into() } else { format!("/rosters/window?year={year}") };
        let (figure, note, tone) = match today.month() {
            ..9 => ("未到".to_owned(), format!("附件2 于 {year} 年 9 月 1 日至 30 日报送存档"), Tone::Quiet),
            9 => {
                let left = 30 - i32::from(today.day());
                let note = format!("存档期到 9 月 30 日，还有 {left} 天；{missing} 个单位还没有报送");
                let note = if own && missing == 0 { "本单位已报送".into() } else { note };
                (format!("{delivered}/{units}"), note, if missing == 0 { Tone::Good } else { Tone::Warn })
            }
            _ => {
                let note = match (own, missing) {
                    (true, 0) => format!("{year} 年本单位已报送"),
                    (true, _) => format!("{year} 年 9 月的存档期已过，本单位还没有报送附件2"),
                    (false, 0) => format!("{year} 年全部单位已报送"),
                    (false, _) => format!("{year} 年存档期已过，{missing} 个单位逾期未报送"),
                };
                (format!("{delivered}/{units}"), note, if missing == 0 { Tone::Good } else { Tone::Warn })
            }
        };
        Ok(Some(Tile { title: "名册存档（附件2）", figure, note, href, tone }))
    }

    /// Units whose head count is missing: without it nobody knows how many are registered of how many.
    async fn heads_tile(&self, reader: &mut Reader) -> Result<Option<Tile>, DeskError> {
        if !self.may(Permission::EditUnitContacts) {
            return Ok(None);
        }
        let Some(standing) = self.own_standing(reader).await? else { return Ok(None) };
        let missing = standing.units_due.saturating_sub(standing.units_counted);
        let note = "没有填写在职人数，算不出注册率";
        Ok((missing > 0).then(|| waiting("单位人数待填", missing, note, "/units")))
    }

    /// Steps that wait for a second person.
    async fn reviews_tile(&self) -> Result<Option<Tile>, DeskError> {
        if !self.may(Permission::Review) {
            return Ok(None);
        }
        let count = self.reviews_waiting().await?;
        Ok((count > 0).then(|| waiting("复核", count, "等待第二人复核的事项", "/reviews")))
    }

    /// Volunteers and cards within reach, as they were last counted.
    async fn card_tiles(&self, reader: &mut Reader) -> Result<Vec<Tile>, DeskError> {
        if !self.may(Permission::ViewPeople) {
            return Ok(Vec::new());
        }
        let Some(standing) = self.own_standing(reader).await? else { return Ok(Vec::new()) };
        let people = "/people";
        let mut tiles = vec![Tile {
            title: "在册志愿者",
            figure: standing.people.to_string(),
            note: match standing.rate() {
                Some(rate) => format!("注册率 {}.{}%（已填人数的单位）", rate / 10, rate % 10),
                None => "还没有单位填写在职人数".into(),
            },
            href: people.into(),
            tone: Tone::Quiet,
        }];
        if standing.without_card > 0 {
            tiles.push(waiting("尚未制证", standing.without_card, "在册而没有有效志愿服务证", "/cards"));
        }
        if standing.unprinted > 0 {
            tiles.push(waiting("待打印", standing.unprinted, "已签发、从未打印的志愿服务证", "/cards"));
        }
        if standing.expiring > 0 {
            tiles.push(waiting("即将到期", standing.expiring, "60 天内到期，需要换发", "/cards"));
        }
        if standing.cards_suspended > 0 {
            let note = "暂停中，弄清情况后恢复或注销";
            tiles.push(Tile { tone: Tone::Quiet, ..waiting("已暂停", standing.cards_suspended, note, "/people") });
        }
        Ok(tiles)
    }

    /// The city, the county or the unit of this person.
    async fn own_standing(&self, reader: &mut Reader) -> Result<Option<Census>, DeskError> {
        let (level, key) = match self.staff.scope {
            Scope::All => (Level::City, 0),
            Scope::County(county) => (Level::County, county.into()),
            Scope::Unit { unit, .. } => (Level::Unit, unit),
            Scope::Partner(_) => return Ok(None),
        };
        Ok(reader.standing(level, key).await?)
    }

    /// Agreements that end, devices that are silent, unusual use; a partner's own agreement and use.
    async fn partner_tiles(&self, reader: &mut Reader) -> Result<Vec<Tile>, DeskError> {
        if let Scope::Partner(id) = self.staff.scope {
            return self.own_partner_tiles(reader, id).await;
        }
        if !self.may(Permission::ViewPartners) {
            return Ok(Vec::new());
        }
        let now = self.office.now();
        let mut tiles = Vec::new();
        let ending = super::partners::PartnerState::EndingSoon;
        let soon = self.all_partners(ending, "").await?.len() as u64;
        if soon > 0 {
            tiles.push(waiting("协议即将到期", soon, "30 天内到期，请联系续签", "/partners?state=soon"));
        }
        let days = i64::from(self.office.config().trust.bundle_days);
        let devices = reader.devices(None).await?;
        let silent = devices.iter().filter(|device| {
            let heard = device.last_seen_at.unwrap_or(device.enrolled_at);
            device.revoked_at.is_none() && (now.as_second() - heard.as_second()) / 86_400 >= days
        });
        let silent = silent.count() as u64;
        if silent > 0 {
            let note = format!("已 {days} 天以上没有联网，数据已过期");
            tiles.push(waiting("设备失联", silent, &note, "/partners"));
        }
        let findings = reader.finding_count().await?;
        if findings > 0 {
            tiles.push(waiting("异常使用", findings, "近 90 天值得核对的使用情况", "/partners/unusual"));
        }
        Ok(tiles)
    }

    async fn own_partner_tiles(&self, reader: &mut Reader, id: i64) -> Result<Vec<Tile>, DeskError> {
        let partner = reader.partner(PartnerId(id)).await?.ok_or(DeskError::NotFound)?;
        let state = partner.agreement.state(self.office.now());
        let last = beijing_date(partner.agreement.ends_at()).yesterday().unwrap_or(partner.agreement.to);
        let month = beijing_date(self.office.now()).strftime("%Y-%m").to_string();
        let uses: u64 = reader
            .offer_months(Some(partner.id), &month, &month)
            .await?
            .iter()
            .map(|row| row.uses.iter().sum::<u64>())
            .sum();
        let offers = reader.offers(Some(partner.id), false).await?.len();
        let quiet = |title, figure: String, note: String| Tile {
            title,
            figure,
            note,
            href: "/offers".into(),
            tone: Tone::Quiet,
        };
        Ok(vec![
            quiet("合作协议", state.label().into(), format!("协议编号 {}，到 {last} 为止", partner.agreement.number)),
            quiet("优惠项目", offers.to_string(), "正在提供的项目".into()),
            quiet("本月使用", uses.to_string(), "本月核销次数，不含已撤销的".into()),
        ])
    }

    /// Age of the published data and whether signing works: for those who can do something about it.
    async fn system_tiles(&self) -> Result<Vec<Tile>, DeskError> {
        if !matches!(self.staff.role, Role::FederationAdmin | Role::FederationClerk | Role::Oversight) {
            return Ok(Vec::new());
        }
        let mut reader = self.office.store.read().await?;
        let tiles = [
            Some(self.bundle_tile(&mut reader).await?),
            Some(self.trust_list_tile(&mut reader).await?),
            self.signing_tile().await,
            self.chain_tile(&mut reader).await?,
        ];
        Ok(tiles.into_iter().flatten().collect())
    }

    /// How old the published data is (数据时间).
    async fn bundle_tile(&self, reader: &mut Reader) -> Result<Tile, DeskError> {
        let now = self.office.now();
        let tile =
            |figure: String, note: String, tone| Tile {
                title: "数据时间", figure, note, href: String::new(), tone
            };
        let Some(bundle) = reader.latest_bundle_mark(None).await? else {
            return Ok(tile("没有".into(), "数据包还没有公布，合作单位无法验证".into(), Tone::Bad));
        };
        let minutes = (now.as_second() - bundle.issued_at.as_second()) / 60;
        let late = minutes > 2 * i64::from(self.office.config().trust.refresh_minutes).max(15);
        let figure = if minutes < 60 { format!("{minutes} 分钟前") } else { format!("{} 小时前", minutes / 60) };
        let at = beijing().to_datetime(bundle.issued_at).strftime("%Y-%m-%d %H:%M").to_string();
        let note = format!("数据包第 {} 版，签于 {at}", bundle.version);
        if late {
            return Ok(tile(figure, format!("{note}。没有按时更新，请系统管理员检查服务是否正常"), Tone::Bad));
        }
        Ok(tile(figure, note, Tone::Good))
    }

    /// How long the list of keys still holds.
    async fn trust_list_tile(&self, reader: &mut Reader) -> Result<Tile, DeskError> {
        let now = self.office.now();
        let list = reader.latest_trust_list().await?;
        let left = list.as_ref().map(|list| (list.expires_at.as_second() - now.as_second()) / 86_400);
        let (figure, note, tone) = match (list, left) {
            (Some(list), Some(left)) => {
                let tone = if left < 0 {
                    Tone::Bad
                } else if left < 60 {
                    Tone::Warn
                } else {
                    Tone::Good
                };
                let hint = if left < 60 { "，请管理员续签" } else { "" };
                (format!("{left} 天"), format!("信任列表第 {} 版的剩余有效期{hint}", list.version), tone)
            }
            _ => ("没有".into(), "还没有信任列表，请管理员续签".into(), Tone::Bad),
        };
        Ok(Tile { title: "信任列表", figure, note, href: String::new(), tone })
    }

    /// Whether the keys that sign cards' status and bundles are open.
    async fn signing_tile(&self) -> Option<Tile> {
        let tile = |figure: &str, note: String, tone| Tile {
            title: "签名",
            figure: figure.into(),
            note,
            href: String::new(),
            tone,
        };
        match self.office.unlock_signing().await {
            Ok(()) => Some(tile("正常", "签名密钥已打开".into(), Tone::Good)),
            Err(error) => {
                tracing::warn!(%error, "signing keys do not open");
                Some(tile("异常", "签名密钥打不开，请系统管理员运行 zyz doctor".into(), Tone::Bad))
            }
        }
    }

    /// The latest check of the audit chain, for those who may read the trail.
    async fn chain_tile(&self, reader: &mut Reader) -> Result<Option<Tile>, DeskError> {
        if !self.may(Permission::Audit) {
            return Ok(None);
        }
        let tile = |figure: &str, note: String, tone| Tile {
            title: "审计链",
            figure: figure.into(),
            note,
            href: "/audit".into(),
            tone,
        };
        Ok(Some(match reader.latest_chain_walk().await? {
            None => tile("未核对", "还没有在这里核对过".into(), Tone::Quiet),
            Some(walk) => match (walk.broken_at, walk.ended_at) {
                (Some(seq), _) => tile("有断点", format!("第 {seq} 条缺失或被改动过，请立即追查"), Tone::Bad),
                (None, Some(at)) => {
                    let on = beijing_date(at);
                    tile("完整", format!("{on} 核对到第 {} 条", walk.head_seq), Tone::Good)
                }
                (None, None) => tile("核对中", format!("已核对到第 {} 条", walk.checked), Tone::Quiet),
            },
        }))
    }
}

/// A tile of something that waits.
fn waiting(title: &'static str, count: u64, note: &str, href: &str) -> Tile {
    Tile { title, figure: capped(count), note: note.into(), href: href.into(), tone: Tone::Warn }
}

/// A count as it is shown: exact up to 10,000.
fn capped(count: u64) -> String {
    if count > MANY { format!("{MANY}+") } else { count.to_string() }
}
