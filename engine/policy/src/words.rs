//! The words of the format in the engine's [`Tongue`]s, for what people read.

mod length;
mod never;

use std::collections::BTreeMap;

use sayso_types::{ProcessorKind, RegionClass};
use serde::Serialize;

use crate::profile::{
    ControllerRole, DataSubject, Identifies, Language, Mechanism, PartnerType, Processor, ProcessorRole,
    ProcessorState, Provenance, Retention, RetentionAction, RightChannel, RightKind, Sensitivity, Trigger,
};
use crate::{Deadline, LegalBasis, Reason, Tongue};

pub(crate) use length::{deadline, period};
pub(crate) use never::never;

/// Something of the format that people read in their language.
pub(crate) trait InWords {
    /// It in English and in Chinese.
    fn in_words(&self) -> [&'static str; 2];
}

/// `word` in `tongue`.
pub(crate) fn words(word: &impl InWords, tongue: Tongue) -> &'static str {
    let [english, chinese] = word.in_words();
    tongue.pick(english, chinese)
}

/// A word of the format, as it is spelled there.
pub(crate) fn spelled(word: &impl Serialize) -> String {
    serde_json::to_value(word).ok().and_then(|value| Some(value.as_str()?.to_owned())).unwrap_or_default()
}

impl InWords for Reason {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Prohibited => ["is it free of prohibitions?", "是否未被禁止"],
            Self::UnknownCell => ["does the profile know this use?", "政策是否规定了这种用途"],
            Self::MinorNoGuardian => ["may the person decide, or a guardian for them?", "本人或其监护人是否可以决定"],
            Self::SwitchedOff => ["is it switched on?", "是否已开启"],
            Self::NotInstructed => ["has the provider instructed it?", "服务商是否已指示此项处理"],
            Self::Restricted => ["is its use free of restriction by the person?", "本人是否未限制其使用"],
            Self::ProcessorState => ["may the processor receive it?", "接收方是否可以接收"],
            Self::Region => ["does the person let it go that far?", "本人是否允许数据到达该地区"],
            Self::TransferLimit => {
                ["have fewer people's data gone there this year than may?", "本年度出境人数是否未达上限"]
            }
            Self::AccountClosed => ["is there still a contract with the person?", "与本人的合同是否仍然有效"],
            Self::NoBasis => ["is there a right to do it?", "是否有合法性基础"],
            Self::TakenBack => ["has the person not taken back this part of it?", "本人是否未撤回其中这一部分"],
            Self::NotTold => ["was the person told who gets it?", "是否已告知本人由谁接收"],
        }
    }
}

impl InWords for LegalBasis {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Consent => ["your consent", "你的同意"],
            Self::ContractPerformance => ["the contract with you", "履行与你的合同"],
            Self::EnterIntoContract => ["a step that you asked for before a contract", "应你的要求订立合同所必需"],
            Self::LegalObligation => ["a duty by law", "法定义务"],
            Self::VitalInterest => ["a life depends on it", "保护生命"],
            Self::PublicInterest => ["the public interest", "公共利益"],
            Self::OfficialAuthority => ["an official task", "履行法定职责"],
            Self::LegitimateInterest => ["a legitimate interest", "正当利益"],
        }
    }
}

impl InWords for RegionClass {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Local => ["on the operator's own machines", "运营者自己的机器"],
            Self::Domestic => ["in the country", "境内"],
            Self::Overseas => ["abroad", "境外"],
        }
    }
}

impl InWords for ProcessorKind {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Vad => ["detection of speech", "语音活动检测"],
            Self::Asr => ["speech recognition", "语音识别"],
            Self::Llm => ["dialogue", "对话"],
            Self::Tts => ["speech synthesis", "语音合成"],
            Self::Vision => ["understanding of pictures", "图像理解"],
            Self::Voiceprint => ["recognition of the speaker", "声纹识别"],
            Self::Embedding => ["search", "检索"],
            Self::Moderation => ["moderation of content", "内容审核"],
            Self::Sms => ["text messages", "短信"],
            Self::Email => ["e-mail", "电子邮件"],
            Self::Call => ["telephone calls", "电话"],
            Self::Push => ["push messages", "消息推送"],
            Self::Tool => ["tools", "工具"],
            Self::MqttBroker => ["message broker", "消息中转"],
            Self::Database => ["storage", "存储"],
        }
    }
}

impl InWords for RightChannel {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Announcement => ["announcement", "公告"],
            Self::App => ["app", "应用"],
            Self::Console => ["console", "控制台"],
            Self::Contact => ["contact", "联系方式"],
            Self::Developer => ["developer", "开发者"],
            Self::Device => ["device", "设备"],
            Self::Email => ["e-mail", "电子邮件"],
            Self::Letter => ["letter", "信函"],
            Self::Operator => ["operator", "运营者"],
            Self::Phone => ["telephone", "电话"],
            Self::Platform => ["platform", "平台"],
            Self::PublishedProcedure => ["published procedure", "已公布的流程"],
            Self::Push => ["push message", "消息推送"],
            Self::Settings => ["settings", "系统设置"],
            Self::Sms => ["text message", "短信"],
            Self::Voice => ["voice", "语音"],
        }
    }
}

impl InWords for ProcessorRole {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Affiliate => ["affiliate", "关联公司"],
            Self::Partner => ["partner", "合作方"],
            Self::Contractor => ["contractor", "外包商"],
            Self::SignInProvider => ["provider of the login", "登录服务提供方"],
            Self::ThirdPartySdk => ["maker of an SDK in the app", "第三方 SDK 提供方"],
        }
    }
}

impl InWords for PartnerType {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::ServicePlatform => ["service or platform that you choose", "你选择的服务平台"],
            Self::SystemProvider => ["provider of software, hardware or systems", "软硬件系统服务提供方"],
        }
    }
}

impl InWords for ProcessorState {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Draft => ["not yet in use", "尚未启用"],
            Self::Active => ["in use", "使用中"],
            Self::Suspended => ["suspended", "已暂停"],
            Self::Terminated => ["no longer used", "已停用"],
        }
    }
}

impl InWords for Mechanism {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::SecurityAssessment => ["security assessment", "安全评估"],
            Self::StandardContract => ["standard contract", "标准合同"],
            Self::Certification => ["certification", "个人信息保护认证"],
            Self::Adequacy => ["the country is recognised", "充分性认定"],
            Self::Exempt(_) => ["exempt", "豁免"],
            Self::None => ["none", "无"],
        }
    }
}

impl InWords for Provenance {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Provided => ["you give it", "由你提供"],
            Self::Collected => ["it is taken from elsewhere", "从别处收集"],
            Self::Observed => ["the device hears, sees or measures it", "由设备听到、看到或测得"],
            Self::Derived => ["it follows from other data", "由其他数据得出"],
            Self::Inferred => ["it is concluded from other data", "由其他数据推断"],
            Self::Generated => ["it is made up by the service", "由服务生成"],
        }
    }
}

impl InWords for Sensitivity {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::None => ["about nobody", "不涉及个人"],
            Self::Normal => ["personal", "个人信息"],
            Self::High => ["can be intimate", "可能涉及私密内容"],
            Self::Special => ["sensitive by law", "敏感个人信息"],
        }
    }
}

impl InWords for Identifies {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Directly => ["leads to the person", "可识别本人"],
            Self::Pseudonymised => ["pseudonymised", "已去标识化"],
            Self::Anonymised => ["anonymised", "已匿名化"],
        }
    }
}

impl InWords for DataSubject {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Owner => ["owners of devices", "设备所有者"],
            Self::Speaker => ["whoever speaks", "说话的人"],
            Self::Pictured => ["whoever is in the picture", "画面中的人"],
            Self::TenantUser => ["users of a tenant's product", "租户产品的用户"],
        }
    }
}

impl InWords for ControllerRole {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::DataController => ["controller", "个人信息处理者"],
            Self::JointDataControllers => ["joint controller", "共同处理者"],
            Self::DataProcessor => ["processor for its tenants", "受托人"],
        }
    }
}

impl InWords for Trigger {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Collected => ["it was collected", "收集"],
            Self::TurnEnd => ["the turn of the conversation ended", "本轮对话结束"],
            Self::SessionEnd => ["the session ended", "会话结束"],
            Self::Withdraw => ["you withdrew consent", "你撤回同意"],
            Self::FeatureDisabled => ["the feature was switched off", "功能关闭"],
            Self::ItemDeleted => ["you deleted it", "你删除该内容"],
            Self::DeviceUnbound => ["the device was given up", "设备解绑"],
            Self::PurposeEnded => ["its purpose ended", "目的已实现或无法实现"],
            Self::TenantEnded => ["the tenant's term ended", "租户期限届满"],
            Self::AccountCancelled => ["the account was closed", "账户注销"],
            Self::ServiceEnded => ["the service ended", "服务终止"],
        }
    }
}

impl InWords for RetentionAction {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Erase => ["erased", "删除"],
            Self::Anonymise => ["anonymised", "匿名化"],
            Self::EraseOrAnonymise => ["erased or anonymised", "删除或匿名化"],
            Self::Pseudonymise => ["pseudonymised", "去标识化"],
            Self::Restrict => ["kept but used for nothing", "仅存储，不作他用"],
            Self::Zeroise => ["overwritten in memory", "在内存中覆写"],
        }
    }
}

impl InWords for RightKind {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Access => ["see your data", "查阅你的数据"],
            Self::Copy => ["have a copy", "复制你的数据"],
            Self::Rectify => ["have it put right", "更正"],
            Self::Supplement => ["have it completed", "补充"],
            Self::Erase => ["have it erased", "删除"],
            Self::Restrict => ["have it kept but used for nothing", "限制处理"],
            Self::Withdraw => ["withdraw your consent", "撤回同意"],
            Self::Cancel => ["close your account", "注销账户"],
            Self::Port => ["take your data elsewhere", "转移你的数据"],
            Self::Explain => ["be told why something was done", "要求解释说明"],
            Self::Object => ["object, and not be judged by a machine", "拒绝，包括拒绝自动化决策"],
            Self::Complain => ["complain", "投诉"],
            Self::MarketingOptOut => ["get no more advertising", "退订营销信息"],
            Self::ShutdownNotice => ["be told when the service ends", "获知服务终止"],
            Self::DeceasedRelatives => ["act for a relative who died", "近亲属代死者行使权利"],
            Self::RefuseOverseas => ["refuse that data goes abroad", "拒绝数据出境"],
            Self::GuardianErase => ["as a guardian, have a minor's data erased", "监护人要求删除未成年人的数据"],
        }
    }
}

/// What people call something, or its id where the profile does not say.
pub(crate) fn title(titles: &BTreeMap<Language, String>, id: &str, tongue: Tongue) -> String {
    titles.get(&tongue.language()).cloned().unwrap_or_else(|| id.replace('_', " "))
}

/// Who runs a processor.
pub(crate) fn party(party: &str, tongue: Tongue) -> String {
    if party == Processor::OPERATOR { tongue.pick("the operator", "运营者").to_owned() } else { party.to_owned() }
}

/// Where something stands and how far that is.
pub(crate) fn named(region: &str, class: &RegionClass, tongue: Tongue) -> String {
    format!("{region} ({})", words(class, tongue))
}

/// How long data is kept, as a sentence without its full stop.
pub(crate) fn kept(retention: Option<&Retention>, tongue: Tongue) -> String {
    let Some(rule) = retention else { return tongue.pick("the profile does not say", "政策未说明").to_owned() };
    let after = deadline(&rule.after, tongue);
    let triggers: Vec<_> = rule.trigger.iter().map(|trigger| words(&trigger, tongue)).collect();
    let action = words(&rule.action, tongue);
    let most = rule.max.map(|max| period(max, tongue));
    let least = rule.min.zip(rule.min_basis.as_ref()).map(|(min, law)| (period(min, tongue), law));
    match tongue {
        Tongue::English => {
            let moment = match &rule.after {
                Deadline::Within(within) if within.is_zero() => "at once after".to_owned(),
                Deadline::Within(_) => format!("{after} after"),
                Deadline::Vague(_) => format!("{after}, after"),
            };
            let most = most.map(|most| format!(", at most {most} after it was collected")).unwrap_or_default();
            let least =
                least.map(|(min, law)| format!(", but not before {min} after it was collected, as {law} demands"));
            format!("{action} {moment} {}{most}{}", triggers.join(" or "), least.unwrap_or_default())
        }
        Tongue::Chinese => {
            let most = most.map(|most| format!("，自收集起最长{most}")).unwrap_or_default();
            let least = least.map(|(min, law)| format!("，但依 {law} 的要求自收集起至少保存{min}"));
            format!("{}后{after}{action}{most}{}", triggers.join("或"), least.unwrap_or_default())
        }
    }
}
