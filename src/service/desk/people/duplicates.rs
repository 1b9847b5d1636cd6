//! Possible duplicates, and making one registration of two.

use serde_json::json;
use zyz_credential::CertificateNumber;

use super::correct::keep;
use super::find::row;
use super::{Desk, DeskError, FieldError, PersonRow, grouped, hours, reason};
use crate::clock::beijing_date;
use crate::domain::certificate::{CertificateState, Reason, VolunteerState};
use crate::domain::correction::Fact;
use crate::domain::person::bare;
use crate::domain::staff::Permission;
use crate::roster::export::{self, Cell};
use crate::service::ServiceError;
use crate::store::{NameCursor, Reader, Volunteer};

/// Groups of a page.
const GROUPS: u32 = 20;
/// Volunteers looked at for a page.
const SCANNED: u32 = 10_000;
/// Groups in a workbook.
const EXPORTED: usize = 20_000;

/// In what possible duplicates are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alike {
    /// Name and birth date.
    NameAndBirth,
    /// Telephone number; families share one.
    Phone,
}

/// A page of possible duplicates.
#[derive(Debug, Clone)]
pub struct AlikePage {
    /// The groups.
    pub groups: Vec<AlikeGroup>,
    /// Certificate number of somebody of the last group looked at; none when everybody was looked at.
    pub next: Option<String>,
    /// How many volunteers were looked at, at most.
    pub scanned: u32,
}

/// Volunteers who may be one person.
#[derive(Debug, Clone)]
pub struct AlikeGroup {
    /// Who.
    pub people: Vec<PersonRow>,
}

/// What a merge would do.
#[derive(Debug, Clone)]
pub struct MergePlan {
    /// The registration that stays.
    pub stays: MergeSide,
    /// The one that ends.
    pub ends: MergeSide,
    /// What will happen, in words.
    pub effects: Vec<String>,
    /// What speaks against it, in words: other names, other birth dates; empty for nothing.
    pub doubt: String,
}

/// One of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeSide {
    /// Certificate number.
    pub number: String,
    /// The same in groups.
    pub grouped: String,
    /// Name.
    pub name: String,
    /// What each fact is called, and what it is.
    pub facts: Vec<(&'static str, String)>,
    /// Revision that the page shows.
    pub revision: i64,
}

/// What the form of a merge sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeInput {
    /// The registration that stays.
    pub stays: CertificateNumber,
    /// The one that ends.
    pub ends: CertificateNumber,
    /// Revisions that the page showed: of the one that stays, of the one that ends.
    pub revisions: (i64, i64),
    /// Number of the one that ends, as typed.
    pub confirm: String,
    /// Why.
    pub reason: String,
}

impl Alike {
    /// Reads [`Self::as_str`]; what is neither is the name.
    pub fn parse(text: &str) -> Self {
        if text == "phone" { Self::Phone } else { Self::NameAndBirth }
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::NameAndBirth => "姓名和出生日期相同",
            Self::Phone => "电话相同",
        }
    }

    /// The word in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NameAndBirth => "name",
            Self::Phone => "phone",
        }
    }
}

impl Desk {
    /// Volunteers who may be registered twice, from the one with the number `after` on.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`].
    pub async fn duplicates(&self, alike: Alike, after: Option<&str>) -> Result<AlikePage, DeskError> {
        self.need(Permission::MergePeople)?;
        let now = self.office().now();
        let mut reader = self.office().store.read().await?;
        let (groups, next) = match alike {
            Alike::Phone => reader.same_phone(after, SCANNED, GROUPS).await?,
            Alike::NameAndBirth => {
                let after = match after {
                    None => None,
                    Some(number) => reader.volunteer(number).await?.map(|person| NameCursor {
                        name: person.name,
                        birth_date: person.birth_date,
                        number: String::new(),
                    }),
                };
                let (groups, next) = reader.same_name_and_birth(after.as_ref(), SCANNED, GROUPS).await?;
                let next = match next {
                    None => None,
                    // Somebody of that name and date: addresses carry no names.
                    Some(place) => first_of(&mut reader, &place).await?,
                };
                (groups, next)
            }
        };
        let groups = groups
            .into_iter()
            .map(|group| AlikeGroup { people: group.people.into_iter().map(|line| row(line, now)).collect() })
            .collect();
        Ok(AlikePage { groups, next, scanned: SCANNED })
    }

    /// Everybody who may be registered twice, as a workbook; it ends after 20,000 groups.
    ///
    /// # Errors
    /// As [`Self::duplicates`].
    pub async fn duplicates_workbook(&self, alike: Alike) -> Result<Vec<u8>, DeskError> {
        let mut groups: Vec<AlikeGroup> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.duplicates(alike, after.as_deref()).await?;
            groups.extend(page.groups);
            after = page.next;
            if after.is_none() || groups.len() >= EXPORTED {
                break;
            }
        }
        let mut tx = self.office().begin().await?;
        let people: usize = groups.iter().map(|group| group.people.len()).sum();
        tx.audit("people.export", "people", json!({"people": people, "duplicates": alike.label()}));
        tx.commit().await?;
        let headers = ["组", "证书编号", "姓名", "性别", "出生日期", "单位", "县（区）", "星级", "状态", "志愿服务证"];
        let rows = (1_u64..).zip(groups).flat_map(|(group, alike)| {
            alike.people.into_iter().map(move |person| {
                vec![
                    Cell::from(group),
                    person.number.into(),
                    person.name.into(),
                    person.sex.into(),
                    person.birth_date.into(),
                    person.unit_name.into(),
                    person.county.into(),
                    u32::from(person.star).into(),
                    person.state.into(),
                    person.card.into(),
                ]
            })
        });
        let made = beijing_date(self.office().now());
        Ok(export::table("可能重复的登记", &headers, rows, made).map_err(ServiceError::from)?)
    }

    /// What merging two registrations would do.
    ///
    /// # Errors
    /// [`DeskError::Forbidden`], [`DeskError::NotFound`]; [`DeskError::Refused`] for one and the same, or one that was merged
    /// before, or when the one that stays has left and the other has not.
    pub async fn merge_plan(&self, stays: CertificateNumber, ends: CertificateNumber) -> Result<MergePlan, DeskError> {
        self.need(Permission::MergePeople)?;
        let mut reader = self.office().store.read().await?;
        self.plan(&mut reader, stays, ends).await
    }

    /// Merges two registrations; it cannot be undone.
    ///
    /// # Errors
    /// As [`Self::merge_plan`]; [`DeskError::Invalid`] unless the number that ends was typed, with a reason;
    /// [`DeskError::Conflict`] if either was changed since the page was shown.
    pub async fn merge(&self, input: &MergeInput) -> Result<String, DeskError> {
        self.need(Permission::MergePeople)?;
        let mut tx = self.office().begin().await?;
        let plan = self.plan(&mut tx, input.stays, input.ends).await?;
        let mut wrong = Vec::new();
        let why = keep(&mut wrong, reason(&input.reason));
        if bare(&input.confirm) != input.ends.as_str() {
            let message = format!("请照原样输入将要停用的编号 {}", input.ends.grouped());
            wrong.push(FieldError { field: "confirm", message });
        }
        if !wrong.is_empty() {
            return Err(DeskError::Invalid(wrong));
        }
        if (plan.stays.revision, plan.ends.revision) != input.revisions {
            let changed = if plan.stays.revision == input.revisions.0 { input.ends } else { input.stays };
            let person = self.within_reach(&mut tx, changed).await?;
            let (who, when) = super::history::last_change(&mut tx, &person).await?;
            return Err(DeskError::Conflict { who, when });
        }
        let (stays, ends) =
            (self.within_reach(&mut tx, input.stays).await?, self.within_reach(&mut tx, input.ends).await?);
        if let Some(card) = tx.certificate(input.ends.as_str()).await?
            && card.state.is_live()
        {
            tx.change_certificate(card.id, card.state, CertificateState::Superseded, Reason::Reissue).await?;
        }
        let merged = tx.merge_volunteers(stays.id, ends.id, &why).await?;
        let live = tx.certificate(input.stays.as_str()).await?.filter(|card| card.state.is_live());
        tx.commit().await?;
        let card = match live {
            None => "保留的登记没有可用的证，请在“制证”中签发。",
            Some(card) if card.issued.star != stays.star.max(ends.star) => "星级有变化，请在“制证”中换发新证。",
            Some(_) => "",
        };
        Ok(format!(
            "已合并：{} 并入 {}，服务记录转入 {} 条。{card}",
            input.ends.grouped(),
            input.stays.grouped(),
            merged.records
        ))
    }

    async fn plan(
        &self,
        reader: &mut Reader,
        stays: CertificateNumber,
        ends: CertificateNumber,
    ) -> Result<MergePlan, DeskError> {
        let refused = |text: &str| Err(DeskError::Refused(text.to_owned()));
        if stays == ends {
            return refused("两个编号相同，请填写另一条登记的编号");
        }
        let (keeps, other) = (self.within_reach(reader, stays).await?, self.within_reach(reader, ends).await?);
        if keeps.merged_into.is_some() || other.merged_into.is_some() {
            return refused("其中一条登记此前已并入别的登记，请查看后重新选择");
        }
        if keeps.state == VolunteerState::Exited && other.state == VolunteerState::Active {
            return refused("保留的那条已退出、停用的那条在册：请交换两条，或先为已退出的办理重新加入");
        }
        let moved = reader.merge_preview(keeps.id, other.id).await?;
        let live = reader.certificate(ends.as_str()).await?.is_some_and(|card| card.state.is_live());
        let mut effects = vec![
            format!("{} 的编号 {} 保留，今后只用这个编号。", keeps.name, stays.grouped()),
            format!("编号 {} 停用，不再发给任何人；用它查询会指向保留的登记。", ends.grouped()),
            match moved.same_records {
                0 => format!("{} 条服务记录转入保留的登记。", moved.records),
                same => format!("{} 条服务记录转入保留的登记；另有 {same} 条两边相同，只算一次。", moved.records),
            },
            format!("{} 个年度的星级转入；同一年度两边都有时，取较高的一个。", moved.awards),
            "保留的登记没有的电话、邮箱、地址由停用的补上，其余的联系方式删除。".to_owned(),
            "停用的登记的身份证号码仍加密保留，用它再次报名时会认出是同一人。若那个号码才是对的，合并后请用“更正身份证号码”。"
                .to_owned(),
        ];
        if moved.forms > 0 {
            effects.push(format!("{} 份注册登记表转入保留的登记。", moved.forms));
        }
        effects.push(match moved.photo {
            true => "停用的登记的照片转入保留的登记。".to_owned(),
            false => "停用的登记如有照片，予以删除；保留的登记的照片不变。".to_owned(),
        });
        effects.push("已作废的记录、已开具的记录证明一并转入；正在公示的星级批次中此人只留一行。".to_owned());
        if live {
            effects.push(format!(
                "编号 {} 的志愿服务证立即作废。{}",
                ends.grouped(),
                self.partners_will(CertificateState::Superseded)
            ));
        }
        let differing: Vec<&str> = [
            (Fact::Name, keeps.name == other.name),
            (Fact::BirthDate, keeps.birth_date == other.birth_date),
            (Fact::Sex, keeps.sex == other.sex),
        ]
        .into_iter()
        .filter(|(_, same)| !same)
        .map(|(fact, _)| fact.label())
        .collect();
        let doubt = match differing.is_empty() {
            true => String::new(),
            false => format!("两条登记的{}不同，请确认是同一人。", differing.join("、")),
        };
        Ok(MergePlan { stays: self.side(reader, keeps).await?, ends: self.side(reader, other).await?, effects, doubt })
    }

    async fn side(&self, reader: &mut Reader, person: Volunteer) -> Result<MergeSide, DeskError> {
        let today = beijing_date(self.office().now());
        let private = reader.personal_data(person.id).await?.ok_or(DeskError::NotFound)?;
        let (_, lifetime) = reader.service_minutes(person.id, jiff::civil::Date::MIN, today).await?;
        let card = reader.certificate(&person.number).await?;
        let masked =
            |fact, text: Option<&str>| text.map_or("未登记".into(), |text| super::person::masked(fact, text));
        let facts = vec![
            (Fact::BirthDate.label(), person.birth_date.to_string()),
            (Fact::Identity.label(), masked(Fact::Identity, Some(&private.identity))),
            (Fact::Phone.label(), masked(Fact::Phone, private.phone.as_deref().map(String::as_str))),
            (Fact::Unit.label(), person.unit_name.clone()),
            ("状态", person.state.label().to_owned()),
            ("登记时间", beijing_date(person.registered_at).to_string()),
            ("服务时长", format!("{} 小时", hours(lifetime))),
            ("星级", person.star.to_string()),
            ("志愿服务证", card.map_or("没有", |card| card.state.label()).to_owned()),
        ];
        Ok(MergeSide {
            grouped: grouped(&person.number),
            revision: person.revision,
            number: person.number,
            name: person.name,
            facts,
        })
    }
}

async fn first_of(reader: &mut Reader, place: &NameCursor) -> Result<Option<String>, DeskError> {
    let people = reader.people_by_name(crate::store::Reach::Everything, &place.name, None, 1).await?;
    match people.first() {
        Some(line) if line.birth_date == place.birth_date => Ok(Some(line.number.clone())),
        _ => {
            let before = NameCursor { number: String::new(), ..place.clone() };
            let people = reader.people_by_name(crate::store::Reach::Everything, &place.name, Some(&before), 1).await?;
            Ok(people.first().map(|line| line.number.clone()))
        }
    }
}
