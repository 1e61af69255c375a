//! [`Ropa`]: the record of processing activities (GDPR 30; PIPL 55 and 56 ask for the same and more).

mod markdown;

use sayso_types::{Category, ProcessorId, ProcessorKind, Purpose, RegionClass, TenantId};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

use crate::flow::Flow;
use crate::profile::{
    CategoryRule, Contact, ControllerRole, DataSubject, Date, Document, Identifies, ImpactAssessment, Language,
    Measure, Mechanism, Necessity, PartnerType, ProcessorRole, Responsible, Retention, Sensitivity, Src,
};
use crate::{Deadline, LegalBasis, Period};

/// The record of processing: who is responsible for what, with whose data, to whom it goes, where, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ropa<'a> {
    /// The profile that it was taken from.
    pub profile: String,
    /// Its revision.
    pub rev: u32,
    /// From when it holds.
    pub effective_at: &'a Date,
    /// Whose law it is written for.
    pub jurisdiction: &'a str,
    /// Who answers for it.
    pub controller: RopaController<'a>,
    /// The authority that supervises it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supervisor: Option<&'a str>,
    /// What is done for others, who decide (GDPR 30(2)); nothing where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf: Option<OnBehalf>,
    /// What data is used for, a purpose each.
    pub activities: Vec<Activity<'a>>,
    /// The measures that protect it.
    pub measures: BTreeMap<String, &'a Measure>,
    /// How long the audit log is kept.
    pub audit_retention: Option<Period>,
}

/// Who answers for the processing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RopaController<'a> {
    /// The person or organisation.
    pub name: &'a str,
    /// In which role.
    pub role: ControllerRole,
    /// How to reach them.
    pub contact: &'a Contact,
    /// The others who decide together with it.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub joint: &'a BTreeSet<Responsible>,
    /// Who speaks for it where it is not itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub representative: Option<&'a Responsible>,
    /// Who looks after the protection of data there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dpo: Option<&'a Responsible>,
}

/// What is done with data of the users of tenants, on whose instructions. Recipients, transfers and measures are those of the
/// activities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OnBehalf {
    /// The tenants, as far as whoever asked for the record named them: a profile knows that there are some, the node's
    /// registry which.
    pub tenants: BTreeSet<TenantId>,
    /// What is processed for them, by purpose.
    pub processing: BTreeMap<Purpose, BTreeSet<Category>>,
}

/// What is done for one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Activity<'a> {
    /// The purpose.
    pub purpose: Purpose,
    /// What people call it.
    pub title: &'a BTreeMap<Language, String>,
    /// The DPV purpose that it is a case of.
    pub dpv: &'a str,
    /// By what right.
    pub basis: LegalBasis,
    /// Where that is written.
    pub basis_code: Option<&'a str>,
    /// Where it was assessed what it may do to people (PIPL 55, 56; GDPR 35).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impact_assessment: Option<&'a ImpactAssessment>,
    /// Whose data it is.
    pub subjects: BTreeSet<DataSubject>,
    /// The kinds of data.
    pub categories: Vec<RopaCategory<'a>>,
    /// Who receives it.
    pub recipients: Vec<Recipient<'a>>,
    /// What goes abroad, and by what right.
    pub transfers: Vec<Transfer<'a>>,
    /// The clauses of the written policy, or the articles of a law, that say so.
    pub clauses: &'a Src,
}

/// One kind of data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RopaCategory<'a> {
    /// The category.
    pub category: Category,
    /// What people call it.
    pub title: &'a BTreeMap<Language, String>,
    /// Its DPV terms.
    pub dpv: &'a BTreeSet<String>,
    /// How much harm it can do.
    pub sensitivity: Sensitivity,
    /// How closely it leads to the person.
    pub identifies: Identifies,
    /// Whether the service can do without.
    pub necessity: Option<&'a Necessity>,
    /// When it ends.
    pub retention: Option<&'a Retention>,
}

/// One receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Recipient<'a> {
    /// The processor.
    pub processor: ProcessorId,
    /// Who runs it.
    pub party: &'a str,
    /// What sort of service it is.
    pub kind: ProcessorKind,
    /// What they are to the controller, where they are not merely hired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<ProcessorRole>,
    /// Of a partner, in which way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partner_type: Option<PartnerType>,
    /// Where it stands.
    pub region: &'a str,
    /// How far that is.
    pub region_class: RegionClass,
    /// How to reach them.
    pub contact: Option<&'a str>,
    /// The agreement that binds it.
    pub contract: Option<&'a str>,
    /// The instructions that it follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions_ref: Option<&'a str>,
    /// How long it says that it keeps what it receives.
    pub declared_retention: Option<&'a Deadline>,
    /// What it receives.
    pub categories: BTreeSet<Category>,
}

/// One receiver abroad.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Transfer<'a> {
    /// The processor.
    pub processor: ProcessorId,
    /// The country.
    pub region: &'a str,
    /// By what legal means; nothing when there is none.
    pub mechanism: Option<&'a Mechanism>,
}

impl<'a> Ropa<'a> {
    /// The record of `document`.
    #[must_use]
    pub fn of(document: &'a Document) -> Self {
        let flows: Vec<_> = document.flows().collect();
        let header = &document.profile;
        Self {
            profile: header.id.to_string(),
            rev: header.rev,
            effective_at: &header.effective_at,
            jurisdiction: &header.jurisdiction,
            controller: RopaController {
                name: &document.controller.name,
                role: document.controller.role,
                contact: &document.controller.contact,
                joint: &document.controller.joint,
                representative: document.controller.representative.as_ref(),
                dpo: document.controller.dpo.as_ref(),
            },
            supervisor: header.supervisor.as_deref(),
            on_behalf: OnBehalf::of(document),
            activities: document.purpose.keys().map(|purpose| Activity::of(*purpose, document, &flows)).collect(),
            measures: document.security.measures.iter().map(|(id, measure)| (id.to_string(), measure)).collect(),
            audit_retention: document.security.audit_retention,
        }
    }
}

impl Ropa<'_> {
    /// With the tenants on whose behalf data is processed, where it is.
    #[must_use]
    pub fn with_tenants(mut self, tenants: impl IntoIterator<Item = TenantId>) -> Self {
        if let Some(on_behalf) = &mut self.on_behalf {
            on_behalf.tenants.extend(tenants);
        }
        self
    }
}

impl OnBehalf {
    /// Data of tenants' users is processed for the tenants; everything is by whoever decides about nothing.
    fn of(document: &Document) -> Option<Self> {
        let decides = document.controller.role != ControllerRole::DataProcessor;
        let is_meant =
            |rule: &&CategoryRule| rule.is_personal() && (!decides || rule.subject == DataSubject::TenantUser);
        let mut processing = BTreeMap::<Purpose, BTreeSet<Category>>::new();
        for (id, rule) in document.category.iter().filter(|(_, rule)| is_meant(rule)) {
            for purpose in &rule.purposes {
                processing.entry(*purpose).or_default().insert(*id);
            }
        }
        (!decides || !processing.is_empty()).then(|| Self { tenants: BTreeSet::new(), processing })
    }
}

impl<'a> Activity<'a> {
    fn of(purpose: Purpose, document: &'a Document, flows: &[Flow<'a>]) -> Self {
        let rule = &document.purpose[&purpose];
        let used = || document.category.iter().filter(|(_, rule)| rule.purposes.contains(&purpose));
        let mut recipients = BTreeMap::<ProcessorId, Recipient<'a>>::new();
        for flow in flows.iter().filter(|flow| flow.purpose.id == purpose) {
            let recipient = recipients.entry(flow.processor.id).or_insert_with(|| Recipient::of(flow));
            recipient.categories.insert(flow.id);
        }
        let abroad = recipients.values().filter(|r| r.region_class == RegionClass::Overseas);
        let transfers = abroad.map(|r| Transfer {
            processor: r.processor,
            region: r.region,
            mechanism: document.processor[&r.processor].mechanism.as_ref(),
        });
        Self {
            purpose,
            title: &rule.title,
            dpv: &rule.dpv,
            basis: rule.basis,
            basis_code: rule.basis_code.as_deref(),
            impact_assessment: rule.impact_assessment.as_ref(),
            subjects: used().filter(|(_, rule)| rule.is_personal()).map(|(_, rule)| rule.subject).collect(),
            categories: used().map(|(id, rule)| RopaCategory::of(*id, rule, document)).collect(),
            transfers: transfers.collect(),
            recipients: recipients.into_values().collect(),
            clauses: &rule.src,
        }
    }
}

impl<'a> RopaCategory<'a> {
    fn of(category: Category, rule: &'a CategoryRule, document: &'a Document) -> Self {
        Self {
            category,
            title: &rule.title,
            dpv: &rule.dpv,
            sensitivity: rule.sensitivity,
            identifies: rule.identifies,
            necessity: rule.necessity.as_ref(),
            retention: document.retention_of(rule),
        }
    }
}

impl<'a> Recipient<'a> {
    fn of(flow: &Flow<'a>) -> Self {
        let processor = flow.processor;
        Self {
            processor: processor.id,
            party: &processor.party,
            kind: processor.kind,
            role: processor.role,
            partner_type: processor.partner_type,
            region: &processor.region,
            region_class: processor.region_class,
            contact: processor.contact.as_deref(),
            contract: processor.contract.as_deref(),
            instructions_ref: processor.instructions_ref.as_deref(),
            declared_retention: processor.declared_retention.as_ref(),
            categories: BTreeSet::new(),
        }
    }
}
