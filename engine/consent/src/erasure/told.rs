//! A certificate as people read it.

use core::fmt::Write as _;

use sayso_policy::tongue::Tongue;
use sayso_types::WallTime;

use super::approval::Approval;
use super::certificate::{Certificate, Deleted, Ground, Residual};
use super::legal_minimum::LegalMinimum;

impl Certificate {
    /// What it says, and who answers for what remains, in sentences of `tongue`; moments as `moment` shows them.
    #[must_use]
    pub fn told(&self, approvals: &[Approval], tongue: Tongue, moment: impl Fn(WallTime) -> String) -> String {
        let say = |english: String, chinese: String| match tongue {
            Tongue::English => english,
            Tongue::Chinese => chinese,
        };
        let mut text = String::new();
        let mut line = |line: String| writeln!(text, "{line}").expect("a string takes what is written");
        let id = hex::encode(self.erasure);
        line(say(format!("Certificate of erasure {id}"), format!("删除证明 {id}")));
        let what = match self.category {
            Some(category) => category.to_string(),
            None => say("everything that was sealed".to_owned(), "全部加密保存的数据".to_owned()),
        };
        line(say(format!("Erased: {what}"), format!("已删除：{what}")));
        for ground in &self.grounds {
            let of = hex::encode(ground.reference().0);
            line(match ground {
                Ground::Withdrawal(_) => {
                    say(format!("Because consent was withdrawn ({of})"), format!("原因：撤回同意（{of}）"))
                }
                Ground::Refusal(_) => {
                    say(format!("Because consent was not given ({of})"), format!("原因：未予同意（{of}）"))
                }
                Ground::Request(_) => {
                    say(format!("Because it was asked for ({of})"), format!("原因：本人请求（{of}）"))
                }
                Ground::Retention(_) => {
                    say(format!("Because its time was over ({of})"), format!("原因：保存期限届满（{of}）"))
                }
                Ground::Expiry(_) => {
                    say(format!("Because consent was over ({of})"), format!("原因：同意已到期（{of}）"))
                }
                Ground::Shutdown(_) => {
                    say(format!("Because the service has ended ({of})"), format!("原因：服务终止（{of}）"))
                }
                Ground::Revocation(_) => {
                    say(format!("Because consent was ended ({of})"), format!("原因：同意被终止（{of}）"))
                }
                Ground::Invalidation(_) => {
                    say(format!("Because consent had not been valid ({of})"), format!("原因：同意无效（{of}）"))
                }
                Ground::Tenant(_) => say(
                    format!("Because the provider that it was kept for is served no more ({of})"),
                    format!("原因：不再为该服务商提供服务（{of}）"),
                ),
                Ground::Visit(_) => {
                    say(format!("Because a guest's visit is over ({of})"), format!("原因：访客的来访已结束（{of}）"))
                }
                Ground::Minor(_) => say(
                    format!("Because it is a child's whose guardian is not verified ({of})"),
                    format!("原因：未成年人的监护人未经核实（{of}）"),
                ),
            });
        }
        let (asked, done) = (moment(self.asked_at), moment(self.certified_at));
        line(say(format!("Asked for at {asked}, done at {done}"), format!("请求时间 {asked}，完成时间 {done}")));
        for key in &self.keys {
            let (category, generation, id) = (key.category, key.generation, hex::encode(key.key));
            line(say(
                format!("Destroyed: key {generation} of {category}, {id}"),
                format!("已销毁：{category} 的第 {generation} 号密钥，{id}"),
            ));
        }
        if self.shares_keys {
            line(say(
                "The keys stay, because something else is kept under them; what was erased is deleted".to_owned(),
                "密钥保留，因为同类的其他数据仍由其加密；上述内容已删除".to_owned(),
            ));
        } else if self.keys.is_empty() && !self.is_kept_by_law() {
            line(say("There was no key: nothing had been sealed".to_owned(), "没有密钥：从未保存过数据".to_owned()));
        }
        if self.is_purged && self.replicas.is_empty() {
            line(say(
                "Keys and records are no longer in the files of this node's stores".to_owned(),
                "密钥和记录已不在本节点存储的文件中".to_owned(),
            ));
        } else if self.is_purged {
            let nodes = |between: &str| self.replicas.iter().map(u64::to_string).collect::<Vec<_>>().join(between);
            line(say(
                format!("Keys and records are no longer in the files of any replica: nodes {}", nodes(", ")),
                format!("密钥和记录已不在任何副本的文件中：节点 {}", nodes("、")),
            ));
        }
        for Deleted { id, party, at, answer } in &self.deleted {
            let (at, answer) = (moment(*at), hex::encode(answer));
            line(say(
                format!("Deleted by {party} ({id}) as well, which it said at {at}; SHA-256 of its answer: {answer}"),
                format!("{party}（{id}）已于 {at} 确认删除；其答复的 SHA-256：{answer}"),
            ));
        }
        line(say("What remains:".to_owned(), "仍然存在的：".to_owned()));
        for residual in &self.residuals {
            line(format!("- {}", residual.told(tongue, &moment)));
            for Approval { reason, by, at, .. } in approvals.iter().filter(|one| one.residual == residual.name()) {
                let at = moment(*at);
                line(say(
                    format!("  {by} answers for it since {at}: {reason}"),
                    format!("  自 {at} 起由 {by} 对此负责：{reason}"),
                ));
            }
        }
        text
    }
}

impl Residual {
    pub(crate) fn told(&self, tongue: Tongue, moment: impl Fn(WallTime) -> String) -> String {
        let until = |until: &Option<WallTime>| match (until.map(&moment), tongue) {
            (Some(at), Tongue::English) => format!("until {at}"),
            (Some(at), Tongue::Chinese) => format!("至 {at}"),
            (None, Tongue::English) => "for how long is not declared".to_owned(),
            (None, Tongue::Chinese) => "期限未声明".to_owned(),
        };
        match (self, tongue) {
            (Self::Processor { id, party, until: end, told_at: Some(at), .. }, Tongue::English) => {
                let (at, end) = (moment(*at), until(end));
                format!("what {party} ({id}) was given, {end}; told to delete it at {at}, it has not said that it did")
            }
            (Self::Processor { id, party, until: end, told_at: Some(at), .. }, Tongue::Chinese) => {
                let (at, end) = (moment(*at), until(end));
                format!("已提供给{party}（{id}）的数据，{end}；已于 {at} 要求其删除，尚未得到确认")
            }
            (Self::Processor { id, party, can_be_told, until: end, .. }, Tongue::English) => {
                let told = if *can_be_told { "; ask it to delete" } else { "; it cannot be told to delete" };
                format!("what {party} ({id}) was given, {}{told}", until(end))
            }
            (Self::Processor { id, party, can_be_told, until: end, .. }, Tongue::Chinese) => {
                let told = if *can_be_told { "；可要求其删除" } else { "；无法要求其删除" };
                format!("已提供给{party}（{id}）的数据，{}{told}", until(end))
            }
            (Self::LegalMinimum(LegalMinimum { category, law, until }), Tongue::English) => {
                let at = moment(*until);
                format!("{category}, which {law} demands to be kept: sealed and used for nothing, until it ends at {at}")
            }
            (Self::LegalMinimum(LegalMinimum { category, law, until }), Tongue::Chinese) => {
                let at = moment(*until);
                format!("{law} 要求保存的 {category}：仅加密存储、不作他用，将于 {at} 自动删除")
            }
            (Self::KeyBackups { until: end }, Tongue::English) => {
                format!("backups of the keys that were made before, {}", until(end))
            }
            (Self::KeyBackups { until: end }, Tongue::Chinese) => format!("此前制作的密钥备份，{}", until(end)),
            (Self::StoreLogs { until: end }, Tongue::English) => {
                format!("what was deleted, in logs and files that the store has not overwritten yet, {}", until(end))
            }
            (Self::StoreLogs { until: end }, Tongue::Chinese) => {
                format!("存储的日志和文件中尚未覆盖的已删除内容，{}", until(end))
            }
            (Self::Evidence, Tongue::English) => {
                "consent records, withdrawals, requests, notices and the audit log, which prove what was agreed and done"
                    .to_owned()
            }
            (Self::Evidence, Tongue::Chinese) => "同意记录、撤回、请求、通知和审计日志，用以证明同意和处理的情况".to_owned(),
            (Self::Device, Tongue::English) => "what a device keeps by itself".to_owned(),
            (Self::Device, Tongue::Chinese) => "设备自身保存的内容".to_owned(),
            (Self::People, Tongue::English) => "what people copied, noted or remember".to_owned(),
            (Self::People, Tongue::Chinese) => "他人复制、记下或记住的内容".to_owned(),
        }
    }
}
