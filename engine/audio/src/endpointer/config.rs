//! [`EndpointConfig`]: how patient the endpointer is, per agent.

use serde::{Deserialize, Serialize};

use crate::error::in_range;
use crate::{Aggressiveness, Error, FRAME_MS};

/// Where utterances begin and end. Milliseconds are counted in frames of [`FRAME_MS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct EndpointConfig {
    /// Sound kept from before the voice, 0 to 2,000 ms. Default 300: soft beginnings ("f", "h") are not voice to the
    /// detector, and recognisers want a little quiet in front.
    pub pre_roll_ms: u32,
    /// Voice that makes an utterance, 20 to 1,000 ms. Default 120: shorter than "no", longer than a click or cough.
    /// It is also what a barge-in waits for.
    pub min_speech_ms: u32,
    /// Silence that ends an utterance, 100 to 5,000 ms. Default 600: people pause up to about half a second within a
    /// sentence. All of it is latency of the answer.
    pub hangover_ms: u32,
    /// Longest utterance with its pre-roll, 1,000 to 120,000 ms. Default 15,000: what the engine keeps to replay an
    /// utterance. A device that never ends its utterance ends here.
    pub max_utterance_ms: u32,
    /// How sure the voice detector must be, 0 to 3. Default 2.
    pub aggressiveness: Aggressiveness,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            pre_roll_ms: 300,
            min_speech_ms: 120,
            hangover_ms: 600,
            max_utterance_ms: 15_000,
            aggressiveness: Aggressiveness::default(),
        }
    }
}

impl EndpointConfig {
    /// Whether every setting is in its range.
    ///
    /// # Errors
    /// [`Error::Setting`] names the first that is not.
    pub fn check(&self) -> Result<(), Error> {
        in_range("pre-roll-ms", self.pre_roll_ms, 0..=2_000)?;
        in_range("min-speech-ms", self.min_speech_ms, FRAME_MS..=1_000)?;
        in_range("hangover-ms", self.hangover_ms, 100..=5_000)?;
        let shortest = (self.pre_roll_ms + self.min_speech_ms + FRAME_MS).max(1_000);
        in_range("max-utterance-ms", self.max_utterance_ms, shortest..=120_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_range_and_a_partial_configuration_fills_up_with_them() {
        assert_eq!(EndpointConfig::default().check(), Ok(()));
        let config: EndpointConfig = serde_json::from_str(r#"{"hangover-ms": 400, "aggressiveness": 3}"#).unwrap();
        assert_eq!(config.hangover_ms, 400);
        assert_eq!(config.aggressiveness, Aggressiveness::VeryAggressive);
        assert_eq!(config.pre_roll_ms, 300);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |json| serde_json::from_str::<EndpointConfig>(json).unwrap_err().to_string();
        assert!(refused(r#"{"hang_over_ms": 400}"#).contains("hang_over_ms"));
        assert!(refused(r#"{"aggressiveness": 4}"#).contains("aggressiveness must be 0 to 3, is 4"));

        let config = EndpointConfig { pre_roll_ms: 2_000, max_utterance_ms: 1_500, ..EndpointConfig::default() };
        let error = config.check().unwrap_err().to_string();
        assert_eq!(error, "max-utterance-ms must be 2140 to 120000, is 1500");
    }
}
