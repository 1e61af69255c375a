//! A copy as people read it: a page of Markdown.

use core::fmt::Write as _;

use sayso_policy::Tongue;
use sayso_types::WallTime;

use super::besides::Besides;
use super::copy::Copy;
use super::items::Item;
use super::names::right_name;
use super::request::Standing;
use crate::complaints::Outcome;
use crate::erasure::Approval;

impl Copy {
    /// What it says, as a page in `tongue`; moments as `moment` shows them.
    #[must_use]
    pub fn page(&self, tongue: Tongue, moment: impl Fn(WallTime) -> String) -> String {
        let say = |english: &'static str, chinese: &'static str| match tongue {
            Tongue::English => english,
            Tongue::Chinese => chinese,
        };
        let mut page = Page(String::new());
        page.line(format_args!("# {}", say("A copy of what is held of you", "你的个人数据副本")));
        page.line(format_args!(""));
        page.item(say("Made at", "生成时间"), &moment(self.made_at));
        page.item(say("Your pseudonym", "你的假名"), &self.subject.to_string());
        page.item(say("Who answers for it", "数据处理者"), &self.policy.controller);
        page.item(say("Policy", "政策"), &format!("{} {}", self.policy.id, self.policy.rev));
        page.heading(say("What you agreed to", "你的同意"), self.consents.is_empty(), tongue);
        for consent in &self.consents {
            page.item(consent.purpose.as_str(), consent.status.dpv());
        }
        page.heading(say("What you took back", "你的撤回"), self.withdrawals.is_empty(), tongue);
        for withdrawn in &self.withdrawals {
            let of = match (withdrawn.purposes.as_slice(), withdrawn.part) {
                (_, Some(part)) => part.to_string(),
                ([], None) => say("everything", "全部").to_owned(),
                (purposes, None) => purposes.join(", "),
            };
            page.item(&moment(withdrawn.requested_at), &of);
        }
        page.heading(say("What you asked to have remembered", "你要求记住的内容"), self.remembered.is_empty(), tongue);
        for (key, value) in &self.remembered {
            page.item(key, value);
        }
        page.heading(say("What is kept of you", "为你保存的内容"), self.kept.is_empty(), tongue);
        for item in &self.kept {
            let at = moment(item.collected_at);
            page.item(&format!("{at} {} ({})", item.category, item.purpose), &told(item));
        }
        if !self.restricted.is_empty() {
            let kept = say("It is kept and used for nothing, as you asked.", "应你的要求，以上内容仅保存，不作他用。");
            page.line(format_args!("\n{kept}"));
        }
        page.heading(say("What you asked for", "你的请求"), self.requests.is_empty(), tongue);
        for asked in &self.requests {
            let standing = match asked.standing {
                Standing::Unverified | Standing::Verified | Standing::Accepted => say("open", "处理中"),
                Standing::Fulfilled => say("done", "已完成"),
                Standing::PartlyFulfilled => say("done as far as it can be", "已部分完成"),
                Standing::Rejected(_) => say("refused", "已拒绝"),
            };
            page.item(&format!("{} {}", moment(asked.received_at), right_name(asked.kind)), standing);
        }
        page.heading(say("Who received what", "谁收到了什么"), self.received.is_empty(), tongue);
        for received in &self.received {
            let (first, last) = (moment(received.first_at), moment(received.last_at));
            let what = format!("{} > {} ({})", received.category, received.processor, received.purpose);
            let uncounted = match received.uncounted {
                0 => String::new(),
                times => format!(", {} {times}", say("times that nobody counted", "未计量次数")),
            };
            page.item(&what, &format!("{} B{uncounted}, {first} - {last}", received.bytes));
        }
        page.heading(say("What the operator's people read", "运营方人员查看了什么"), self.read.is_empty(), tongue);
        for read in &self.read {
            let rows = format!("{} {}", say("how many", "条数"), read.rows);
            let why = read.ticket_sha256.as_ref().map(|ticket| format!(", {} {ticket}", say("ticket", "工单")));
            let what = format!("{} {}", moment(read.at), read.category);
            page.item(&what, &format!("{rows}{}", why.unwrap_or_default()));
        }
        self.besides(&mut page, tongue, &moment);
        page.heading(say("What was erased", "已删除的内容"), self.certificates.is_empty(), tongue);
        for certificate in &self.certificates {
            let approvals = self.approvals.iter().filter(|one| one.erasure == certificate.erasure);
            let role = say("the operator", "运营方").to_owned();
            let approvals: Vec<_> = approvals
                .map(|one| Approval { residual: one.residual, reason: one.reason, by: role.clone(), at: one.at })
                .collect();
            page.line(format_args!("```text\n{}```", certificate.told(&approvals, tongue, &moment)));
        }
        page.0
    }

    /// What else is on record of the person.
    fn besides(&self, page: &mut Page, tongue: Tongue, moment: impl Fn(WallTime) -> String) {
        let say =
            |english: &'static str, chinese: &'static str| if tongue == Tongue::English { english } else { chinese };
        let Besides { complaints, disclosures, exemptions, holds } = &self.besides;
        page.heading(say("What you complained about", "你的投诉"), complaints.is_empty(), tongue);
        for one in complaints {
            let outcome = match one.outcome {
                None => say("open", "处理中"),
                Some(Outcome::Upheld) => say("upheld", "成立"),
                Some(Outcome::UpheldInPart) => say("upheld in part", "部分成立"),
                Some(Outcome::NotUpheld) => say("not upheld", "不成立"),
            };
            page.item(&moment(one.received_at), outcome);
        }
        page.heading(say("What authorities were given", "提供给有关部门的内容"), disclosures.is_empty(), tongue);
        for one in disclosures {
            let what: Vec<_> = one.categories.iter().map(ToString::to_string).collect();
            page.item(&format!("{} {} ({})", moment(one.made_at), one.authority, one.law), &what.join(", "));
        }
        page.heading(say("What was done without your consent", "未经你同意的处理"), exemptions.is_empty(), tongue);
        for one in exemptions {
            let what: Vec<_> = one.categories.iter().map(ToString::to_string).collect();
            page.item(&format!("{} {}", moment(one.first_used_at), one.grant), &what.join(", "));
        }
        page.heading(say("What a law has us keep", "法律要求保存的内容"), holds.is_empty(), tongue);
        for one in holds {
            let what = one.category.map_or_else(|| say("everything", "全部").to_owned(), |one| one.to_string());
            page.item(&format!("{} {}", moment(one.set_at), one.law), &what);
        }
    }
}

/// A page that is being written; what is put into it is shown as it is.
struct Page(String);

impl Page {
    fn line(&mut self, line: core::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a string takes what is written");
    }

    fn heading(&mut self, heading: &str, is_empty: bool, tongue: Tongue) {
        self.line(format_args!("\n## {heading}\n"));
        if is_empty {
            self.line(format_args!("{}", if tongue == Tongue::English { "Nothing." } else { "无。" }));
        }
    }

    fn item(&mut self, name: &str, value: &str) {
        self.line(format_args!("- {}: {}", plain(name), plain(value)));
    }
}

/// What is kept, in short: its text, or what its bytes are.
fn told(item: &Item) -> String {
    match &item.text {
        Some(text) => text.clone(),
        None => format!("{}, {} B", item.media_type, item.bytes),
    }
}

/// `text` on one line, and without anything that Markdown or HTML makes something of.
fn plain(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut plain = String::with_capacity(line.len());
    for c in line.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '&' | '#' | '|') {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_say_is_shown_and_makes_nothing() {
        assert_eq!(plain("a [link](x)\n# <b>"), "a \\[link\\](x) \\# \\<b>");
    }
}
