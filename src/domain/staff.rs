//! Who works at the console: roles, what each may do, and how far each reaches.
//!
//! The roles follow the notice's 三、招募注册办法 (who approves, who aggregates, who keeps) and 附件4 四 (who certifies stars).
//! [`Role::may`] is the one table of permissions; [`Scope`] says about whom.

use core::fmt;

/// What somebody is at the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// 联合会管理员: everything, accounts and keys too.
    FederationAdmin,
    /// 联合会经办: the federation's daily work.
    FederationClerk,
    /// 县文明办: approves and aggregates for its county.
    County,
    /// 单位负责人: registers its people and their hours.
    Unit,
    /// 市文明办监督: reads everything, confirms star batches.
    Oversight,
    /// 合作单位: its own offers and their use.
    Partner,
}

/// What may be done. Which role may do which: [`Role::may`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// See the first page.
    Home,
    /// Change one's own password and second factor.
    OwnAccount,
    /// Read people, units, forms, records and cards within reach.
    ViewPeople,
    /// See an identity number or phone in the clear, with a reason; audited.
    RevealPersonal,
    /// Fill in registration forms (附件1).
    WriteForms,
    /// Approve, return or reject forms.
    ApproveForms,
    /// Hand in rosters (附件2).
    ImportRoster,
    /// Aggregate a county's rosters.
    AggregateRoster,
    /// Take rosters into the federation's archive.
    ArchiveRoster,
    /// Create units, set their group, name and head count.
    EditUnits,
    /// Fill in a unit's leaders and contacts (附件3) and its head count.
    EditUnitContacts,
    /// Correct a volunteer's data.
    EditPeople,
    /// Merge duplicates.
    MergePeople,
    /// Take somebody back who had left.
    Readmit,
    /// Enter and import service records.
    WriteHours,
    /// Decide disputed records.
    ResolveDisputes,
    /// Add a star policy.
    StarPolicy,
    /// Draft and announce a year's star batch.
    StarDraft,
    /// Confirm a star batch (市文明办).
    StarConfirm,
    /// Sign cards.
    IssueCards,
    /// Print cards.
    PrintCards,
    /// Record which cards were handed out.
    HandOut,
    /// Report a card lost.
    ReportLost,
    /// Suspend, resume, replace, or revoke for misuse.
    CardStatus,
    /// Let somebody leave (附件4: 有退出的自由).
    Exit,
    /// See partners, offers and their use.
    ViewPartners,
    /// Change agreements, offers, devices.
    Partners,
    /// A partner's own offers and use.
    PartnerOwn,
    /// Statistics and the inspection report.
    Statistics,
    /// The audit trail.
    Audit,
    /// Accounts of other people.
    StaffAdmin,
    /// Switches of the console.
    Settings,
    /// Rotate, retire, distrust keys.
    KeyChanges,
    /// Be the second person of a two-person step.
    Review,
}

/// About whom somebody may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The whole city.
    All,
    /// One county: last two digits of its GB/T 2260 code.
    County(u8),
    /// One unit.
    Unit {
        /// Key of the unit.
        unit: i64,
        /// Its county.
        county: u8,
    },
    /// One partner.
    Partner(i64),
}

/// A signed-in member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staff {
    /// Key of the account.
    pub id: i64,
    /// Login name: who stands in the audit trail; never given to somebody else.
    pub login: String,
    /// The person's name.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// About whom they may act.
    pub scope: Scope,
}

impl Role {
    /// Every role, the most powerful first.
    pub const ALL: [Self; 6] =
        [Self::FederationAdmin, Self::FederationClerk, Self::County, Self::Unit, Self::Oversight, Self::Partner];

    /// The word stored and used by commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FederationAdmin => "admin",
            Self::FederationClerk => "clerk",
            Self::County => "county",
            Self::Unit => "unit",
            Self::Oversight => "oversight",
            Self::Partner => "partner",
        }
    }

    /// Reads [`Self::as_str`].
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::FederationAdmin => "联合会管理员",
            Self::FederationClerk => "联合会经办",
            Self::County => "县文明办",
            Self::Unit => "单位负责人",
            Self::Oversight => "市文明办监督",
            Self::Partner => "合作单位",
        }
    }

    /// Whether a second factor is required: for those who sign, print or confirm.
    pub fn needs_second_factor(self) -> bool {
        matches!(self, Self::FederationAdmin | Self::FederationClerk | Self::Oversight)
    }

    /// The table of permissions.
    pub fn may(self, permission: Permission) -> bool {
        use Permission as P;
        use Role::{County, FederationAdmin, FederationClerk, Oversight, Partner, Unit};
        let roles: &[Self] = match permission {
            P::Home | P::OwnAccount => &Self::ALL,
            P::ViewPeople | P::Statistics => &[FederationAdmin, FederationClerk, County, Unit, Oversight],
            P::RevealPersonal
            | P::WriteForms
            | P::ImportRoster
            | P::WriteHours
            | P::EditPeople
            | P::EditUnitContacts
            | P::HandOut
            | P::ReportLost
            | P::Exit => &[FederationAdmin, FederationClerk, County, Unit],
            P::ApproveForms | P::AggregateRoster | P::EditUnits | P::ResolveDisputes => {
                &[FederationAdmin, FederationClerk, County]
            }
            P::ArchiveRoster
            | P::MergePeople
            | P::Readmit
            | P::StarDraft
            | P::IssueCards
            | P::PrintCards
            | P::CardStatus
            | P::Partners => &[FederationAdmin, FederationClerk],
            P::ViewPartners | P::Review => &[FederationAdmin, FederationClerk, Oversight],
            P::StarConfirm => &[Oversight],
            P::PartnerOwn => &[Partner],
            P::Audit => &[FederationAdmin, Oversight],
            P::StarPolicy | P::StaffAdmin | P::Settings | P::KeyChanges => &[FederationAdmin],
        };
        roles.contains(&self)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Who approves the forms of a county's units: the federation for the city's own units (00) and 思茅区 (02, with its three
/// towns), the county's 文明办 for all others (notice, 三、（一）).
pub fn federation_approves(county: u8) -> bool {
    matches!(county, 0 | 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("root"), None);
    }

    #[test]
    fn oversight_reads_and_confirms_but_changes_nothing_else() {
        for allowed in [Permission::ViewPeople, Permission::Audit, Permission::StarConfirm, Permission::Review] {
            assert!(Role::Oversight.may(allowed));
        }
        for refused in [Permission::WriteForms, Permission::StarDraft, Permission::RevealPersonal, Permission::Exit] {
            assert!(!Role::Oversight.may(refused));
        }
    }

    #[test]
    fn who_drafts_stars_does_not_confirm_them() {
        for role in Role::ALL {
            assert!(!(role.may(Permission::StarDraft) && role.may(Permission::StarConfirm)), "{role}");
        }
    }

    #[test]
    fn counties_of_the_federation() {
        assert!(federation_approves(0) && federation_approves(2));
        assert!(!federation_approves(21));
    }
}
