//! [`Item`]: what ISO/IEC 29184:2020 asks of a privacy notice, by its clauses.

use crate::Tongue;

/// A heading of the notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Who answers for it.
    Who,
    /// What data is used for.
    What,
    /// Where it goes.
    Where,
    /// How long it is kept.
    Until,
    /// What people can do.
    Rights,
    /// How people agree.
    Consent,
    /// What could go wrong.
    Risks,
    /// How people are told.
    Telling,
}

impl Section {
    /// Its heading.
    #[must_use]
    pub const fn heading(self, tongue: Tongue) -> &'static str {
        match self {
            Self::Who => tongue.pick("Who answers for your data", "谁对你的数据负责"),
            Self::What => tongue.pick("What is used, for what, and by what right", "使用哪些数据、为了什么、依据什么"),
            Self::Where => tongue.pick("Where it goes", "数据去往何处"),
            Self::Until => tongue.pick("How long it is kept", "保存多久"),
            Self::Rights => tongue.pick("What you can do", "你可以做什么"),
            Self::Consent => tongue.pick("Saying yes and no", "同意与拒绝"),
            Self::Risks => tongue.pick("What could go wrong", "可能的风险"),
            Self::Telling => tongue.pick("How you are told", "如何告知你"),
        }
    }
}

/// One thing that a notice must say or be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// 5.3.4 Who the controller is.
    Controller,
    /// 5.3.13 Where to ask and complain.
    Inquiry,
    /// 5.3.2, 5.3.3 What data is used for.
    Purposes,
    /// 5.3.5 What is collected.
    Collection,
    /// 5.3.6 How it is collected.
    CollectionMethod,
    /// 5.3.7 When and where it is collected.
    CollectionTime,
    /// 5.3.8 How it is used.
    Use,
    /// 5.3.15 By what right.
    Basis,
    /// 5.3.9 Where it is, and under which law.
    Place,
    /// 5.3.10 Who else gets it.
    Recipients,
    /// 5.3.11 How long it is kept.
    Retention,
    /// 5.3.12 What people can ask for.
    Participation,
    /// 5.3.14 How people see what they chose.
    Choices,
    /// 5.4.3 That agreeing is free, and what refusing costs.
    Freedom,
    /// 5.4.6 What is asked apart, and what is needed.
    Separate,
    /// 5.4.7, 5.4.8 How often and when people are asked.
    Frequency,
    /// 5.3.16 What could go wrong.
    Risks,
    /// 5.2.2, 5.2.5 That people are told before it begins.
    Timing,
    /// 5.2.3, 5.2.4 In which languages and words.
    Languages,
    /// 5.2.6, 5.2.7, 5.2.9 Where, in which form, and for whom it is made.
    Form,
    /// 5.2.8 Which version this is, and where it stays.
    Version,
    /// 5.5.2 When people are told anew.
    Renewal,
    /// 5.5.3 When people are asked anew.
    RenewedConsent,
}

impl Item {
    /// All of them, in the order of the notice.
    pub const ALL: [Self; 23] = [
        Self::Controller,
        Self::Inquiry,
        Self::Purposes,
        Self::Basis,
        Self::Collection,
        Self::CollectionMethod,
        Self::CollectionTime,
        Self::Use,
        Self::Place,
        Self::Recipients,
        Self::Retention,
        Self::Participation,
        Self::Choices,
        Self::Freedom,
        Self::Separate,
        Self::Frequency,
        Self::Risks,
        Self::Timing,
        Self::Languages,
        Self::Form,
        Self::Version,
        Self::Renewal,
        Self::RenewedConsent,
    ];

    /// The clauses of ISO/IEC 29184:2020 that ask for it.
    #[must_use]
    pub const fn clauses(self) -> &'static [&'static str] {
        match self {
            Self::Controller => &["5.3.4"],
            Self::Inquiry => &["5.3.13"],
            Self::Purposes => &["5.3.2", "5.3.3"],
            Self::Collection => &["5.3.5"],
            Self::CollectionMethod => &["5.3.6"],
            Self::CollectionTime => &["5.3.7"],
            Self::Use => &["5.3.8"],
            Self::Basis => &["5.3.15"],
            Self::Place => &["5.3.9"],
            Self::Recipients => &["5.3.10"],
            Self::Retention => &["5.3.11"],
            Self::Participation => &["5.3.12"],
            Self::Choices => &["5.3.14"],
            Self::Freedom => &["5.4.3"],
            Self::Separate => &["5.4.6"],
            Self::Frequency => &["5.4.7", "5.4.8"],
            Self::Risks => &["5.3.16"],
            Self::Timing => &["5.2.2", "5.2.5"],
            Self::Languages => &["5.2.3", "5.2.4"],
            Self::Form => &["5.2.6", "5.2.7", "5.2.9"],
            Self::Version => &["5.2.8"],
            Self::Renewal => &["5.5.2"],
            Self::RenewedConsent => &["5.5.3"],
        }
    }

    /// Under which heading it stands.
    #[must_use]
    pub const fn section(self) -> Section {
        match self {
            Self::Controller | Self::Inquiry => Section::Who,
            Self::Purposes
            | Self::Basis
            | Self::Collection
            | Self::CollectionMethod
            | Self::CollectionTime
            | Self::Use => Section::What,
            Self::Place | Self::Recipients => Section::Where,
            Self::Retention => Section::Until,
            Self::Participation | Self::Choices => Section::Rights,
            Self::Freedom | Self::Separate | Self::Frequency => Section::Consent,
            Self::Risks => Section::Risks,
            Self::Timing | Self::Languages | Self::Form | Self::Version | Self::Renewal | Self::RenewedConsent => {
                Section::Telling
            }
        }
    }
}
