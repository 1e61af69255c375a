//! [`Layout`]: which tensors whisper.cpp wants, in which order, and where each comes from.

use std::io::{Read, Seek};

use super::WhisperError;
use super::ct2::Ct2;

/// Every Whisper model has heads of 64 states.
const STATES_A_HEAD: usize = 64;

/// The sizes in the header of a ggml Whisper file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dimensions {
    pub(super) vocabulary: usize,
    pub(super) audio_context: usize,
    pub(super) text_context: usize,
    pub(super) states: usize,
    pub(super) heads: usize,
    pub(super) encoder_layers: usize,
    pub(super) decoder_layers: usize,
    pub(super) mels: usize,
}

/// How a tensor's elements are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    F32,
    F16,
    Q8,
}

/// A tensor of the ggml file.
#[derive(Debug)]
pub(super) struct Tensor {
    pub(super) name: String,
    /// The variable it comes from.
    pub(super) source: String,
    /// First element of that variable.
    pub(super) start: usize,
    /// Outermost dimension first.
    pub(super) shape: Vec<usize>,
    pub(super) encoding: Encoding,
}

impl Tensor {
    pub(super) fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Everything that the ggml file holds besides filters and tokens.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) dimensions: Dimensions,
    pub(super) tensors: Vec<Tensor>,
}

impl Layout {
    pub(super) fn of<R: Read + Seek>(model: &Ct2<R>) -> Result<Self, WhisperError> {
        let [states, mels, _] = model.shape("encoder/conv1/weight")?;
        let [vocabulary, _] = model.shape("decoder/embeddings/weight")?;
        let [audio_context, _] = model.shape("encoder/position_encodings/encodings")?;
        let [text_context, _] = model.shape("decoder/position_encodings/encodings")?;
        let dimensions = Dimensions {
            vocabulary,
            audio_context,
            text_context,
            states,
            heads: states / STATES_A_HEAD,
            encoder_layers: layers(model, "encoder/layer_"),
            decoder_layers: layers(model, "decoder/layer_"),
            mels,
        };
        let mut plan = Plan { model, tensors: Vec::new() };
        plan.stem()?;
        for i in 0..dimensions.encoder_layers {
            plan.block("encoder", i)?;
        }
        for i in 0..dimensions.decoder_layers {
            plan.block("decoder", i)?;
        }
        Ok(Self { dimensions, tensors: plan.tensors })
    }
}

/// The number of layers: one more than the highest in a variable's name.
fn layers<R: Read + Seek>(model: &Ct2<R>, prefix: &str) -> usize {
    let numbers = model.names().filter_map(|name| name.strip_prefix(prefix)?.split_once('/')?.0.parse::<usize>().ok());
    numbers.max().map_or(0, |highest| highest + 1)
}

struct Plan<'a, R> {
    model: &'a Ct2<R>,
    tensors: Vec<Tensor>,
}

impl<R: Read + Seek> Plan<'_, R> {
    /// What comes before the blocks.
    fn stem(&mut self) -> Result<(), WhisperError> {
        for i in [1, 2] {
            self.whole(format!("encoder.conv{i}.weight"), format!("encoder/conv{i}/weight"))?;
            self.whole(format!("encoder.conv{i}.bias"), format!("encoder/conv{i}/bias"))?;
            // whisper.cpp adds it to a [states, frames] matrix and wants a column
            self.last().shape.push(1);
        }
        for side in ["encoder", "decoder"] {
            let source = format!("{side}/position_encodings/encodings");
            self.whole(format!("{side}.positional_embedding"), source)?;
            self.last().encoding = Encoding::F32;
        }
        self.whole("decoder.token_embedding.weight".to_owned(), "decoder/embeddings/weight".to_owned())?;
        self.norm("encoder.ln_post", "encoder/layer_norm")?;
        self.norm("decoder.ln", "decoder/layer_norm")
    }

    /// Layer `i` of the encoder or the decoder, which attends to the encoder as well.
    fn block(&mut self, side: &str, i: usize) -> Result<(), WhisperError> {
        let (to, from) = (format!("{side}.blocks.{i}"), format!("{side}/layer_{i}"));
        self.norm(&format!("{to}.attn_ln"), &format!("{from}/self_attention/layer_norm"))?;
        self.split(&format!("{to}.attn"), &["query", "key", "value"], &format!("{from}/self_attention/linear_0"))?;
        self.linear(&format!("{to}.attn.out"), &format!("{from}/self_attention/linear_1"))?;
        if side == "decoder" {
            self.norm(&format!("{to}.cross_attn_ln"), &format!("{from}/attention/layer_norm"))?;
            self.linear(&format!("{to}.cross_attn.query"), &format!("{from}/attention/linear_0"))?;
            self.split(&format!("{to}.cross_attn"), &["key", "value"], &format!("{from}/attention/linear_1"))?;
            self.linear(&format!("{to}.cross_attn.out"), &format!("{from}/attention/linear_2"))?;
        }
        self.norm(&format!("{to}.mlp_ln"), &format!("{from}/ffn/layer_norm"))?;
        self.linear(&format!("{to}.mlp.0"), &format!("{from}/ffn/linear_0"))?;
        self.linear(&format!("{to}.mlp.2"), &format!("{from}/ffn/linear_1"))
    }

    fn norm(&mut self, to: &str, from: &str) -> Result<(), WhisperError> {
        self.whole(format!("{to}.weight"), format!("{from}/gamma"))?;
        self.whole(format!("{to}.bias"), format!("{from}/beta"))
    }

    fn linear(&mut self, to: &str, from: &str) -> Result<(), WhisperError> {
        self.whole(format!("{to}.weight"), format!("{from}/weight"))?;
        self.whole(format!("{to}.bias"), format!("{from}/bias"))
    }

    /// CTranslate2 fuses the projections that have the same input, one below the other. Keys have no bias in Whisper;
    /// the fused one is zero there.
    fn split(&mut self, to: &str, names: &[&str], from: &str) -> Result<(), WhisperError> {
        for (i, name) in names.iter().enumerate() {
            self.part(format!("{to}.{name}.weight"), format!("{from}/weight"), i, names.len())?;
            if *name != "key" {
                self.part(format!("{to}.{name}.bias"), format!("{from}/bias"), i, names.len())?;
            }
        }
        Ok(())
    }

    fn whole(&mut self, name: String, source: String) -> Result<(), WhisperError> {
        self.part(name, source, 0, 1)
    }

    /// Part `index` of `parts` equal parts along the outermost dimension.
    fn part(&mut self, name: String, source: String, index: usize, parts: usize) -> Result<(), WhisperError> {
        let mut shape = self.model.variable(&source)?.shape.clone();
        match shape.first_mut() {
            Some(rows) if *rows % parts == 0 => *rows /= parts,
            _ => return Err(WhisperError::tensor(&source, "cannot be split evenly")),
        }
        let encoding = match shape.len() {
            1 => Encoding::F32,
            2 => Encoding::Q8,
            _ => Encoding::F16,
        };
        let start = index * shape.iter().product::<usize>();
        self.tensors.push(Tensor { name, source, start, shape, encoding });
        Ok(())
    }

    fn last(&mut self) -> &mut Tensor {
        self.tensors.last_mut().expect("one was just planned")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::ct2;
    use super::*;

    const STATES: usize = 64;

    type Variables = Vec<(String, Vec<usize>)>;

    /// The variables of a model with one layer each side, 2 tokens, 3 audio and 4 text positions, 5 mel filters.
    fn small() -> Variables {
        let mut all: Variables = Vec::new();
        let mut add = |name: &str, shape: &[usize]| all.push((name.to_owned(), shape.to_vec()));
        add("encoder/conv1/weight", &[STATES, 5, 3]);
        add("encoder/conv1/bias", &[STATES]);
        add("encoder/conv2/weight", &[STATES, STATES, 3]);
        add("encoder/conv2/bias", &[STATES]);
        add("encoder/position_encodings/encodings", &[3, STATES]);
        add("decoder/position_encodings/encodings", &[4, STATES]);
        add("decoder/embeddings/weight", &[2, STATES]);
        for norm in [
            "encoder/layer_norm",
            "decoder/layer_norm",
            "encoder/layer_0/self_attention/layer_norm",
            "encoder/layer_0/ffn/layer_norm",
            "decoder/layer_0/self_attention/layer_norm",
            "decoder/layer_0/attention/layer_norm",
            "decoder/layer_0/ffn/layer_norm",
        ] {
            add(&format!("{norm}/gamma"), &[STATES]);
            add(&format!("{norm}/beta"), &[STATES]);
        }
        for (linear, rows, columns) in [
            ("encoder/layer_0/self_attention/linear_0", 3 * STATES, STATES),
            ("encoder/layer_0/self_attention/linear_1", STATES, STATES),
            ("encoder/layer_0/ffn/linear_0", 4 * STATES, STATES),
            ("encoder/layer_0/ffn/linear_1", STATES, 4 * STATES),
            ("decoder/layer_0/self_attention/linear_0", 3 * STATES, STATES),
            ("decoder/layer_0/self_attention/linear_1", STATES, STATES),
            ("decoder/layer_0/attention/linear_0", STATES, STATES),
            ("decoder/layer_0/attention/linear_1", 2 * STATES, STATES),
            ("decoder/layer_0/attention/linear_2", STATES, STATES),
            ("decoder/layer_0/ffn/linear_0", 4 * STATES, STATES),
            ("decoder/layer_0/ffn/linear_1", STATES, 4 * STATES),
        ] {
            add(&format!("{linear}/weight"), &[rows, columns]);
            add(&format!("{linear}/bias"), &[rows]);
        }
        all
    }

    fn layout(variables: &Variables) -> Result<Layout, WhisperError> {
        let zeros = variables.iter().map(|(name, shape)| {
            let elements = vec![0.0; shape.iter().product()];
            (name.as_str(), shape.as_slice(), elements)
        });
        Layout::of(&Ct2::parse(Cursor::new(ct2::tests::file(&zeros.collect::<Vec<_>>())))?)
    }

    #[test]
    fn sizes_come_from_the_shapes() {
        let expected = Dimensions {
            vocabulary: 2,
            audio_context: 3,
            text_context: 4,
            states: STATES,
            heads: 1,
            encoder_layers: 1,
            decoder_layers: 1,
            mels: 5,
        };
        assert_eq!(layout(&small()).unwrap().dimensions, expected);
    }

    #[test]
    fn fused_projections_are_split_and_keys_have_no_bias() {
        let tensors = layout(&small()).unwrap().tensors;
        let find = |name: &str| tensors.iter().find(|tensor| tensor.name == name);
        let value = find("encoder.blocks.0.attn.value.weight").unwrap();
        assert_eq!((value.start, value.shape.as_slice()), (2 * STATES * STATES, [STATES, STATES].as_slice()));
        let value = find("decoder.blocks.0.cross_attn.value.bias").unwrap();
        assert_eq!((value.start, value.shape.as_slice()), (STATES, [STATES].as_slice()));
        assert!(find("encoder.blocks.0.attn.key.weight").is_some());
        assert!(find("encoder.blocks.0.attn.key.bias").is_none());
        assert!(find("decoder.blocks.0.cross_attn.key.bias").is_none());
    }

    #[test]
    fn vectors_and_positions_are_exact_matrices_are_8_bit_and_convolutions_16() {
        let tensors = layout(&small()).unwrap().tensors;
        let encoding = |name: &str| tensors.iter().find(|tensor| tensor.name == name).unwrap().encoding;
        assert_eq!(encoding("encoder.conv1.weight"), Encoding::F16);
        assert_eq!(encoding("encoder.conv1.bias"), Encoding::F32);
        assert_eq!(encoding("decoder.positional_embedding"), Encoding::F32);
        assert_eq!(encoding("decoder.token_embedding.weight"), Encoding::Q8);
        assert_eq!(encoding("decoder.blocks.0.mlp.2.weight"), Encoding::Q8);
        assert_eq!(encoding("decoder.ln.weight"), Encoding::F32);
    }

    #[test]
    fn a_model_without_one_of_its_variables_is_refused_by_that_name() {
        for i in 0..small().len() {
            let mut variables = small();
            let (missing, _) = variables.remove(i);
            let error = layout(&variables).unwrap_err();
            assert!(matches!(&error, WhisperError::Tensor { name, .. } if *name == missing), "{missing}: {error}");
        }
    }
}
