//! [`Case`]: the profile under examination, with the laws that it names.

use crate::law::LawFloor;
use crate::profile::{CategoryRule, Document, Draft, LegalBasis, PurposeRule};
use crate::{Deadline, Period, WorkingCalendar};

/// What every rule looks at.
pub(super) struct Case<'a> {
    /// What the profile says.
    pub(super) document: &'a Document,
    /// The laws that it names, as far as they are known.
    pub(super) laws: Vec<&'static LawFloor>,
    /// What those ask together, with what is common to every profile.
    pub(super) law: LawFloor,
    /// The calendar of its working days, if it is known.
    pub(super) calendar: Option<&'a WorkingCalendar>,
}

impl<'a> Case<'a> {
    pub(super) fn of(draft: &'a Draft) -> Self {
        let document = draft.document();
        let laws: Vec<_> = document.profile.law_floor.iter().filter_map(|name| LawFloor::named(name)).collect();
        let law = LawFloor::of(document.profile.law_floor.iter().map(String::as_str));
        Self { document, laws, law, calendar: draft.calendar() }
    }

    /// The categories that say something about a person, with their ids.
    pub(super) fn personal(&self) -> impl Iterator<Item = (String, &'a CategoryRule)> {
        let categories = self.document.category.iter().filter(|(_, rule)| rule.is_personal());
        categories.map(|(id, rule)| (id.to_string(), rule))
    }

    /// The purposes of `category`.
    pub(super) fn purposes(&self, category: &'a CategoryRule) -> impl Iterator<Item = &'a PurposeRule> {
        category.purposes.iter().filter_map(|id| self.document.purpose.get(id))
    }

    /// Those that rest on consent.
    pub(super) fn agreed(&self, category: &'a CategoryRule) -> impl Iterator<Item = &'a PurposeRule> {
        self.purposes(category).filter(|purpose| purpose.basis == LegalBasis::Consent)
    }

    /// How long a deadline of retention or of a right is. Words are as long as `defaults.reasonable_time`.
    pub(super) fn length(&self, deadline: &Deadline) -> Option<Period> {
        deadline.period().or_else(|| self.document.defaults.reasonable_time.as_ref()?.period())
    }
}
