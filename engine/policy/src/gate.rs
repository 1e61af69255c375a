//! [`Gate`]: the hops at which data is asked about, each with what is done there.

use core::fmt;

use sayso_types::{Name, ProcessorKind};

use crate::profile::Processing;

/// A hop on the way of data through the engine. Whatever crosses one has been decided on there.
///
/// What is done at a gate is held against the profile: a prohibition of it closes the gate, storing needs data that may
/// be stored, a log takes nothing that a person said, telemetry nothing that leads to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// H0: a frame from a device is taken in, for the processor that it is meant for. The engine takes sound in for
    /// [`VoiceActivity`](Self::VoiceActivity) and pictures for [`Vision`](Self::Vision), so that it asks there; see
    /// [`does`](Self::does).
    Ingress,
    /// H1: speech is looked for in audio.
    VoiceActivity,
    /// H2: audio goes to a recogniser.
    Recognition,
    /// H3: a voice is enrolled or compared.
    SpeakerIdentification,
    /// H4: a picture goes to a vision model.
    Vision,
    /// H5: text with its context goes to a language model, its search or its moderation.
    Dialogue,
    /// H6: arguments go to a tool or to a device.
    Tool,
    /// H7: text goes to a voice.
    Speech,
    /// H8: the text of a conversation is written down.
    ChatHistory,
    /// H9: the sound of a conversation is written down.
    ConversationAudio,
    /// H10: memory is written, or made into less. What a model reads to make it from crosses [`Dialogue`](Self::Dialogue).
    Memory,
    /// H11: a person or an operator reads or takes out what is stored.
    Access,
    /// H12: a line of a log, a metric or a trace is written.
    Log,
    /// H13: a replica or a backup is placed.
    Replica,
    /// H14: a message is sent to a person.
    Contact,
    /// H15: a device reports what it is and runs.
    DeviceReport,
    /// H16: a set for analytics, training or research is made.
    Telemetry,
}

impl Gate {
    /// Every gate, in the order of the hops.
    pub const ALL: [Self; 17] = [
        Self::Ingress,
        Self::VoiceActivity,
        Self::Recognition,
        Self::SpeakerIdentification,
        Self::Vision,
        Self::Dialogue,
        Self::Tool,
        Self::Speech,
        Self::ChatHistory,
        Self::ConversationAudio,
        Self::Memory,
        Self::Access,
        Self::Log,
        Self::Replica,
        Self::Contact,
        Self::DeviceReport,
        Self::Telemetry,
    ];

    /// The gate in front of a processor of `kind`. A database has several; this is the one through which the engine
    /// itself writes.
    #[must_use]
    pub const fn of(kind: ProcessorKind) -> Self {
        match kind {
            ProcessorKind::Vad => Self::VoiceActivity,
            ProcessorKind::Asr => Self::Recognition,
            ProcessorKind::Voiceprint => Self::SpeakerIdentification,
            ProcessorKind::Vision => Self::Vision,
            ProcessorKind::Llm | ProcessorKind::Embedding | ProcessorKind::Moderation => Self::Dialogue,
            ProcessorKind::Tool => Self::Tool,
            ProcessorKind::Tts => Self::Speech,
            ProcessorKind::Database => Self::Memory,
            ProcessorKind::Sms | ProcessorKind::Email | ProcessorKind::Call | ProcessorKind::Push => Self::Contact,
            ProcessorKind::MqttBroker => Self::Ingress,
        }
    }

    /// What is done with data there.
    #[must_use]
    pub const fn processing(self) -> Processing {
        match self {
            Self::Ingress | Self::DeviceReport => Processing::Collect,
            Self::VoiceActivity | Self::Telemetry => Processing::Analyse,
            Self::Recognition | Self::Vision | Self::Dialogue | Self::Tool | Self::Speech => Processing::Transmit,
            Self::SpeakerIdentification => Processing::Identify,
            Self::ChatHistory | Self::ConversationAudio | Self::Memory => Processing::Store,
            Self::Access => Processing::Export,
            Self::Log => Processing::Record,
            Self::Replica => Processing::Copy,
            Self::Contact => Processing::Contact,
        }
    }

    /// Whether `processing` is done there. What a device sends is taken in for whoever gets it first, who stands behind the
    /// first of these gates: so what may not be taken in ([`Ingress`](Self::Ingress)) is not looked at either.
    #[must_use]
    pub fn does(self, processing: Processing) -> bool {
        let takes_in = matches!(self, Self::VoiceActivity | Self::Vision) && processing == Processing::Collect;
        processing == self.processing() || takes_in
    }

    /// Whether data stays behind it, so that it must be such as may be stored.
    #[must_use]
    pub const fn stores(self) -> bool {
        matches!(self.processing(), Processing::Store | Processing::Copy)
    }

    /// Whether data is used there. Keeping a copy of what is stored is not using it, nor is showing it to its person.
    #[must_use]
    pub const fn uses(self) -> bool {
        !matches!(self, Self::Access | Self::Replica)
    }

    /// Whether a processor of `kind` stands behind it. Behind [`Ingress`](Self::Ingress) may stand any: what nobody may
    /// have is not taken in.
    #[must_use]
    pub const fn leads_to(self, kind: ProcessorKind) -> bool {
        match self {
            Self::Ingress => true,
            Self::VoiceActivity => matches!(kind, ProcessorKind::Vad),
            Self::Recognition => matches!(kind, ProcessorKind::Asr),
            Self::SpeakerIdentification => matches!(kind, ProcessorKind::Voiceprint),
            Self::Vision => matches!(kind, ProcessorKind::Vision),
            Self::Dialogue => {
                matches!(kind, ProcessorKind::Llm | ProcessorKind::Embedding | ProcessorKind::Moderation)
            }
            Self::Tool => matches!(kind, ProcessorKind::Tool | ProcessorKind::MqttBroker),
            Self::Speech => matches!(kind, ProcessorKind::Tts),
            Self::Memory => matches!(kind, ProcessorKind::Llm | ProcessorKind::Embedding | ProcessorKind::Database),
            Self::Contact => {
                matches!(kind, ProcessorKind::Sms | ProcessorKind::Email | ProcessorKind::Call | ProcessorKind::Push)
            }
            Self::ChatHistory
            | Self::ConversationAudio
            | Self::Access
            | Self::Log
            | Self::Replica
            | Self::DeviceReport
            | Self::Telemetry => matches!(kind, ProcessorKind::Database),
        }
    }

    /// Its number among the hops: 0 for H0.
    #[must_use]
    pub const fn hop(self) -> u8 {
        self as u8
    }

    /// Its name in audit leaves and metrics.
    #[must_use]
    pub const fn name(self) -> Name {
        Name::constant(match self {
            Self::Ingress => "ingress",
            Self::VoiceActivity => "voice_activity",
            Self::Recognition => "recognition",
            Self::SpeakerIdentification => "speaker_identification",
            Self::Vision => "vision",
            Self::Dialogue => "dialogue",
            Self::Tool => "tool",
            Self::Speech => "speech",
            Self::ChatHistory => "chat_history",
            Self::ConversationAudio => "conversation_audio",
            Self::Memory => "memory",
            Self::Access => "access",
            Self::Log => "log",
            Self::Replica => "replica",
            Self::Contact => "contact",
            Self::DeviceReport => "device_report",
            Self::Telemetry => "telemetry",
        })
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name().fmt(f)
    }
}

/// A set of gates: one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gates(u32);

impl Gates {
    pub(crate) const fn contains(self, gate: Gate) -> bool {
        self.0 & 1 << gate.hop() != 0
    }

    pub(crate) const fn insert(&mut self, gate: Gate) {
        self.0 |= 1 << gate.hop();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const KINDS: [ProcessorKind; 15] = ProcessorKind::ALL;

    #[test]
    fn hops_are_numbered_and_named_once() {
        assert!(Gate::ALL.iter().enumerate().all(|(hop, gate)| usize::from(gate.hop()) == hop));
        let names: BTreeSet<_> = Gate::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), Gate::ALL.len());
        assert!(names.contains("speaker_identification") && names.iter().all(|name| name.len() > 2));
    }

    /// Written out as the table of the hops is, so that a change of one is a change of two.
    #[test]
    fn what_is_done_at_each_and_for_whom() {
        use Processing::*;
        use ProcessorKind as Kind;
        let table: [(Processing, bool, &[Kind]); 17] = [
            (Collect, false, &KINDS),
            (Analyse, false, &[Kind::Vad]),
            (Transmit, false, &[Kind::Asr]),
            (Identify, false, &[Kind::Voiceprint]),
            (Transmit, false, &[Kind::Vision]),
            (Transmit, false, &[Kind::Llm, Kind::Embedding, Kind::Moderation]),
            (Transmit, false, &[Kind::Tool, Kind::MqttBroker]),
            (Transmit, false, &[Kind::Tts]),
            (Store, true, &[Kind::Database]),
            (Store, true, &[Kind::Database]),
            (Store, true, &[Kind::Llm, Kind::Embedding, Kind::Database]),
            (Export, false, &[Kind::Database]),
            (Record, false, &[Kind::Database]),
            (Copy, true, &[Kind::Database]),
            (Contact, false, &[Kind::Sms, Kind::Email, Kind::Call, Kind::Push]),
            (Collect, false, &[Kind::Database]),
            (Analyse, false, &[Kind::Database]),
        ];
        for (gate, (processing, stores, kinds)) in Gate::ALL.into_iter().zip(table) {
            assert_eq!((gate.processing(), gate.stores()), (processing, stores), "{gate}");
            for kind in KINDS {
                assert_eq!(gate.leads_to(kind), kinds.contains(&kind), "{gate} {kind:?}");
            }
        }
        let idle: Vec<_> = Gate::ALL.into_iter().filter(|gate| !gate.uses()).collect();
        assert_eq!(idle, [Gate::Access, Gate::Replica], "everywhere else data is used");
    }

    #[test]
    fn what_is_taken_in_is_taken_in_where_it_goes_first() {
        for gate in Gate::ALL {
            let takes_in = [Gate::Ingress, Gate::VoiceActivity, Gate::Vision, Gate::DeviceReport].contains(&gate);
            assert_eq!(gate.does(Processing::Collect), takes_in, "{gate}");
            assert!(gate.does(gate.processing()), "{gate}");
        }
        assert!(!Gate::VoiceActivity.does(Processing::Transmit), "and nothing else is done there");
    }

    #[test]
    fn every_kind_stands_behind_its_gate() {
        for kind in KINDS {
            assert!(Gate::of(kind).leads_to(kind), "{kind:?}");
        }
        for (kind, gate) in [
            (ProcessorKind::Asr, Gate::Recognition),
            (ProcessorKind::Llm, Gate::Dialogue),
            (ProcessorKind::Embedding, Gate::Dialogue),
            (ProcessorKind::Database, Gate::Memory),
            (ProcessorKind::MqttBroker, Gate::Ingress),
        ] {
            assert_eq!(Gate::of(kind), gate, "{kind:?}");
        }
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let mut gates = Gates::default();
        gates.insert(Gate::Ingress);
        gates.insert(Gate::Telemetry);
        gates.insert(Gate::Telemetry);
        let held: Vec<_> = Gate::ALL.into_iter().filter(|gate| gates.contains(*gate)).collect();
        assert_eq!(held, [Gate::Ingress, Gate::Telemetry]);
    }
}
