//! [`PrivacyNotice`]: what people are told, with everything that ISO/IEC 29184 asks for.

mod consenting;
mod data;

use super::{Item, Section};
use crate::Tongue;
use crate::markdown::plain;
use crate::profile::Document;
use crate::words::{deadline, period, title, words};

/// A privacy notice in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivacyNotice {
    tongue: Tongue,
    title: String,
    /// What it says, in order.
    pub paragraphs: Vec<Paragraph>,
}

/// A part of the notice that says one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paragraph {
    /// What it says.
    pub item: Item,
    /// In Markdown.
    pub text: String,
}

impl PrivacyNotice {
    /// The notice of `document`.
    #[must_use]
    pub fn of(document: &Document, tongue: Tongue) -> Self {
        let writer = Writer { document, tongue };
        let paragraphs = Item::ALL.map(|item| Paragraph { item, text: writer.write(item) });
        let title = title(&document.profile.title, document.profile.id.as_str(), tongue);
        Self { tongue, title, paragraphs: paragraphs.into() }
    }

    /// The notice in Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n", plain(&self.title));
        let mut under: Option<Section> = None;
        for Paragraph { item, text: paragraph } in &self.paragraphs {
            let section = item.section();
            if under != Some(section) {
                text.push_str(&format!("\n## {}\n", section.heading(self.tongue)));
                under = Some(section);
            }
            text.push_str(&format!("\n{paragraph}\n"));
        }
        text
    }
}

/// Writes a notice item by item.
struct Writer<'a> {
    document: &'a Document,
    tongue: Tongue,
}

impl Writer<'_> {
    fn write(&self, item: Item) -> String {
        match item {
            Item::Controller => self.controller(),
            Item::Inquiry => self.inquiry(),
            Item::Purposes => self.purposes(),
            Item::Basis => self.basis(),
            Item::Collection => self.collection(),
            Item::CollectionMethod => self.collection_method(),
            Item::CollectionTime => self.collection_time(),
            Item::Use => self.used(),
            Item::Place => self.place(),
            Item::Recipients => self.recipients(),
            Item::Retention => self.retention(),
            Item::Participation => self.participation(),
            Item::Choices => self.choices(),
            Item::Freedom => self.freedom(),
            Item::Separate => self.separate(),
            Item::Frequency => self.frequency(),
            Item::Risks => self.risks(),
            Item::Timing => self.timing(),
            Item::Languages => self.languages(),
            Item::Form => self.form(),
            Item::Version => self.version(),
            Item::Renewal => self.renewal(),
            Item::RenewedConsent => self.renewed_consent(),
        }
    }

    fn say(&self, english: &str, chinese: &str) -> String {
        self.tongue.pick(english, chinese).to_owned()
    }

    fn controller(&self) -> String {
        let controller = &self.document.controller;
        let (name, role) = (plain(&controller.name), words(&controller.role, self.tongue));
        match self.tongue {
            Tongue::English => format!("{name} ({role}) answers for what happens to your data."),
            Tongue::Chinese => format!("{name}（{role}）对你的数据的处理负责。"),
        }
    }

    fn inquiry(&self) -> String {
        let ways: Vec<_> = self.document.controller.contact.ways().map(plain).collect();
        let ways =
            if ways.is_empty() { self.say("no contact is given", "未提供联系方式") } else { ways.join("; ") };
        match self.tongue {
            Tongue::English => format!(
                "Questions and complaints: {ways}. If the answer does not satisfy you, you can turn to the authority that \
                 supervises data protection where you live."
            ),
            Tongue::Chinese => format!("咨询与投诉：{ways}。如对答复不满意，可以向所在地的个人信息保护监管部门投诉。"),
        }
    }

    fn participation(&self) -> String {
        let rights = &self.document.rights;
        let within = |within: Option<&crate::Deadline>| {
            let within = deadline(within.or(rights.respond_within.as_ref())?, self.tongue);
            Some(match self.tongue {
                Tongue::English => format!(" (answered within {within})"),
                Tongue::Chinese => format!("（{within}内答复）"),
            })
        };
        let offered = rights.offers.iter().map(|(kind, right)| {
            let channels: Vec<_> = right.channel.iter().map(|channel| words(channel, self.tongue)).collect();
            let (colon, comma) = (self.say(": ", "："), self.say(", ", "、"));
            let through = if channels.is_empty() { String::new() } else { format!("{colon}{}", channels.join(&comma)) };
            let within = within(right.within.as_ref()).unwrap_or_default();
            format!("- {}{through}{within}", words(kind, self.tongue))
        });
        let withdraw = self.say(
            "- You can withdraw what you agreed to at any time, by saying “stop listening”, on the device, or through \
             whoever answers for it; it takes effect before you hear that it has.",
            "- 你可以随时撤回同意：说“停止聆听”、在设备上操作，或通过负责方；在告知你已撤回之前即已生效。",
        );
        offered.chain([withdraw]).collect::<Vec<_>>().join("\n")
    }

    fn choices(&self) -> String {
        self.say(
            "Each of your answers is on record, with what you were told and when. You can ask whoever answers for your \
             data to see it.",
            "你的每次答复都有记录，包括当时告知的内容和时间。你可以向负责方要求查看。",
        )
    }

    fn risks(&self) -> String {
        let names = |sensitive: &dyn Fn(&crate::profile::CategoryRule) -> bool| {
            let found = self.document.category.iter().filter(|(_, rule)| sensitive(rule));
            let names: Vec<_> = found.map(|(id, rule)| plain(&title(&rule.title, id.as_str(), self.tongue))).collect();
            names.join(self.tongue.pick(", ", "、"))
        };
        let intimate = names(&|rule| rule.sensitivity >= crate::profile::Sensitivity::High);
        let abroad =
            self.document.flows().any(|flow| flow.processor.region_class == sayso_types::RegionClass::Overseas);
        let first = match self.tongue {
            _ if intimate.is_empty() => self.say(
                "None of this data is of a sort that the profile counts as intimate or special.",
                "政策未将其中任何数据列为私密或敏感数据。",
            ),
            Tongue::English => format!(
                "{intimate}: these can be intimate. Whoever got hold of them could learn what you said in private or \
                 recognise you."
            ),
            Tongue::Chinese => {
                format!("{intimate}：这些数据可能涉及私密内容。若被他人获得，可能得知你私下所说的话，或据此识别你。")
            }
        };
        let second = self.say(
            "Some of it goes abroad, where other laws hold and your rights can be harder to use.",
            "部分数据会到达境外，那里适用其他法律，行使权利可能更困难。",
        );
        if abroad { format!("{first} {second}") } else { first }
    }

    fn timing(&self) -> String {
        self.say(
            "Before anything is heard for the first time, this is said in short and you are asked. Until you have \
             answered, nothing is recognised but your answer, by a recogniser that keeps nothing.",
            "首次聆听之前，会简短说明并征求你的同意。在你答复之前，只会识别你的答复本身，且不留存。",
        )
    }

    fn languages(&self) -> String {
        let languages: Vec<_> = self.document.profile.languages.iter().map(ToString::to_string).collect();
        let languages = languages.join(", ");
        match self.tongue {
            Tongue::English => format!(
                "The notice is written for anybody to understand, in these languages: {languages}. If you speak another, \
                 the first of them is used."
            ),
            Tongue::Chinese => {
                format!("本告知以通俗语言写成，提供以下语言：{languages}。使用其他语言者，适用其中第一种。")
            }
        }
    }

    fn form(&self) -> String {
        self.say(
            "It is read out on the device, in under twenty seconds, with more for whoever asks for it; it is shown where \
             there is a screen; and it is written out here as plain text that can be read aloud or enlarged.",
            "在设备上朗读，不超过二十秒，可要求听取更多；有屏幕的设备会显示；此处为纯文本，可供朗读或放大。",
        )
    }

    fn version(&self) -> String {
        let header = &self.document.profile;
        let (id, rev, from) = (header.id, header.rev, &header.effective_at);
        let url = self.document.controller.contact.url.as_deref().map(|url| format!(" {}", plain(url)));
        let url = url.unwrap_or_default();
        match self.tongue {
            Tongue::English => format!("This is revision {rev} of “{id}”, in force from {from}.{url}"),
            Tongue::Chinese => format!("本文为“{id}”第 {rev} 版，自 {from} 起生效。{url}"),
        }
    }

    fn renewal(&self) -> String {
        let lead = self.document.profile.notice_lead.map(|lead| period(lead, self.tongue));
        match (self.tongue, lead) {
            (Tongue::English, None) => "You are told of every new revision before it holds for you.".to_owned(),
            (Tongue::English, Some(lead)) => format!("You are told of every new revision {lead} before it holds."),
            (Tongue::Chinese, None) => "每次修订都会在对你生效之前告知你。".to_owned(),
            (Tongue::Chinese, Some(lead)) => format!("每次修订都会在生效前{lead}告知你。"),
        }
    }
}
