//! How people agree, refuse and are asked again.

use super::Writer;
use crate::Tongue;
use crate::markdown::plain;
use crate::profile::Acceptance;

impl Writer<'_> {
    pub(super) fn freedom(&self) -> String {
        let effects = self.document.category.iter().filter_map(|(id, rule)| {
            let effect = rule.refusal_effect.get(&self.tongue.language())?;
            Some(format!("- {}{}{}", plain(&self.category(*id)), self.tongue.pick(": ", "："), plain(effect)))
        });
        let free = self.say(
            "You are free to say no, to all of it or to part, and may change your mind. Whoever refuses what is needed \
             for something goes without that, and nothing else.",
            "你可以全部或部分拒绝，也可以改变主意。拒绝某项功能所必需的数据，只会无法使用该功能，不影响其他功能。",
        );
        let below = self.document.minors.guardian_required_below;
        let guardian = match self.tongue {
            Tongue::English => format!("Below the age of {below}, a guardian decides, and is verified first."),
            Tongue::Chinese => format!("未满 {below} 岁的，由监护人决定，并须先核实监护人身份。"),
        };
        let guardian = (below > 0).then_some(guardian);
        let lines = [free].into_iter().chain(guardian);
        let text = lines.collect::<Vec<_>>().join(self.tongue.pick(" ", ""));
        let effects: Vec<_> = effects.collect();
        if effects.is_empty() { text } else { format!("{text}\n\n{}", effects.join("\n")) }
    }

    pub(super) fn separate(&self) -> String {
        let asked: Vec<_> = self.consented(|_| true).collect();
        let asked = asked.join(self.tongue.pick(", ", "、"));
        let spoken = &self.document.asks.spoken;
        let together: Vec<_> = self.consented(|id| spoken.len() > 1 && spoken.contains(id)).collect();
        let together = together.join(self.tongue.pick(", ", "、"));
        let others = match self.tongue {
            _ if together == asked => "",
            Tongue::English => " Each of the others is asked for alone.",
            Tongue::Chinese => "其余各项单独征求。",
        };
        let apart = self.document.category.iter().filter(|(_, rule)| rule.separate);
        let apart: Vec<_> = apart.map(|(id, _)| plain(&self.category(*id))).collect();
        let first = match self.tongue {
            _ if asked.is_empty() => {
                self.say("Nothing here rests on your consent.", "此处没有以你的同意为基础的处理。")
            }
            Tongue::English if together.is_empty() => {
                format!("You agree to each of these apart, and can take each back alone: {asked}.")
            }
            Tongue::Chinese if together.is_empty() => format!("以下各项分别征求同意，可以分别撤回：{asked}。"),
            Tongue::English => format!(
                "Each of these is recorded apart, and you can take each back alone: {asked}. The spoken question asks together \
                 for what follows, and one yes agrees to all of it: {together}.{others} By other means than by voice you can \
                 agree to each alone."
            ),
            Tongue::Chinese => format!(
                "以下各项分别记录，可以分别撤回：{asked}。语音询问一并征求以下各项的同意，回答一次即同意全部：{together}。{others}\
                 通过语音以外的方式，可以分别同意。"
            ),
        };
        let apart_text = apart.join(self.tongue.pick(", ", "、"));
        match self.tongue {
            _ if apart.is_empty() => first,
            Tongue::English => format!("{first} These are asked about on their own: {apart_text}."),
            Tongue::Chinese => format!("{first}以下数据须单独同意：{apart_text}。"),
        }
    }

    pub(super) fn frequency(&self) -> String {
        self.say(
            "You are asked once, when it is needed, and not again while your answer holds; whoever said “not now” may be \
             asked again.",
            "只在需要时询问一次，答复有效期间不再询问；回答“以后再说”的，可能再次询问。",
        )
    }

    pub(super) fn renewed_consent(&self) -> String {
        match self.document.revision.material {
            Acceptance::Consent => self.say(
                "A change that matters holds for you only after you have agreed to it; until then the revision that you \
                 agreed to goes on governing.",
                "重大变更须经你重新同意才对你生效；在此之前继续适用你已同意的版本。",
            ),
            Acceptance::ContinuedUse => self.say(
                "According to the written policy a change that matters holds for whoever goes on using the service.",
                "按书面政策，继续使用服务即视为接受重大变更。",
            ),
            Acceptance::Notice => self.say(
                "According to the written policy a change that matters holds once you have been told.",
                "按书面政策，重大变更自告知之时起生效。",
            ),
        }
    }
}
