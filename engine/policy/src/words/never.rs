//! [`never()`]: what a profile prohibits, as people read it.

use sayso_types::{Category, Purpose};

use super::{InWords, words};
use crate::Tongue;
use crate::profile::{Processing, ProhibitedPurpose, Prohibition};

/// What `rule` says is never done; `purpose` and `category` name what the profile declares.
pub(crate) fn never(
    rule: &Prohibition,
    tongue: Tongue,
    purpose: impl Fn(Purpose) -> String,
    category: impl Fn(Category) -> String,
) -> String {
    let end = rule.purpose.as_ref().map(|prohibited| match prohibited {
        ProhibitedPurpose::Id(id) => purpose(*id),
        ProhibitedPurpose::Dpv(term) => end(term, tongue),
    });
    let done = rule.processing.map(|processing| words(&processing, tongue).to_owned());
    let what: Vec<_> = [done, end].into_iter().flatten().collect();
    let what = match what.is_empty() {
        true => tongue.pick("any use", "任何使用").to_owned(),
        false => what.join(tongue.pick(" for ", "用于")),
    };
    let data = rule.category.map(category);
    let below = rule.when.as_ref().map(|when| when.age_lt);
    match tongue {
        Tongue::English => {
            let data = data.map(|data| format!(" (“{data}”)")).unwrap_or_default();
            let below = below.map(|years| format!(" where the person may be under {years}")).unwrap_or_default();
            format!("{what}{data}{below}")
        }
        Tongue::Chinese => {
            let data = data.map(|data| format!("（“{data}”）")).unwrap_or_default();
            let below = below.map(|years| format!("（可能未满{years}岁者）")).unwrap_or_default();
            format!("{what}{data}{below}")
        }
    }
}

/// What a DPV purpose is; the term itself, word by word, where it is none of those that policies tend to rule out.
fn end(term: &str, tongue: Tongue) -> String {
    let known = ENDS.iter().find(|(known, ..)| *known == term);
    known.map_or_else(|| spaced(term), |(_, english, chinese)| tongue.pick(english, chinese).to_owned())
}

/// DPV 2.3 purposes in English and Chinese.
const ENDS: [(&str, &str, &str); 14] = [
    ("AcademicResearch", "academic research", "学术研究"),
    ("Advertising", "advertising", "广告"),
    ("CommercialResearch", "commercial research", "商业研究"),
    ("DirectMarketing", "marketing that is sent to you", "直接营销"),
    ("FraudPreventionAndDetection", "finding fraud", "防范和发现欺诈"),
    ("ImproveExistingProductsAndServices", "improving products and services", "改进产品和服务"),
    ("Marketing", "marketing", "营销"),
    ("Personalisation", "personalisation", "个性化"),
    ("PersonalisedAdvertising", "personalised advertising", "个性化广告"),
    ("SellDataToThirdParties", "selling data to others", "向他人出售数据"),
    ("SellInsightsFromData", "selling what is learned from data", "出售由数据得出的结论"),
    ("ServicePersonalisation", "adapting the service to you", "服务个性化"),
    ("ServiceUsageAnalytics", "statistics of how the service is used", "服务使用统计"),
    ("TargetedAdvertising", "targeted advertising", "定向广告"),
];

/// `SellDataToThirdParties` as `sell data to third parties`.
fn spaced(term: &str) -> String {
    let mut text = String::new();
    for letter in term.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

impl InWords for Processing {
    fn in_words(&self) -> [&'static str; 2] {
        match self {
            Self::Collect => ["collecting", "收集"],
            Self::Analyse => ["analysis by machines", "机器分析"],
            Self::Transmit => ["passing it on to be processed", "传输处理"],
            Self::Identify => ["recognising people", "识别身份"],
            Self::Derive => ["making other data from it", "由其生成其他数据"],
            Self::Store => ["storing", "存储"],
            Self::Copy => ["copying it elsewhere", "复制到他处"],
            Self::Export => ["looking at it or taking it out", "查看或导出"],
            Self::Share => ["giving it to others for their own purposes", "提供给他人自用"],
            Self::Publish => ["making it public", "公开"],
            Self::Record => ["writing it into logs", "写入日志"],
            Self::Contact => ["contacting you", "联系你"],
            Self::Profiling => ["profiles of people", "用户画像"],
            Self::Train => ["training models", "训练模型"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::When;

    fn said(rule: &Prohibition, tongue: Tongue) -> String {
        never(rule, tongue, |purpose| format!("<{purpose}>"), |category| format!("<{category}>"))
    }

    #[test]
    fn every_key_of_a_prohibition_is_said() {
        let all = Prohibition {
            purpose: Some(ProhibitedPurpose::Dpv("Advertising".to_owned())),
            category: Some(Category::VOICE_AUDIO),
            processing: Some(Processing::Profiling),
            when: Some(When { age_lt: 14 }),
            src: [].into(),
        };
        let (english, chinese) = (said(&all, Tongue::English), said(&all, Tongue::Chinese));
        assert_eq!(english, "profiles of people for advertising (“<voice_audio>”) where the person may be under 14");
        assert_eq!(chinese, "用户画像用于广告（“<voice_audio>”）（可能未满14岁者）");
        let own =
            Prohibition { purpose: Some(ProhibitedPurpose::Id(Purpose::MEMORY)), processing: None, ..all.clone() };
        assert!(said(&own, Tongue::English).starts_with("<memory> (“"));
        let any = Prohibition { purpose: None, processing: None, when: None, ..all };
        assert_eq!(said(&any, Tongue::English), "any use (“<voice_audio>”)");
    }

    #[test]
    fn a_term_without_words_is_said_word_by_word() {
        assert_eq!(end("SearchFunctionalities", Tongue::Chinese), "search functionalities");
        assert!(ENDS.is_sorted_by_key(|(term, ..)| *term));
    }
}
