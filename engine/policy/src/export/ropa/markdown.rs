//! The record of processing as a document for people.

use super::{Activity, OnBehalf, Recipient, Ropa};
use crate::Tongue;
use crate::markdown::{Table, plain};
use crate::words::{deadline, kept, named, party, period, title, words};

impl Ropa<'_> {
    /// The record in Markdown.
    #[must_use]
    pub fn markdown(&self, tongue: Tongue) -> String {
        let mut parts = vec![self.head(tongue)];
        parts.extend(self.on_behalf.as_ref().map(|on_behalf| on_behalf.markdown(tongue)));
        parts.extend(self.activities.iter().map(|activity| activity.markdown(tongue)));
        parts.push(self.protection(tongue));
        parts.join("\n\n") + "\n"
    }

    fn head(&self, tongue: Tongue) -> String {
        let Self { profile, rev, effective_at, jurisdiction, controller, .. } = self;
        let contact: Vec<_> = controller.contact.ways().map(plain).collect();
        let (name, role, contact) = (plain(controller.name), words(&controller.role, tongue), contact.join("; "));
        let head = match tongue {
            Tongue::English => format!(
                "# Record of processing\n\nProfile {profile}, revision {rev}, effective {effective_at}, written for \
                 jurisdiction {jurisdiction} (GDPR 30, PIPL 55).\n\n- Responsible ({role}): {name}\n- Contact: {contact}"
            ),
            Tongue::Chinese => format!(
                "# 个人信息处理活动记录\n\n政策 {profile}，第 {rev} 版，自 {effective_at} 起生效，适用法域 {jurisdiction}（GDPR \
                 第30条，个人信息保护法第55条）。\n\n- 负责方（{role}）：{name}\n- 联系方式：{contact}"
            ),
        };
        let Self { controller, supervisor, .. } = self;
        let joint = controller.joint.iter().map(|who| (tongue.pick("Decides with it", "共同处理者"), who));
        let speaks = controller.representative.map(|who| (tongue.pick("Representative", "境内代表"), who));
        let dpo = controller.dpo.map(|who| (tongue.pick("Data protection officer", "个人信息保护负责人"), who));
        let colon = tongue.pick(": ", "：");
        let others = joint.chain(speaks).chain(dpo).map(|(label, who)| {
            let ways: Vec<_> = who.contact.ways().map(plain).collect();
            format!("\n- {label}{colon}{}; {}", plain(&who.name), ways.join("; "))
        });
        let supervisor =
            supervisor.map(|name| format!("\n- {}{colon}{}", tongue.pick("Supervised by", "监管部门"), plain(name)));
        others.chain(supervisor).fold(head, |head, line| head + &line)
    }

    fn protection(&self, tongue: Tongue) -> String {
        let mut lines = vec![format!("## {}\n", tongue.pick("Measures", "安全措施"))];
        lines.extend(self.measures.iter().map(|(id, measure)| format!("- {id}: {}", plain(&measure.how))));
        if let Some(kept) = self.audit_retention {
            let label = tongue.pick(
                "the audit log, of which nothing is ever taken out, is kept for at least",
                "审计日志（其内容从不删除）至少保存",
            );
            lines.push(format!("- {label} {}", period(kept, tongue)));
        }
        if lines.len() == 1 {
            lines.push(tongue.pick("The profile declares none.", "政策未声明。").to_owned());
        }
        lines.join("\n")
    }
}

impl OnBehalf {
    fn markdown(&self, tongue: Tongue) -> String {
        let tenants: Vec<_> = self.tenants.iter().map(|tenant| plain(tenant.as_str())).collect();
        let tenants = if tenants.is_empty() {
            tongue
                .pick("each tenant whose instructions the node has on record", "节点上有处理指示记录的每一个租户")
                .to_owned()
        } else {
            tenants.join(tongue.pick(", ", "、"))
        };
        let mut lines = match tongue {
            Tongue::English => vec![
                "## On behalf of others\n".to_owned(),
                format!("- As a processor (GDPR 30(2), PIPL 21), on the instructions of: {tenants}"),
            ],
            Tongue::Chinese => vec![
                "## 受托处理\n".to_owned(),
                format!("- 作为受托人（GDPR 第30条第2款，个人信息保护法第21条），依照以下各方的指示处理：{tenants}"),
            ],
        };
        lines.extend(self.processing.iter().map(|(purpose, categories)| {
            let categories: Vec<_> = categories.iter().map(ToString::to_string).collect();
            format!("- `{purpose}`{}{}", tongue.pick(": ", "："), categories.join(", "))
        }));
        lines.join("\n")
    }
}

impl Activity<'_> {
    fn markdown(&self, tongue: Tongue) -> String {
        let name = title(self.title, self.purpose.as_str(), tongue);
        let code = self.basis_code.map(|code| format!(" ({})", plain(code))).unwrap_or_default();
        let subjects: Vec<_> = self.subjects.iter().map(|subject| words(subject, tongue)).collect();
        let subjects =
            if subjects.is_empty() { tongue.pick("nobody", "不涉及个人").to_owned() } else { subjects.join("; ") };
        let mut head = format!(
            "## {} (`{}`)\n\n- {}: {}\n- {}: {}{code}\n- {}: {subjects}",
            plain(&name),
            self.purpose,
            tongue.pick("Purpose", "目的"),
            plain(self.dpv),
            tongue.pick("Basis", "合法性基础"),
            self.basis,
            tongue.pick("Whose data", "涉及的个人"),
        );
        if let Some(assessment) = self.impact_assessment {
            let label = tongue.pick("Impact assessment", "个人信息保护影响评估");
            head.push_str(&format!("\n- {label}: {}", plain(&assessment.to_string())));
        }
        [Some(head), self.data(tongue), self.receivers(tongue)].into_iter().flatten().collect::<Vec<_>>().join("\n\n")
    }

    fn data(&self, tongue: Tongue) -> Option<String> {
        let mut table = match tongue {
            Tongue::English => Table::new(["Data", "Terms", "Sensitivity", "Time limit"]),
            Tongue::Chinese => Table::new(["数据", "术语", "敏感程度", "保存期限"]),
        };
        for category in &self.categories {
            table.row([
                title(category.title, category.category.as_str(), tongue),
                category.dpv.iter().cloned().collect::<Vec<_>>().join(", "),
                words(&category.sensitivity, tongue).to_owned(),
                kept(category.retention, tongue),
            ]);
        }
        (!self.categories.is_empty()).then(|| table.text())
    }

    fn receivers(&self, tongue: Tongue) -> Option<String> {
        let mut table = match tongue {
            Tongue::English => {
                Table::new(["Recipient", "Receives", "Where", "Transfer", "Keeps it", "Contract", "Contact"])
            }
            Tongue::Chinese => Table::new(["接收方", "接收内容", "地点", "出境依据", "保存期限", "合同", "联系方式"]),
        };
        for to in &self.recipients {
            let transfer = self.transfers.iter().find(|transfer| transfer.processor == to.processor);
            let receives = to.categories.iter().map(|id| {
                let used = self.categories.iter().find(|category| category.category == *id);
                used.map_or_else(|| id.to_string(), |used| title(used.title, id.as_str(), tongue))
            });
            let parts = [
                Some(words(&to.kind, tongue)),
                to.role.map(|role| words(&role, tongue)),
                to.partner_type.map(|sort| words(&sort, tongue)),
            ];
            let parts = parts.into_iter().flatten().collect::<Vec<_>>().join(tongue.pick(", ", "，"));
            table.row([
                format!("{} ({parts})", party(to.party, tongue)),
                receives.collect::<Vec<_>>().join(", "),
                named(to.region, &to.region_class, tongue),
                transfer.map_or_else(|| "-".to_owned(), |t| t.mechanism.map_or("-", |m| words(m, tongue)).to_owned()),
                to.declared_retention.map_or_else(|| "-".to_owned(), |kept| deadline(kept, tongue)),
                bound(to, tongue),
                to.contact.unwrap_or("-").to_owned(),
            ]);
        }
        (!self.recipients.is_empty()).then(|| table.text())
    }
}

/// By what agreement and what instructions a receiver is bound.
fn bound(to: &Recipient<'_>, tongue: Tongue) -> String {
    let contract = to.contract.unwrap_or("-");
    match to.instructions_ref {
        Some(instructions) => format!("{contract}{}{instructions}", tongue.pick("; instructions: ", "；指示：")),
        None => contract.to_owned(),
    }
}
