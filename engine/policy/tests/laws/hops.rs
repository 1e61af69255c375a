//! What each gate is for.

use sayso_policy::Gate;
use sayso_policy::profile::Processing;
use sayso_types::ProcessorKind as Kind;

/// What is done with data at each gate, and for whom it is there.
pub(crate) fn hop(gate: Gate) -> (Processing, &'static [Kind]) {
    use Kind::*;
    match gate {
        Gate::Ingress => (Processing::Collect, &Kind::ALL),
        Gate::VoiceActivity => (Processing::Analyse, &[Vad]),
        Gate::Recognition => (Processing::Transmit, &[Asr]),
        Gate::SpeakerIdentification => (Processing::Identify, &[Voiceprint]),
        Gate::Vision => (Processing::Transmit, &[Vision]),
        Gate::Dialogue => (Processing::Transmit, &[Llm, Embedding, Moderation]),
        Gate::Tool => (Processing::Transmit, &[Tool, MqttBroker]),
        Gate::Speech => (Processing::Transmit, &[Tts]),
        Gate::ChatHistory | Gate::ConversationAudio => (Processing::Store, &[Database]),
        Gate::Memory => (Processing::Store, &[Llm, Embedding, Database]),
        Gate::Access => (Processing::Export, &[Database]),
        Gate::Log => (Processing::Record, &[Database]),
        Gate::Replica => (Processing::Copy, &[Database]),
        Gate::Contact => (Processing::Contact, &[Sms, Email, Call, Push]),
        Gate::DeviceReport => (Processing::Collect, &[Database]),
        Gate::Telemetry => (Processing::Analyse, &[Database]),
    }
}
