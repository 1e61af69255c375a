//! On which grounds each policy does without consent: those that it lists open what enough people approved, for as long as that
//! is in force, and no other ground opens anything.

use sayso_audit::ActorTag;
use sayso_consent::exemption::Terms;
use sayso_policy::profile::ExemptionCode;

use super::{Gates, OPEN};
use crate::keeping::{AIWELLFLOW, CHAT_AI, Shipped, XIAOSUAN, ZEGO, category, purpose};
use crate::world::processor;

const ANN: ActorTag = ActorTag([1; 16]);
const OTHERS: [ActorTag; 2] = [ActorTag([2; 16]), ActorTag([3; 16])];

/// The grounds on which data of somebody who agreed to nothing passes on `way`.
async fn opened_by(policy: Shipped, way: &str) -> String {
    let gates = Gates::of(policy).await;
    let (anna, register) = (gates.0.stranger().await, gates.0.register.clone());
    let [what_for, what, to] = way.split('/').collect::<Vec<_>>().try_into().unwrap();
    let mut opened = Vec::new();
    for code in ExemptionCode::ALL {
        let terms = Terms {
            code,
            subject: Some(anna),
            purposes: [purpose(what_for)].into(),
            categories: [category(what)].into(),
            processors: [processor(to)].into(),
            lasts: "PT1H".parse().unwrap(),
            evidence_sha256: [7; 32],
            demand: None,
            reading: None,
        };
        let Ok(proposed) = register.propose_exemption(terms, ANN).await else { continue };
        let needed = proposed.approvers_needed(&register.profile());
        for by in OTHERS.into_iter().take(needed.into()) {
            assert_eq!(gates.answer(anna, way).await, "no_basis", "{code}: too few have approved it");
            register.approve_exemption(proposed.id, by).await.unwrap();
        }
        if gates.answer(anna, way).await == OPEN {
            opened.push(code.as_str());
        }
        register.revoke_exemption(proposed.id, ANN).await.unwrap();
        assert_eq!(gates.answer(anna, way).await, "no_basis", "{code}: it was taken back");
    }
    opened.join(" ")
}

/// AW-4.4, XS-I.4, ZG-4.2: but for what no law knows (X09, X12), which the variants leave out.
#[tokio::test]
async fn what_is_collected_without_consent_is_so_on_the_grounds_of_the_policy_and_no_other() {
    for (policy, way, grounds) in [
        (AIWELLFLOW, "diagnostics/usage_log/store-local", "X01 X02 X03 X04 X05 X06 X08 X14"),
        (CHAT_AI, "feedback/feedback/store-local", ""),
        (XIAOSUAN, "security_position/coordinates/operations", "X01 X03 X04 X05 X06 X07 X08 X10 X11 X14"),
        (ZEGO, "customer_visit/account_email/zego-mail", "X01 X02 X03 X04 X05 X06 X07 X14"),
    ] {
        assert_eq!(opened_by(policy, way).await, grounds, "{way}");
    }
}
