//! What of a device the purposes of a policy need, and so what ends when somebody takes it away there.

use sayso_types::{Name, Purpose};

use crate::profile::{CategoryRule, LegalBasis, Necessity, Profile};

impl Profile {
    /// The purposes that rest on consent and cannot go on without `capability`, such as `microphone`: those that require data
    /// which needs it, and those that collect nothing but such data. A purpose that can do without goes on.
    #[must_use]
    pub fn purposes_needing(&self, capability: Name) -> Vec<Purpose> {
        let needs = |rule: &CategoryRule| rule.capability.contains(capability.as_str());
        let cannot_go_on = |purpose: Purpose| {
            let used = self.categories().map(|(_, rule)| rule).filter(|rule| rule.purposes.contains(&purpose));
            let collected: Vec<_> = used.filter(|rule| rule.derived_from.is_empty()).collect();
            let (lost, kept): (Vec<_>, Vec<_>) = collected.into_iter().partition(|rule| needs(rule));
            let is_required = |rule: &&CategoryRule| match rule.necessity {
                Some(Necessity::Required) => true,
                Some(Necessity::RequiredFor(only)) => only == purpose,
                Some(Necessity::Optional) | None => false,
            };
            lost.iter().any(is_required) || !lost.is_empty() && kept.is_empty()
        };
        let asked = self.purposes().filter(|rule| rule.basis == LegalBasis::Consent).map(|rule| rule.id);
        asked.filter(|purpose| cannot_go_on(*purpose)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Draft;

    /// What of a home needs `capability` when speech needs a microphone, and pictures, which may be used to talk and to
    /// remember but need not, a camera.
    fn needing(capability: &str, more: &str) -> Vec<Purpose> {
        let home = include_str!("../../../deploy/profiles/home.toml");
        let text = format!(
            "extends = \"home.toml\"\n[category.voice_audio]\ncapability = [\"microphone\"]\n{more}\
             [category.image]\ncapability = [\"camera\"]\nnecessity = \"Optional\"\n\
             purposes = [\"voice_interaction\", \"memory\"]\ntitle = {{ en = \"Pictures\", zh = \"图像\" }}\n\
             dpv = [\"pd:Picture\"]\nsensitivity = \"high\"\nat_rest = \"forbidden\"\n\
             retention = {{ trigger = \"turn.end\", after = \"PT0S\", action = \"zeroise\" }}\n"
        );
        Draft::parse(&text, Some(home)).unwrap().unlinted().purposes_needing(capability.parse().unwrap())
    }

    #[test]
    fn a_purpose_ends_without_what_it_requires_or_without_all_that_it_collects() {
        assert_eq!(needing("microphone", ""), [Purpose::VOICE_INTERACTION], "speech is required to talk");
        assert_eq!(needing("camera", ""), [Purpose::MEMORY], "nothing but pictures is collected to remember");
        assert_eq!(needing("gyroscope", ""), []);
        // speech is collected to remember as well, and only required to talk
        let also = "purposes = [\"consent_answer\", \"voice_interaction\", \"memory\"]\n";
        assert_eq!(needing("microphone", also), [Purpose::VOICE_INTERACTION]);
        assert_eq!(needing("camera", also), []);
    }
}
