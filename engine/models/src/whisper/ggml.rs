//! The ggml file that whisper.cpp loads: everything little endian, 32-bit integers, sizes innermost first.
//! (`whisper_model_load` in whisper.cpp's `src/whisper.cpp`.)

use std::io::{self, Read, Seek, Write};

use half::f16;

use super::WhisperError;
use super::ct2::Ct2;
use super::layout::{Dimensions, Encoding, Tensor};
use super::q8;

/// `ggml`, as a number.
const MAGIC: u32 = 0x6767_6d6c;
/// File type "mostly q8_0" (7) in quantisation version 2.
const FILE_TYPE: i32 = 7 + 1000 * 2;

impl Encoding {
    /// ggml's number for it.
    const fn number(self) -> i32 {
        match self {
            Self::F32 => 0,
            Self::F16 => 1,
            Self::Q8 => 8,
        }
    }

    fn append(self, elements: &[f16], out: &mut Vec<u8>) {
        match self {
            Self::F32 => out.extend(elements.iter().flat_map(|x| x.to_f32().to_le_bytes())),
            Self::F16 => out.extend(elements.iter().flat_map(|x| x.to_le_bytes())),
            Self::Q8 => q8::quantise(elements, out),
        }
    }
}

pub(super) fn write_header(out: &mut impl Write, dimensions: &Dimensions) -> io::Result<()> {
    out.write_all(&MAGIC.to_le_bytes())?;
    for size in [
        dimensions.vocabulary,
        dimensions.audio_context,
        dimensions.states,
        dimensions.heads,
        dimensions.encoder_layers,
        dimensions.text_context,
        dimensions.states,
        dimensions.heads,
        dimensions.decoder_layers,
        dimensions.mels,
    ] {
        write_size(out, size)?;
    }
    out.write_all(&FILE_TYPE.to_le_bytes())
}

pub(super) fn write_filters(out: &mut impl Write, bank: &[f32], bins: usize) -> io::Result<()> {
    write_size(out, bank.len() / bins)?;
    write_size(out, bins)?;
    bank.iter().try_for_each(|weight| out.write_all(&weight.to_le_bytes()))
}

pub(super) fn write_tokens(out: &mut impl Write, tokens: &[Vec<u8>]) -> io::Result<()> {
    write_size(out, tokens.len())?;
    tokens.iter().try_for_each(|token| {
        write_size(out, token.len())?;
        out.write_all(token)
    })
}

/// Writes `tensor` with its elements out of `model`. Returns the bytes that were read.
pub(super) fn write_tensor<R: Read + Seek>(
    out: &mut impl Write,
    tensor: &Tensor,
    model: &mut Ct2<R>,
) -> Result<u64, WhisperError> {
    if tensor.encoding == Encoding::Q8 && !tensor.elements().is_multiple_of(q8::BLOCK) {
        return Err(WhisperError::tensor(&tensor.name, "does not divide into blocks of 32"));
    }
    write_tensor_header(out, tensor).map_err(WhisperError::Write)?;
    let elements = tensor.start..tensor.start + tensor.elements();
    let mut encoded = Vec::new();
    model.read(&tensor.source, elements, |block| {
        encoded.clear();
        tensor.encoding.append(block, &mut encoded);
        out.write_all(&encoded).map_err(WhisperError::Write)
    })?;
    Ok(tensor.elements() as u64 * 2)
}

fn write_tensor_header(out: &mut impl Write, tensor: &Tensor) -> io::Result<()> {
    write_size(out, tensor.shape.len())?;
    write_size(out, tensor.name.len())?;
    out.write_all(&tensor.encoding.number().to_le_bytes())?;
    tensor.shape.iter().rev().try_for_each(|size| write_size(out, *size))?;
    out.write_all(tensor.name.as_bytes())
}

fn write_size(out: &mut impl Write, size: usize) -> io::Result<()> {
    let size = i32::try_from(size).map_err(|_| io::Error::other("a size is beyond 31 bits"))?;
    out.write_all(&size.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::ct2;
    use super::*;

    fn tensor(shape: &[usize], start: usize, encoding: Encoding) -> Tensor {
        Tensor { name: "t".to_owned(), source: "s".to_owned(), start, shape: shape.to_vec(), encoding }
    }

    fn written(tensor: &Tensor, elements: Vec<f32>) -> Result<Vec<u8>, WhisperError> {
        let file = ct2::tests::file(&[("s", &[elements.len()], elements)]);
        let mut out = Vec::new();
        write_tensor(&mut out, tensor, &mut Ct2::parse(Cursor::new(file))?)?;
        Ok(out)
    }

    fn numbers(numbers: &[i32]) -> Vec<u8> {
        numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
    }

    #[test]
    fn a_tensor_is_its_header_its_name_and_its_elements() {
        let bytes = written(&tensor(&[1, 2], 1, Encoding::F32), vec![1., 2., 3.]).unwrap();
        let expected =
            [numbers(&[2, 1, 0, 2, 1]), b"t".to_vec(), [2_f32, 3.].iter().flat_map(|x| x.to_le_bytes()).collect()];
        assert_eq!(bytes, expected.concat());
    }

    #[test]
    fn a_matrix_that_does_not_divide_into_blocks_is_refused() {
        assert!(written(&tensor(&[1, 32], 0, Encoding::Q8), vec![1.; 32]).is_ok());
        let error = written(&tensor(&[1, 31], 0, Encoding::Q8), vec![1.; 32]).unwrap_err();
        assert!(matches!(error, WhisperError::Tensor { .. }), "{error}");
    }

    #[test]
    fn tokens_are_length_and_bytes() {
        let mut out = Vec::new();
        write_tokens(&mut out, &[b"ab".to_vec(), Vec::new()]).unwrap();
        assert_eq!(out, [numbers(&[2, 2]), b"ab".to_vec(), numbers(&[0])].concat());
    }
}
