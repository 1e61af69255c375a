//! The conversation as tables and stories: what happened, what the session wanted done.

mod consenting;
mod conversing;
mod failing;
mod laws;
mod telling;
mod viewing;
mod visiting;
mod withdrawing;

use core::time::Duration;

use sayso_types::{ConsentVersion, PictureFormat, Redacted, SessionId};
use sayso_wire::PictureOffer;

use super::consenting::prompt_id;
use super::*;
use crate::{Ending, Prompts, SpeechKind};

const SESSION: SessionId = SessionId([7; 16]);

const GIVEN: ConsentView = ConsentView {
    cv: ConsentVersion(1),
    standing: Standing::Given,
    memory: false,
    pictures: false,
    history: false,
    asks_again: Vec::new(),
};
const WITHDRAWING: ConsentView = ConsentView {
    cv: ConsentVersion(2),
    standing: Standing::Withdrawing,
    memory: false,
    pictures: false,
    history: false,
    asks_again: Vec::new(),
};
const WITHDRAWN: ConsentView = ConsentView {
    cv: ConsentVersion(2),
    standing: Standing::Withdrawn,
    memory: false,
    pictures: false,
    history: false,
    asks_again: Vec::new(),
};

/// A session under test: feeds events on a clock of its own and keeps what came out.
struct Rig {
    session: Session,
    now: Mono,
    out: Vec<Effect>,
}

impl Rig {
    fn new(consent: ConsentView) -> Self {
        let prompts = Prompts {
            consent: "May I listen? Please say yes or no.".into(),
            thanks: "Thank you very much.".into(),
            refused: "All right, I will not.".into(),
            deferred: "I will ask another time.".into(),
            consent_again: "The terms have changed. May I listen? Please say yes or no.".into(),
            kept: "Then it stays as it was.".into(),
            withdrawn: "I have stopped listening.".into(),
            taken_back: "It is taken back.".into(),
            not_understood: "Sorry, was that a yes?".into(),
            more: vec!["It stays in your home.".into(), "You can say no.".into()],
            guest_mode: "A guest is here.".into(),
            guest_mode_off: "The guest has left.".into(),
            failed: "Something went wrong.".into(),
        };
        let session = Session::new(SESSION, Options { prompts, ..Options::default() });
        let mut rig = Self { session, now: Mono(1_000_000_000), out: Vec::new() };
        rig.feed(Event::Attached { consent, facts: Vec::new(), history: Vec::new() });
        rig
    }

    fn feed(&mut self, event: Event) -> &mut Self {
        self.out.clear();
        self.now = self.now.after(Duration::from_millis(10));
        self.session.handle(event, self.now, &mut self.out);
        self
    }

    /// What the question of the latest turn is called.
    fn prompt_id(&self) -> String {
        prompt_id(SESSION, self.turn())
    }

    fn turn(&self) -> TurnId {
        self.session.latest
    }

    fn state(&self) -> SessionState {
        self.session.observe().state
    }

    fn spoken_texts(&self) -> Vec<(SpeechKind, String)> {
        let speak = |e: &Effect| match e {
            Effect::Speak { text, kind, .. } => Some((*kind, text.reveal().clone())),
            _ => None,
        };
        self.out.iter().filter_map(speak).collect()
    }

    fn has(&self, matches: impl Fn(&Effect) -> bool) -> bool {
        self.out.iter().any(matches)
    }

    /// How the latest event let a turn end.
    fn endings(&self) -> Vec<(TurnId, Ending)> {
        let ending = |e: &Effect| match e {
            Effect::Ended(turn, ending) => Some((*turn, *ending)),
            _ => None,
        };
        self.out.iter().filter_map(ending).collect()
    }

    /// A prompt or answer with one sentence is synthesised and played to its end.
    fn play(&mut self, ms: u32) {
        let turn = self.turn();
        self.feed(Event::SentenceAt { turn, sentence: 0, at_ms: 0 });
        self.feed(Event::Spoken(turn, Ok(ms)));
        self.feed(Event::Playout { turn, played_ms: ms, finished: true });
    }

    fn say(&mut self, text: &str) {
        self.feed(Event::VoiceStart).feed(Event::VoiceEnd);
        let turn = self.turn();
        self.feed(Event::Transcribed(turn, Ok(Redacted::new(text.into()))));
    }

    fn answer(&mut self, text: &str) {
        let turn = self.turn();
        self.feed(Event::ReplyText(turn, Redacted::new(text.into())));
        self.feed(Event::ReplyEnd(turn, Ok(())));
    }
}

/// A picture that a device took.
fn picture(question: Redacted<String>) -> PictureOffer {
    PictureOffer { turn: TurnId(3), format: PictureFormat::Jpeg, bytes: 3_000, question }
}

fn listening(mode: ListenMode) -> Rig {
    let mut rig = Rig::new(GIVEN);
    rig.feed(Event::ListenStart(mode));
    rig
}
