//! [`Guesser`]: pronounces words that no dictionary has.
//!
//! A small character transformer maps each letter to a few slots; the slots are read as in connectionist temporal
//! classification: repeats collapse, blanks fall away.

use std::collections::HashMap;
use std::path::Path;

use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, NdTensorView};
use serde::Deserialize;

use crate::Error;
use crate::onnx::Onnx;

/// `oov.json`: what the numbers at the network's ends mean, counted from 1.
#[derive(Deserialize)]
struct Alphabets {
    /// Letters that it reads.
    r#in: Vec<char>,
    /// Phonemes that it writes.
    out: Vec<char>,
    /// Most letters that it was trained on.
    maxlen: usize,
}

/// The network with its alphabets.
#[derive(Debug)]
pub(super) struct Guesser {
    net: Onnx<1, 1>,
    letters: HashMap<char, i32>,
    phonemes: Vec<char>,
    letters_max: usize,
}

impl Guesser {
    /// Loads `oov.onnx` and `oov.json` in `dir`.
    pub(super) fn load(dir: &Path) -> Result<Self, Error> {
        let path = dir.join("oov.json");
        let json = std::fs::read(&path).map_err(|e| Error::unreadable(&path, e))?;
        let alphabets: Alphabets = serde_json::from_slice(&json).map_err(|e| Error::damaged(&path, e))?;
        Ok(Self {
            net: Onnx::load(&dir.join("oov.onnx"), ["chars"], ["ids"])?,
            letters: alphabets.r#in.into_iter().zip(1..).collect(),
            phonemes: alphabets.out,
            letters_max: alphabets.maxlen,
        })
    }

    /// The likely phonemes of `word`; empty when it has no letter that the network knows.
    pub(super) fn guess(&self, word: &str) -> Result<String, Error> {
        let ids: Vec<i32> = word.chars().filter_map(|c| self.letters.get(&c).copied()).take(self.letters_max).collect();
        if ids.is_empty() {
            return Ok(String::new());
        }
        let input = NdTensorView::from_data([1, ids.len()], ids.as_slice());
        let [output] = self.net.run([input.into()])?;
        let slots: NdTensor<i32, 2> = output.try_into().map_err(|_| self.net.unexpected("ids"))?;
        let mut phonemes = String::new();
        let mut before = BLANK;
        for &slot in slots.iter() {
            if slot != before && slot != BLANK {
                let at = usize::try_from(slot - 1).map_err(|_| self.net.unexpected("ids"))?;
                phonemes.push(*self.phonemes.get(at).ok_or_else(|| self.net.unexpected("ids"))?);
            }
            before = slot;
        }
        Ok(phonemes)
    }
}

const BLANK: i32 = 0;
