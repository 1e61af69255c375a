//! What is asked of every profile: [`Seed`], and of its decisions: [`Person`].

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use sayso_policy::profile::Draft;
use sayso_policy::{
    AgeBand, ConsentState, ConsentStatus, ConsentType, Gate, InForce, Instructions, Profile, PurposeConsent, Question,
    Registry, decide,
};
use sayso_types::{ConsentVersion, Label, ProcessorId, RegionClass, SubjectId, TenantId, TurnId, WallTime};

/// 28 May 2026.
const NOW: WallTime = WallTime(1_780_000_000_000);

/// Findings that are expected: the rule, the keys (with white space between them), and the source that names it. 7.5 is
/// the list of rules with the policies that break them; clauses, conflicts and defects are those of the requirements.
pub(crate) type Expected = (&'static str, &'static str, &'static str);
/// A decision that is promised: who, `purpose/category/processor`, the basis or the reason against it, the clause.
pub(crate) type Promise<'a> = (&'a Person, &'a str, &'a str, &'a str);

/// A written policy and the variant that can be run.
pub(crate) struct Seed {
    pub(crate) written: &'static str,
    pub(crate) lawful: &'static str,
}

impl Seed {
    /// The policy as written.
    pub(crate) fn written(&self) -> Draft {
        Draft::parse(self.written, None).unwrap()
    }

    /// The variant with `from` replaced, for what an operator may do to it.
    pub(crate) fn changed(&self, from: &str, to: &str) -> Draft {
        assert!(self.lawful.contains(from), "the lawful variant has no {from:?} any more");
        Draft::parse(&self.lawful.replacen(from, to, 1), Some(self.written)).unwrap()
    }

    /// The variant that can be run.
    pub(crate) fn lawful(&self) -> Profile {
        Draft::parse(self.lawful, Some(self.written)).unwrap().accept().unwrap()
    }

    /// The policy as written raises what is expected, each finding as often as it is listed, and nothing else.
    pub(crate) fn raises(&self, expected: &[Expected]) {
        let findings = self.written().lint();
        let mut open: Vec<_> = findings.iter().collect();
        let mut wrong = Vec::new();
        let single = expected
            .iter()
            .flat_map(|(rule, keys, source)| keys.split_whitespace().map(move |key| (rule, key, source)));
        for (rule, key, source) in single {
            match open.iter().position(|f| f.rule.id() == *rule && f.place.key == key) {
                Some(at) => drop(open.swap_remove(at)),
                None => wrong.push(format!("not found: {rule} at {key} ({source})")),
            }
        }
        wrong.extend(open.iter().map(|f| format!("no source names it: {f}")));
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }

    /// The variant raises nothing, and waives at the most that its notices go by ways of the operator's own.
    pub(crate) fn variant_raises_nothing(&self) {
        let draft = Draft::parse(self.lawful, Some(self.written)).unwrap();
        let findings = draft.lint().into_iter().filter(|finding| finding.waived.is_none());
        let findings: Vec<_> = findings.map(|finding| finding.to_string()).collect();
        assert!(findings.is_empty(), "\n{}", findings.join("\n"));
        let waived = &draft.document().lint.waive;
        assert!(waived.len() <= 1 && waived.iter().all(|waiver| waiver.rule == "NOTICE_NOT_CARRIED_OUT"), "{waived:?}");
        self.names_its_own_text_alone();
    }

    /// The policy as written names the hash of its text. What is put right is another text, so the variant has none of it.
    fn names_its_own_text_alone(&self) {
        let has_hash =
            |draft: &Draft| draft.document().source.iter().map(|one| one.sha256.is_some()).collect::<Vec<_>>();
        let written = has_hash(&self.written());
        assert!(!written.is_empty() && written.iter().all(|has| *has));
        let variant = Draft::parse(self.lawful, Some(self.written)).unwrap();
        assert!(has_hash(&variant).iter().all(|has| !has));
    }

    /// The profile has these clauses (ids with white space between them), each once and no other.
    pub(crate) fn has_clauses(&self, ids: &str) {
        let draft = self.written();
        let there: BTreeSet<_> = draft.document().clause.keys().map(|id| id.as_str()).collect();
        assert_eq!(there, ids.split_whitespace().collect());
    }

    /// Every clause is kept by something, and what it says shows it is a test that there is.
    pub(crate) fn clauses_are_shown_or_say_what_they_wait_for(&self) {
        for clause in self.written().document().clause.values() {
            let shown = !clause.tests.is_empty() || clause.awaits.is_some() || clause.outside.is_some();
            assert!(shown, "{}: no test, and nothing that it waits for", clause.id);
            assert!(!clause.says.trim().is_empty(), "{}", clause.id);
            for test in &clause.tests {
                let (file, name) = test.split_once("::").unwrap();
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
                let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {file}: {e}", clause.id));
                assert!(text.contains(&format!("fn {name}(")), "{}: there is no test {test}", clause.id);
            }
        }
    }

    /// Decisions under the variant are those that are promised.
    pub(crate) fn decides(&self, promises: &[Promise<'_>]) {
        assert_decisions(&self.lawful(), promises);
    }
}

/// Decisions under `profile` are those that are promised.
pub(crate) fn assert_decisions(profile: &Profile, promises: &[Promise<'_>]) {
    let wrong = promises.iter().filter_map(|(person, cell, promised, clause)| {
        let answer = person.ask(profile, cell);
        (answer != *promised).then(|| format!("{cell}: {answer}, but {clause} promises {promised}"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Somebody whose data it is, and what they said.
#[derive(Clone)]
pub(crate) struct Person {
    state: ConsentState,
    answers: Vec<(String, ConsentType, bool)>,
    /// How many revisions ago they said it.
    rev_behind: u32,
    /// Whether nobody told them of services that have a policy of their own.
    is_untold: bool,
    /// Whether their tenant has not attested where data of its people comes from.
    is_unattested: bool,
}

/// Whose people they are.
fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

impl Person {
    /// An adult who was asked nothing yet.
    pub(crate) fn adult() -> Self {
        Self::aged(AgeBand::Adult)
    }

    /// Somebody of that age who was asked nothing yet.
    pub(crate) fn aged(age: AgeBand) -> Self {
        Self {
            state: ConsentState { age, tenant: Some(tenant()), ..ConsentState::new() },
            answers: Vec::new(),
            rev_behind: 0,
            is_untold: false,
            is_unattested: false,
        }
    }

    /// With a guardian who was verified and agreed.
    pub(crate) fn with_guardian(mut self) -> Self {
        self.state.guardian_verified = true;
        self
    }

    /// Who lets data go no further than this.
    pub(crate) fn no_further_than(mut self, farthest: RegionClass) -> Self {
        self.state.farthest = farthest;
        self
    }

    /// Who was told of no service that has a policy of its own.
    pub(crate) fn untold(mut self) -> Self {
        self.is_untold = true;
        self
    }

    /// Whose tenant has not attested where data of its people comes from.
    pub(crate) fn of_an_unattested_tenant(mut self) -> Self {
        self.is_unattested = true;
        self
    }

    /// Who closed their account.
    pub(crate) fn closed(mut self) -> Self {
        self.state.is_closed = true;
        self
    }

    /// Who merely goes on using the service for `purposes`.
    pub(crate) fn goes_on(self, purposes: &str) -> Self {
        self.answer(purposes, ConsentType::Implied, false)
    }

    /// Who said yes to `purposes`.
    pub(crate) fn yes(self, purposes: &str) -> Self {
        self.answer(purposes, ConsentType::Expressed, false)
    }

    /// Who said yes to each of `purposes` when asked for it alone and by its name.
    pub(crate) fn yes_to_each(self, purposes: &str) -> Self {
        self.answer(purposes, ConsentType::ExplicitlyExpressed, true)
    }

    /// Who said all this under an earlier revision of the policy.
    pub(crate) fn asked_a_revision_ago(mut self) -> Self {
        self.rev_behind = 1;
        self
    }

    fn answer(mut self, purposes: &str, consent_type: ConsentType, separate: bool) -> Self {
        self.answers.extend(purposes.split_whitespace().map(|p| (p.to_owned(), consent_type, separate)));
        self
    }

    /// The answer of `decide()` for `purpose/category/processor`: the basis of a permit, the reason of a denial.
    pub(crate) fn ask(&self, profile: &Profile, cell: &str) -> String {
        let [purpose, category, processor] = cell.split('/').collect::<Vec<_>>().try_into().unwrap();
        let label = Label {
            subject: SubjectId([1; 16]),
            category: category.parse().unwrap(),
            purpose: purpose.parse().unwrap(),
            turn: TurnId(1),
            cv: ConsentVersion(1),
        };
        let processor: ProcessorId = processor.parse().unwrap();
        // whoever the profile does not know would be asked at some gate
        let gate = profile.processor(processor).map_or(Gate::Dialogue, |known| Gate::of(known.kind));
        let in_force = InForce::new(Arc::new(profile.clone())).with_registry(self.instructed(profile));
        let question = Question { label, gate, processor, now: NOW };
        match decide(&question, &self.state(profile), &in_force).answer {
            Ok(grounds) => grounds.basis.to_string(),
            Err(reason) => reason.to_string(),
        }
    }

    /// What the person's tenant instructs: all that the profile has.
    fn instructed(&self, profile: &Profile) -> Registry {
        let purposes = profile.purposes().map(|rule| rule.id).collect();
        let categories = profile.categories().map(|(id, _)| id).collect();
        let instructions = Instructions { purposes, categories, until: None, attested: !self.is_unattested };
        Registry::default().with_instructions([(tenant(), instructions)])
    }

    fn state(&self, profile: &Profile) -> ConsentState {
        let consent = |(purpose, consent_type, separate): &(String, ConsentType, bool)| {
            let given = PurposeConsent {
                status: ConsentStatus::Given,
                consent_type: *consent_type,
                separate: *separate,
                written: false,
                given_at: ConsentVersion(1),
                profile_rev: profile.rev().wrapping_sub(self.rev_behind),
                expires_at: None,
            };
            (purpose.parse().unwrap(), given)
        };
        let consents = self.answers.iter().map(consent).collect();
        let told =
            profile.introductions().map(|introduction| introduction.hash()).filter(|_| !self.is_untold).collect();
        ConsentState { cv: ConsentVersion(1), consents, told, ..self.state.clone() }
    }
}
