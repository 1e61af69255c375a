//! [`Flow`]: one way that a profile lets data go once nothing about the person stands against it.

use sayso_types::Category;

use crate::profile::{Document, Processing, Processor, ProcessorState, PurposeRule};

/// One way that data may go: a category, for a purpose, to a processor that is in use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow<'a> {
    pub(crate) purpose: &'a PurposeRule,
    pub(crate) id: Category,
    pub(crate) processor: &'a Processor,
}

impl Document {
    /// Every way that data may go, by purpose, category and processor; without what is prohibited for everybody.
    pub(crate) fn flows(&self) -> impl Iterator<Item = Flow<'_>> {
        let uses = self.purpose.values().flat_map(|purpose| {
            let used = self.category.iter().filter(|(_, rule)| rule.purposes.contains(&purpose.id));
            used.map(move |(id, _)| (purpose, *id))
        });
        let flows = uses
            .flat_map(|(purpose, id)| self.processor.values().map(move |processor| Flow { purpose, id, processor }));
        flows.filter(|flow| flow.is_open() && !self.is_prohibited(flow))
    }

    fn is_prohibited(&self, flow: &Flow<'_>) -> bool {
        let purpose = flow.purpose;
        let does = |done| done == Processing::Transmit || purpose.processing.contains(&done);
        self.prohibition.iter().any(|rule| rule.covers((purpose.id, Some(purpose)), flow.id, does, u8::MAX))
    }
}

impl Flow<'_> {
    fn is_open(&self) -> bool {
        let processor = self.processor;
        processor.state == ProcessorState::Active
            && processor.accepts.contains(&self.id)
            && processor.purposes.contains(&self.purpose.id)
    }
}

#[cfg(test)]
mod tests {
    use crate::profile::Draft;

    const HOME: &str = include_str!("../../../deploy/profiles/home.toml");

    /// The ways of a home with `changes`.
    fn flows(changes: &str) -> Vec<String> {
        let draft = Draft::parse(&format!("extends = \"home.toml\"\n{changes}"), Some(HOME)).unwrap();
        let named = |flow: super::Flow<'_>| format!("{}/{}/{}", flow.purpose.id, flow.id, flow.processor.id);
        draft.document().flows().map(named).collect()
    }

    #[test]
    fn a_way_is_open_where_receiver_category_and_purpose_agree() {
        let home = [
            "consent_answer/voice_audio/vad-local",
            "consent_answer/voice_audio/whisper-local",
            "memory/memory_summary/rules-local",
            "memory/memory_summary/store-local",
            "notice/notice_text/voice-local",
            "voice_interaction/reply_text/voice-local",
            "voice_interaction/transcript/rules-local",
            "voice_interaction/voice_audio/vad-local",
            "voice_interaction/voice_audio/whisper-local",
        ];
        assert_eq!(flows(""), home);
        let without = |gone: &str| home.into_iter().filter(|way| !way.contains(gone)).collect::<Vec<_>>();
        let processor = |change: &str| format!("processor = [{{ {change} }}]");
        assert_eq!(flows(&processor("id = \"store-local\", state = \"suspended\"")), without("store-local"));
        assert_eq!(
            flows(&processor("id = \"rules-local\", purposes = [\"voice_interaction\"]")),
            without("summary/rules")
        );
        assert_eq!(flows(&processor("id = \"rules-local\", accepts = [\"transcript\"]")), without("summary/rules"));
    }

    #[test]
    fn what_is_prohibited_for_everybody_is_no_way() {
        let closed = |prohibition: &str| {
            let open = flows(&format!("prohibition = [{{ {prohibition} }}]"));
            flows("").into_iter().filter(|way| !open.contains(way)).collect::<Vec<_>>()
        };
        assert_eq!(closed("category = \"reply_text\""), ["voice_interaction/reply_text/voice-local"]);
        assert_eq!(closed("processing = \"Transmit\""), flows(""), "each goes somewhere");
        let nothing: [&str; 0] = [];
        assert_eq!(closed("processing = \"Publish\""), nothing);
        assert_eq!(closed("category = \"reply_text\", when = { age_lt = 18 }"), nothing, "adults remain");
        let published = "purpose = [{ id = \"notice\", processing = [\"Publish\"] }]\n";
        let open = flows(&format!("{published}prohibition = [{{ processing = \"Publish\" }}]"));
        assert!(!open.iter().any(|way| way.starts_with("notice/")) && open.len() == 8, "{open:?}");
    }
}
