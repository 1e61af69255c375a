//! Taking numbers out of what is passed on and remembered, as the policy says.

use sayso_policy::Redactor;
use sayso_types::Category;
use zeroize::Zeroize;

use super::Register;

/// Takes out of texts what a policy says, and counts it.
#[derive(Debug)]
pub struct TakesOut(Redactor);

impl Register {
    /// What takes out of data of `category` what the policy says, in any revision that somebody may be governed by.
    #[must_use]
    pub fn takes_out(&self, category: Category) -> TakesOut {
        TakesOut(self.revisions().redactor(category))
    }
}

impl TakesOut {
    /// Whether the policy takes nothing out.
    pub(crate) fn is_nothing(&self) -> bool {
        self.0 == Redactor::default()
    }

    /// Leaves in `text` what may go further. Where there is nothing to take out it is not touched; otherwise what it was is
    /// wiped.
    pub fn of(&self, text: &mut String) {
        let Some(redacted) = self.0.redact(text) else { return };
        text.zeroize();
        *text = redacted.text;
        for what in redacted.taken {
            metrics::counter!("sayso_numbers_taken_out_total", "what" => what.name()).increment(1);
        }
    }
}
