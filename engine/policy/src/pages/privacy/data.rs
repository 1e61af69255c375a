//! What is used, for what, where it goes and how long it is kept.

use super::Writer;
use crate::markdown::{Table, plain};
use crate::profile::{AtRest, CategoryRule, MinorRule, Necessity};
use crate::words::{kept, named, never, party, period, title, words};
use crate::{LegalBasis, Tongue};
use sayso_types::{Category, Purpose};

impl Writer<'_> {
    fn purpose(&self, id: &Purpose) -> String {
        let titles = self.document.purpose.get(id).map(|rule| title(&rule.title, id.as_str(), self.tongue));
        titles.unwrap_or_else(|| id.to_string())
    }

    pub(super) fn category(&self, id: Category) -> String {
        let titles = self.document.category.get(&id).map(|rule| title(&rule.title, id.as_str(), self.tongue));
        titles.unwrap_or_else(|| id.to_string())
    }

    /// What is about somebody.
    fn personal(&self) -> impl Iterator<Item = (Category, &CategoryRule)> {
        self.document.category.iter().filter(|(_, rule)| rule.is_personal()).map(|(id, rule)| (*id, rule))
    }

    pub(super) fn purposes(&self) -> String {
        let lines = self.document.purpose.keys().map(|id| {
            let used = self.document.category.iter().filter(|(_, rule)| rule.purposes.contains(id));
            let used: Vec<_> = used.map(|(category, _)| plain(&self.category(*category))).collect();
            let used = match used.is_empty() {
                true => self.say("uses no data by itself", "本身不使用数据"),
                false => used.join(self.tongue.pick(", ", "、")),
            };
            let (first, lasts) = (self.first(id), self.lasts(id));
            format!("- {}{}{used}{first}{lasts}", plain(&self.purpose(id)), self.tongue.pick(": ", "："))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What must have been agreed to before the purpose `id`.
    fn first(&self, id: &Purpose) -> String {
        let required = self.document.purpose.get(id).map(|rule| self.document.required(rule)).unwrap_or_default();
        let required: Vec<_> = required.iter().map(|first| format!("“{}”", plain(&self.purpose(first)))).collect();
        match self.tongue {
            _ if required.is_empty() => String::new(),
            Tongue::English => format!(" (only once you have agreed to {})", required.join(" and ")),
            Tongue::Chinese => format!("（须先同意{}）", required.join("和")),
        }
    }

    /// How long consent to the purpose `id` lasts, where it ends by itself.
    fn lasts(&self, id: &Purpose) -> String {
        let Some(lasts) = self.document.purpose.get(id).and_then(|rule| rule.consent_lasts) else {
            return String::new();
        };
        let lasts = period(lasts, self.tongue);
        match self.tongue {
            Tongue::English => format!(" (your consent lasts for {lasts}, then you are asked again)"),
            Tongue::Chinese => format!("（同意有效期{lasts}，到期后重新征求）"),
        }
    }

    pub(super) fn basis(&self) -> String {
        let mut table = match self.tongue {
            Tongue::English => Table::new(["Purpose", "By what right", "Where that is written"]),
            Tongue::Chinese => Table::new(["目的", "合法性基础", "出处"]),
        };
        for (id, rule) in &self.document.purpose {
            let code = rule.basis_code.clone().unwrap_or_else(|| "-".to_owned());
            table.row([self.purpose(id), words(&rule.basis, self.tongue).to_owned(), code]);
        }
        table.text()
    }

    pub(super) fn collection(&self) -> String {
        let mut table = match self.tongue {
            Tongue::English => Table::new(["Data", "Sort", "Needed", "Stored"]),
            Tongue::Chinese => Table::new(["数据", "性质", "是否必需", "是否存储"]),
        };
        for (id, rule) in self.personal() {
            table.row([
                self.category(id),
                words(&rule.sensitivity, self.tongue).to_owned(),
                self.needed(rule),
                match rule.at_rest {
                    AtRest::Forbidden => self.say("no", "否"),
                    AtRest::Allowed => self.say("yes", "是"),
                },
            ]);
        }
        table.text()
    }

    fn needed(&self, rule: &CategoryRule) -> String {
        match (&rule.necessity, self.tongue) {
            (Some(Necessity::Required), _) => self.say("yes", "是"),
            (Some(Necessity::RequiredFor(purpose)), Tongue::English) => format!("for “{}”", self.purpose(purpose)),
            (Some(Necessity::RequiredFor(purpose)), Tongue::Chinese) => format!("“{}”所必需", self.purpose(purpose)),
            (Some(Necessity::Optional) | None, _) => self.say("no, it is your choice", "否，由你选择"),
        }
    }

    pub(super) fn collection_method(&self) -> String {
        let lines = self.personal().map(|(id, rule)| {
            let sources: Vec<_> = rule.derived_from.iter().map(|source| plain(&self.category(*source))).collect();
            let sources = sources.join(self.tongue.pick(", ", "、"));
            let how = match (rule.provenance, self.tongue) {
                (Some(provenance), _) => words(&provenance, self.tongue).to_owned(),
                (None, Tongue::English) if !sources.is_empty() => format!("made from {sources}"),
                (None, Tongue::Chinese) if !sources.is_empty() => format!("由{sources}产生"),
                (None, _) => self.say("by your use of the device", "在你使用设备时"),
            };
            format!("- {}{}{how}", plain(&self.category(id)), self.tongue.pick(": ", "："))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    pub(super) fn collection_time(&self) -> String {
        self.say(
            "Data is collected while you use the device, where the device stands, and only after what it rests on is \
             there: your consent, where that is the right.",
            "数据在你使用设备时、于设备所在地收集，且仅在具备合法性基础之后：以同意为基础的，须先有你的同意。",
        )
    }

    pub(super) fn used(&self) -> String {
        let prohibited = self.document.prohibition.iter().map(|rule| {
            let (purpose, category) = (|id| self.purpose(&id), |id| self.category(id));
            plain(&never(rule, self.tongue, purpose, category))
        });
        let prohibited: Vec<_> = prohibited.collect();
        let first = self.say(
            "Machines use it for the purposes above; a piece of data goes on only after a gate has found that it may.",
            "由机器为上述目的使用；每份数据在交出之前都要经过检查，确认允许之后才会继续。",
        );
        let never = prohibited.join(self.tongue.pick("; ", "；"));
        match self.tongue {
            _ if prohibited.is_empty() => first,
            Tongue::English => format!("{first} What is never done: {never}."),
            Tongue::Chinese => format!("{first}绝不进行：{never}。"),
        }
    }

    pub(super) fn place(&self) -> String {
        let transfers = &self.document.transfers;
        let storage: Vec<_> = transfers.storage.iter().map(|place| plain(place)).collect();
        let storage = match storage.is_empty() {
            true => self.say("where its recipients stand, as listed below", "下列接收方所在地"),
            false => storage.join(", "),
        };
        let jurisdiction = match self.document.profile.jurisdiction.as_str() {
            "*" => self.say("whichever holds where you are", "你所在地的法律"),
            code => plain(code),
        };
        match self.tongue {
            Tongue::English => format!("Law: {jurisdiction}. Stored in: {storage}."),
            Tongue::Chinese => format!("适用法律：{jurisdiction}。存储地：{storage}。"),
        }
    }

    pub(super) fn recipients(&self) -> String {
        let mut table = match self.tongue {
            Tongue::English => Table::new(["Recipient", "For", "Where", "Receives"]),
            Tongue::Chinese => Table::new(["接收方", "用途", "地点", "接收内容"]),
        };
        let flows: Vec<_> = self.document.flows().collect();
        for processor in self.document.processor.values() {
            let to: Vec<_> = flows.iter().filter(|flow| flow.processor.id == processor.id).collect();
            if to.is_empty() {
                continue;
            }
            let mut received: Vec<_> = to.iter().map(|flow| self.category(flow.id)).collect();
            received.sort();
            received.dedup();
            table.row([
                format!("{} ({})", party(&processor.party, self.tongue), processor.id),
                words(&processor.kind, self.tongue).to_owned(),
                named(&processor.region, &processor.region_class, self.tongue),
                received.join(self.tongue.pick(", ", "、")),
            ]);
        }
        table.text()
    }

    pub(super) fn retention(&self) -> String {
        let lines = self.personal().map(|(id, rule)| {
            let until = kept(self.document.retention_of(rule), self.tongue);
            let of_minors = self.of_minors(id);
            format!("- {}{}{}{of_minors}", plain(&self.category(id)), self.tongue.pick(": ", "："), plain(&until))
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What is stricter about the category `id` where the person is a minor.
    fn of_minors(&self, id: Category) -> String {
        let minors = &self.document.minors;
        let Some(rule) = minors.overrides.get(&id) else { return String::new() };
        let below = minors.protected_below();
        let [english, chinese] = match (rule, rule.after) {
            (MinorRule { forbidden: true, .. }, _) => ["not used at all".to_owned(), "完全不使用".to_owned()],
            (MinorRule { no_store: true, .. }, _) => ["not stored".to_owned(), "不保存".to_owned()],
            (_, Some(after)) => [
                format!("at most {} after it was collected", period(after, Tongue::English)),
                format!("自收集起最长{}", period(after, Tongue::Chinese)),
            ],
            (_, None) => return String::new(),
        };
        match self.tongue {
            Tongue::English => format!("; of anybody below {below}: {english}"),
            Tongue::Chinese => format!("；未满 {below} 岁的：{chinese}"),
        }
    }

    /// Those of the purposes that rest on consent that are meant.
    pub(super) fn consented(&self, is_meant: impl Fn(&Purpose) -> bool) -> impl Iterator<Item = String> {
        let asked = self.document.purpose.values().filter(|rule| rule.basis == LegalBasis::Consent);
        asked.filter(move |rule| is_meant(&rule.id)).map(|rule| plain(&self.purpose(&rule.id)))
    }
}
