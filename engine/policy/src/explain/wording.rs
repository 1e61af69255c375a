//! Facts, answers and duties as sentences.

use sayso_types::WallTime;

use super::{Closing, Fact};
use crate::error::Nearest;
use crate::profile::{Date, Prohibition};
use crate::words::{InWords, spelled, words};
use crate::{BasisRef, Decision, Narrowed, Obligations, PartStatus, Reason, Tongue};

impl Fact {
    /// What was found, as a sentence without its full stop.
    #[must_use]
    pub fn says(&self, tongue: Tongue) -> String {
        match tongue {
            Tongue::English => self.english(),
            Tongue::Chinese => self.chinese(),
        }
    }

    fn english(&self) -> String {
        let not = |yes: bool| if yes { "" } else { " not" };
        match self {
            Self::PurposeDeclared { purpose, declared: true, .. } => {
                format!("purpose {purpose} is declared in the profile")
            }
            Self::PurposeDeclared { purpose, nearest, .. } => {
                format!("purpose {purpose} is not declared in the profile{nearest}")
            }
            Self::CategoryDeclared { category, declared: true, .. } => {
                format!("category {category} is declared in the profile")
            }
            Self::CategoryDeclared { category, nearest, .. } => {
                format!("category {category} is not declared in the profile{nearest}")
            }
            Self::NotProhibited => "no prohibition covers it".to_owned(),
            Self::Prohibited { rule } => {
                format!("a prohibition covers it, whatever anybody agreed to: {}", named(rule))
            }
            Self::UsedFor { category, purpose, used } => format!("{category} is{} used for {purpose}", not(*used)),
            Self::AboutNobody { category } => format!("{category} is about nobody"),
            Self::OldEnough { youngest, below } => {
                format!("the person is at least {youngest} years old; a guardian is needed below {below}")
            }
            Self::TakenForOldEnough { youngest, below } => format!(
                "the person's age is not known, and the profile takes them for at least {youngest} years old; a guardian is \
                 needed below {below}"
            ),
            Self::Guardian { youngest, below, verified } => format!(
                "the person may be {youngest} years old, a guardian is needed below {below}, and {} verified",
                if *verified { "one is" } else { "none is" }
            ),
            Self::Registered { processor, registered } => format!("{processor} is{} registered", not(*registered)),
            Self::State { processor, state } => format!("{processor} is {}", spelled(state)),
            Self::Closed { gate, category, why } => {
                format!("the gate {gate} is closed to {category}: {}", words(why, Tongue::English))
            }
            Self::CategoryOff { category } => format!("{category} is switched off for the time being"),
            Self::TenantOff { tenant } => format!("tenant {tenant} is switched off for the time being"),
            Self::Instructed { tenant, covered } => format!("tenant {tenant} has{} instructed it", not(*covered)),
            Self::Attested { tenant, attested } => format!(
                "{} has{} attested where such data comes from",
                tenant
                    .as_ref()
                    .map_or_else(|| "a tenant that is not named".to_owned(), |tenant| format!("tenant {tenant}")),
                not(*attested)
            ),
            Self::Narrowed { narrowed: None, processor } => format!("the registry takes nothing from {processor}"),
            Self::Narrowed { narrowed: Some(narrowed), processor } => {
                format!("by the registry, {processor}: {}", words(narrowed, Tongue::English))
            }
            Self::Behind { processor, gate, leads } => {
                format!("{processor} stands{} behind the gate {gate}", not(*leads))
            }
            Self::Overseas { allowed } => {
                format!("the profile lets{} data go overseas", if *allowed { "" } else { " no" })
            }
            Self::Means { processor, found } => {
                format!("there is {} legal means by which data may go to {processor}", if *found { "a" } else { "no" })
            }
            Self::WithinLimit { processor, .. } if self.holds() => {
                format!("the yearly limit of transfers to {processor} is not reached")
            }
            Self::WithinLimit { processor, .. } => format!("the yearly limit of transfers to {processor} is reached"),
            Self::StoredHere { region, here, .. } => format!("data may{} be stored in {region}", not(*here)),
            Self::Exempted { grant } => format!("exemption {grant} covers it; the use is noted"),
            Self::Written { found, required } => format!(
                "it was{} given in writing; {}",
                not(*found),
                if *required { "it must be" } else { "it need not be" }
            ),
            Self::Examined { until: None, required: false, .. } => "no due diligence is asked of it".to_owned(),
            Self::Examined { until: None, .. } => "nobody has looked at it, and somebody must".to_owned(),
            Self::Examined { until: Some(until), .. } => {
                format!(
                    "its due diligence {} {}",
                    if self.holds() { "holds until" } else { "ran out on" },
                    date(*until)
                )
            }
            Self::Accepts { processor, category, accepted } => {
                format!("{processor} may{} receive {category}", not(*accepted))
            }
            Self::Serves { processor, purpose, meant } => {
                format!("{processor} may{} receive data for {purpose}", not(*meant))
            }
            Self::Restricted { category, used } => {
                let what = if *used { "it would be used" } else { "it would be kept or shown to them only" };
                format!("the person had the use of {category} restricted; {what}")
            }
            Self::Reach { processor, region, farthest } => {
                format!("{processor} is {}; the person lets data go as far as {}", spelled(region), spelled(farthest))
            }
            Self::OtherBasis { basis, code, rev, .. } => {
                format!("it rests on {basis}{}, by revision {rev} of the profile", in_brackets(code.as_deref()))
            }
            Self::Contract { purpose, closed } => format!(
                "{purpose} rests on a contract with the person, who {}",
                if *closed { "closed their account" } else { "has not closed their account" }
            ),
            Self::AgreedFirst { purpose, first, agreed } => format!(
                "{purpose} needs consent to {first} first; {}",
                if *agreed { "there is" } else { "there is none that is valid and covers it" }
            ),
            Self::NoRecord { purpose } => format!("the person has not answered for {purpose}"),
            Self::TakenBack { part, status: PartStatus::GivenAgain(at) } => {
                format!("the person took back {part}, and gave it again for data of consent version {} and later", at.0)
            }
            Self::TakenBack { part, .. } => format!("the person took back {part}, and has not given it again"),
            Self::Status { purpose, status } => format!("consent to {purpose} stands at {}", status.dpv()),
            Self::Clarity { found, min } => {
                format!("it was {}; at least {} is needed", spelled(found), spelled(min))
            }
            Self::Separate { found, required } => format!(
                "it was{} asked apart from everything else; {}",
                not(*found),
                if *required { "it must be" } else { "it need not be" }
            ),
            Self::Revision { found, rev } => format!("it was given to revision {found}; revision {rev} is in force"),
            Self::Lasting { until: None, .. } => "it does not end by itself".to_owned(),
            Self::Lasting { until: Some(until), .. } => {
                format!("it {} {}", if self.holds() { "lasts until" } else { "ended on" }, date(*until))
            }
            Self::Introduced { processor, told: true } => {
                format!("{processor} has a privacy policy of its own, and the person was told so")
            }
            Self::Introduced { processor, .. } => format!(
                "{processor} has a privacy policy of its own, and the person was not told so; their device says it in their \
                 next conversation, or their tenant tells them"
            ),
            Self::Fresh { data, since } => {
                format!("the data came in at consent version {}; consent began at version {}", data.0, since.0)
            }
        }
    }

    fn chinese(&self) -> String {
        let not = |yes: bool| if yes { "" } else { "未" };
        match self {
            Self::PurposeDeclared { purpose, declared: true, .. } => format!("目的 {purpose} 已在政策中声明"),
            Self::PurposeDeclared { purpose, nearest, .. } => {
                format!("目的 {purpose} 未在政策中声明{}", or_rather(nearest))
            }
            Self::CategoryDeclared { category, declared: true, .. } => format!("类别 {category} 已在政策中声明"),
            Self::CategoryDeclared { category, nearest, .. } => {
                format!("类别 {category} 未在政策中声明{}", or_rather(nearest))
            }
            Self::NotProhibited => "没有任何禁止条款涉及此项".to_owned(),
            Self::Prohibited { rule } => format!("被禁止，任何同意都不能放开：{}", named(rule)),
            Self::UsedFor { category, purpose, used } => format!("{category} {}用于 {purpose}", not(*used)),
            Self::AboutNobody { category } => format!("{category} 不涉及任何个人"),
            Self::OldEnough { youngest, below } => format!("本人至少 {youngest} 岁；未满 {below} 岁才需要监护人"),
            Self::TakenForOldEnough { youngest, below } => {
                format!("本人年龄未知，政策将其视为至少 {youngest} 岁；未满 {below} 岁才需要监护人")
            }
            Self::Guardian { youngest, below, verified } => {
                format!(
                    "本人可能只有 {youngest} 岁，未满 {below} 岁需要监护人，监护人{}核实",
                    if *verified { "已" } else { "未" }
                )
            }
            Self::Registered { processor, registered } => format!("{processor} {}登记", not(*registered)),
            Self::State { processor, state } => format!("{processor} 的状态为 {}", spelled(state)),
            Self::Closed { gate, category, why } => {
                format!("关卡 {gate} 不让 {category} 通过：{}", words(why, Tongue::Chinese))
            }
            Self::CategoryOff { category } => format!("{category} 已暂时关闭"),
            Self::TenantOff { tenant } => format!("租户 {tenant} 已暂时关闭"),
            Self::Attested { tenant, attested } => format!(
                "{}{}对此类数据的来源作出承诺",
                tenant.as_ref().map_or_else(|| "未指明的租户".to_owned(), |tenant| format!("租户 {tenant} ")),
                if *attested { "已" } else { "未" }
            ),
            Self::Instructed { tenant, covered } => {
                format!("租户 {tenant} {}指示此项处理", if *covered { "已" } else { "未" })
            }
            Self::Narrowed { narrowed: None, processor } => format!("登记册对 {processor} 没有限制"),
            Self::Narrowed { narrowed: Some(narrowed), processor } => {
                format!("登记册对 {processor} 的限制：{}", words(narrowed, Tongue::Chinese))
            }
            Self::Behind { processor, gate, leads } => {
                format!("{processor} {}位于关卡 {gate} 之后", if *leads { "" } else { "不" })
            }
            Self::Overseas { allowed } => format!("政策{}允许数据出境", if *allowed { "" } else { "不" }),
            Self::Means { processor, found } => {
                format!("向 {processor} 出境{}合法依据", if *found { "有" } else { "没有" })
            }
            Self::WithinLimit { processor, .. } if self.holds() => format!("向 {processor} 出境未达年度上限"),
            Self::WithinLimit { processor, .. } => format!("向 {processor} 出境已达年度上限"),
            Self::StoredHere { region, here, .. } => {
                format!("数据{}存储于 {region}", if *here { "可以" } else { "不得" })
            }
            Self::Exempted { grant } => format!("豁免 {grant} 适用，每次使用均记录"),
            Self::Written { found, required } => format!(
                "{}书面同意；{}",
                if *found { "已" } else { "未" },
                if *required { "必须书面" } else { "无须书面" }
            ),
            Self::Examined { until: None, required: false, .. } => "无须尽职调查".to_owned(),
            Self::Examined { until: None, .. } => "尚未经过必需的尽职调查".to_owned(),
            Self::Examined { until: Some(until), .. } => {
                format!("尽职调查{} {}", if self.holds() { "有效至" } else { "已过期于" }, date(*until))
            }
            Self::Accepts { processor, category, accepted } => {
                format!("{processor} {}接收 {category}", if *accepted { "可以" } else { "不得" })
            }
            Self::Serves { processor, purpose, meant } => {
                format!("{processor} {}为 {purpose} 接收数据", if *meant { "可以" } else { "不得" })
            }
            Self::Restricted { category, used } => {
                format!(
                    "本人已限制对 {category} 的使用；此处{}",
                    if *used { "将会使用" } else { "仅为保存或提供给本人" }
                )
            }
            Self::Reach { processor, region, farthest } => format!(
                "{processor} 位于{}；本人允许数据最远到达{}",
                words(region, Tongue::Chinese),
                words(farthest, Tongue::Chinese)
            ),
            Self::OtherBasis { basis, code, rev, .. } => {
                format!(
                    "依据政策第 {rev} 版，其合法性基础为{}{}",
                    words(basis, Tongue::Chinese),
                    in_brackets(code.as_deref())
                )
            }
            Self::Contract { purpose, closed } => {
                format!("{purpose} 以与本人的合同为依据；本人{}", if *closed { "已注销账号" } else { "未注销账号" })
            }
            Self::AgreedFirst { purpose, first, agreed } => format!(
                "{purpose} 须先同意 {first}；{}",
                if *agreed { "已有有效同意" } else { "没有涵盖此项的有效同意" }
            ),
            Self::NoRecord { purpose } => format!("本人尚未就 {purpose} 作出答复"),
            Self::TakenBack { part, status: PartStatus::GivenAgain(at) } => {
                format!("本人曾撤回 {part}，重新同意仅适用于同意版本 {} 及以后的数据", at.0)
            }
            Self::TakenBack { part, .. } => format!("本人已撤回 {part}，尚未重新同意"),
            Self::Status { purpose, status } => format!("对 {purpose} 的同意状态为 {}", status.dpv()),
            Self::Clarity { found, min } => format!("同意方式为 {}；至少需要 {}", spelled(found), spelled(min)),
            Self::Separate { found, required } => {
                format!(
                    "{}单独征求同意；{}",
                    if *found { "已" } else { "未" },
                    if *required { "必须单独征求" } else { "无须单独征求" }
                )
            }
            Self::Revision { found, rev } => format!("同意所针对的是第 {found} 版；现行为第 {rev} 版"),
            Self::Lasting { until: None, .. } => "同意没有期限".to_owned(),
            Self::Lasting { until: Some(until), .. } => {
                format!("同意{} {}", if self.holds() { "有效至" } else { "已失效于" }, date(*until))
            }
            Self::Introduced { processor, told: true } => format!("{processor} 有自己的隐私政策，已告知本人"),
            Self::Introduced { processor, .. } => {
                format!("{processor} 有自己的隐私政策，尚未告知本人；设备会在下次对话时播报，或由租户告知")
            }
            Self::Fresh { data, since } => format!("数据在同意版本 {} 时进入；同意自版本 {} 起生效", data.0, since.0),
        }
    }
}

/// The answer as a sentence.
pub(super) fn verdict(decision: &Decision, tongue: Tongue) -> String {
    let grounds = match &decision.answer {
        Ok(grounds) => grounds,
        Err(reason) => {
            return match tongue {
                Tongue::English => format!("No ({reason}): {}.", denial(*reason, tongue)),
                Tongue::Chinese => format!("不可以（{reason}）：{}。", denial(*reason, tongue)),
            };
        }
    };
    let basis = match tongue {
        Tongue::English => grounds.basis.as_str(),
        Tongue::Chinese => words(&grounds.basis, tongue),
    };
    match (grounds.basis_ref, tongue) {
        (BasisRef::Consent(cv), Tongue::English) => format!("Yes, by {basis}, given at consent version {}.", cv.0),
        (BasisRef::Consent(cv), Tongue::Chinese) => format!("可以，依据{basis}（同意版本 {}）。", cv.0),
        (BasisRef::Profile(rev), Tongue::English) => format!("Yes, by {basis}, revision {rev} of the profile."),
        (BasisRef::Profile(rev), Tongue::Chinese) => format!("可以，依据{basis}（政策第 {rev} 版）。"),
        (BasisRef::Exemption(grant), Tongue::English) => format!("Yes, by {basis}, exemption {grant}."),
        (BasisRef::Exemption(grant), Tongue::Chinese) => format!("可以，依据{basis}（豁免 {grant}）。"),
    }
}

const fn denial(reason: Reason, tongue: Tongue) -> &'static str {
    match reason {
        Reason::Prohibited => tongue.pick("the profile forbids it", "政策禁止"),
        Reason::UnknownCell => tongue.pick("the profile knows no such use", "政策没有规定这种用途"),
        Reason::MinorNoGuardian => {
            tongue.pick("the person may be a minor and no guardian is verified", "本人可能未成年，而监护人未核实")
        }
        Reason::SwitchedOff => tongue.pick("it is switched off for the time being", "已暂时关闭"),
        Reason::NotInstructed => tongue.pick("the provider has not instructed it", "服务商未指示此项处理"),
        Reason::Restricted => tongue.pick("the person had its use restricted", "本人已限制其使用"),
        Reason::ProcessorState => tongue.pick("the processor may not receive it", "接收方不可以接收"),
        Reason::Region => tongue.pick("the person does not let it go that far", "本人不允许数据到达该地区"),
        Reason::TransferLimit => {
            tongue.pick("as many people's data went there this year as may", "本年度向其出境的人数已达上限")
        }
        Reason::AccountClosed => tongue.pick(
            "it rests on a contract with the person, who closed their account",
            "其依据是与本人的合同，而本人已注销账号",
        ),
        Reason::NoBasis => tongue.pick("there is no consent that covers it", "没有涵盖此项的有效同意"),
        Reason::TakenBack => tongue.pick("the person took back this part of it", "本人已撤回其中这一部分"),
        Reason::NotTold => tongue.pick(
            "somebody else decides there what is done with it, and the person was not told of them yet",
            "接收方自行决定如何处理，而尚未告知本人",
        ),
    }
}

/// The duties of the receiver, as sentences without their full stops.
pub(super) fn duties(duties: Obligations, tongue: Tongue) -> Vec<String> {
    let Obligations { no_store, zeroise_at_turn_end, redact, only_fields, minor } = duties;
    let all = [
        (no_store, "it must not be stored", "不得存储"),
        (zeroise_at_turn_end, "it must be overwritten in memory when the turn ends", "本轮对话结束时必须在内存中覆写"),
        (
            redact,
            "what its category lists under redact must be taken out of it first",
            "须先去除该类数据 redact 所列的内容",
        ),
        (only_fields, "only the fields may go that the receiver lists for it", "只可提供接收方为此列出的字段"),
        (
            minor,
            "the person may be a minor, so that what the profile has for minors holds",
            "本人可能未成年，适用政策中关于未成年人的规则",
        ),
    ];
    all.into_iter().filter(|(owed, ..)| *owed).map(|(_, en, zh)| tongue.pick(en, zh).to_owned()).collect()
}

/// A prohibition by its keys.
fn named(rule: &Prohibition) -> String {
    let keys = [
        rule.purpose.clone().map(|p| format!("purpose = {}", String::from(p))),
        rule.category.map(|c| format!("category = {c}")),
        rule.processing.map(|p| format!("processing = {}", spelled(&p))),
        rule.when.as_ref().map(|w| format!("when.age_lt = {}", w.age_lt)),
    ];
    keys.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The name that may have been meant.
fn or_rather(nearest: &Nearest) -> String {
    nearest.as_deref().map(|name| format!("；是否指 `{name}`？")).unwrap_or_default()
}

fn in_brackets(code: Option<&str>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

fn date(at: WallTime) -> Date {
    Date::Moment(at)
}

impl InWords for Closing {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Minor => ["it is not used with minors", "不用于未成年人"],
            Self::AtRest => ["it may not be stored", "不得存储"],
            Self::MinorAtRest => ["it may not be stored of minors", "不得存储未成年人的该数据"],
            Self::Content => ["it holds what a person said", "含有本人所说的内容"],
            Self::LeadsBack => ["it leads back to a person", "可以追溯到个人"],
            Self::Trial => {
                ["nothing special and no picture belongs on a test platform", "测试平台不得使用敏感个人信息和图像"]
            }
            Self::MinorTrial => ["nothing about a child belongs on a test platform", "测试平台不得使用儿童的信息"],
        }
    }
}

impl InWords for Narrowed {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::TransferLimitReached => ["the yearly limit of transfers is reached", "已达年度出境上限"],
            Self::DueDiligenceExpired => ["its due diligence has run out", "尽职调查已过期"],
            Self::Suspended => ["suspended", "已暂停"],
            Self::Terminated => ["terminated", "已终止"],
        }
    }
}
