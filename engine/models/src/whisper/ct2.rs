//! [`Ct2`]: a CTranslate2 model file.
//!
//! Little endian: `u32` version, string specification, `u32` revision, `u32` variables, each: string name, `u8` rank,
//! `u32` a dimension, `u8` element type, `u32` bytes, then the elements in row-major order. A string is a `u16` length
//! and that many bytes, the last one zero. (`src/models/model.cc` of CTranslate2; aliases follow and are not needed.)

use std::collections::HashMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

use half::f16;

use super::WhisperError;

/// The file version that is understood, the one of CTranslate2 since 3.0.
const VERSION: u32 = 6;
/// What the model says it is.
const SPECIFICATION: &str = "WhisperSpec";
/// Most variables in a file: the largest Whisper model has about 1,300.
const VARIABLES_MAX: u32 = 10_000;
/// Most dimensions of a variable: convolutions have three.
const RANK_MAX: u8 = 4;
/// CTranslate2's number for 16-bit floating point.
const FLOAT16: u8 = 4;
/// Elements read at a time; a multiple of the q8_0 block.
const BLOCK_ELEMENTS: usize = 128 * 1024;

/// Where a variable lies and how it is shaped.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    offset: u64,
    element: u8,
    /// Outermost dimension first.
    pub(super) shape: Vec<usize>,
}

/// An indexed model file; elements are read when asked for.
pub(super) struct Ct2<R> {
    reader: BufReader<R>,
    variables: HashMap<String, Variable>,
}

impl<R: Read + Seek> Ct2<R> {
    /// Indexes the file.
    pub(super) fn parse(reader: R) -> Result<Self, WhisperError> {
        let mut reader = BufReader::new(reader);
        let end = reader.seek(SeekFrom::End(0)).map_err(read_error)?;
        reader.rewind().map_err(read_error)?;
        if u32_le(&mut reader)? != VERSION {
            return Err(WhisperError::Format("unknown version"));
        }
        if string(&mut reader)? != SPECIFICATION {
            return Err(WhisperError::Format("another kind of model"));
        }
        let _revision = u32_le(&mut reader)?;
        let count = u32_le(&mut reader)?;
        if count > VARIABLES_MAX {
            return Err(WhisperError::Format("too many variables"));
        }
        let mut variables = HashMap::new();
        for _ in 0..count {
            let name = string(&mut reader)?;
            let variable = variable(&mut reader, end, &name)?;
            variables.insert(name, variable);
        }
        Ok(Self { reader, variables })
    }

    /// Names of all variables, in no order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// The shape of `name`, which must have `RANK` dimensions.
    pub(super) fn shape<const RANK: usize>(&self, name: &str) -> Result<[usize; RANK], WhisperError> {
        let shape = &self.variable(name)?.shape;
        shape.as_slice().try_into().map_err(|_| WhisperError::tensor(name, "has another number of dimensions"))
    }

    /// The variable called `name`.
    pub(super) fn variable(&self, name: &str) -> Result<&Variable, WhisperError> {
        self.variables.get(name).ok_or_else(|| WhisperError::tensor(name, "is missing"))
    }

    /// Reads the `elements` (counted in row-major order) of `name` and hands them to `visit` in blocks, all but the
    /// last of which are full.
    pub(super) fn read(
        &mut self,
        name: &str,
        elements: Range<usize>,
        mut visit: impl FnMut(&[f16]) -> Result<(), WhisperError>,
    ) -> Result<(), WhisperError> {
        let variable = self.variable(name)?;
        if variable.element != FLOAT16 {
            return Err(WhisperError::tensor(name, "is not 16-bit floating point"));
        }
        if elements.end > variable.shape.iter().product() {
            return Err(WhisperError::tensor(name, "is smaller than expected"));
        }
        let start = variable.offset + elements.start as u64 * 2;
        self.reader.seek(SeekFrom::Start(start)).map_err(read_error)?;
        let mut bytes = vec![0; BLOCK_ELEMENTS * 2];
        let mut block = Vec::with_capacity(BLOCK_ELEMENTS);
        let mut left = elements.len();
        while left > 0 {
            let count = left.min(BLOCK_ELEMENTS);
            let bytes = &mut bytes[..count * 2];
            self.reader.read_exact(bytes).map_err(read_error)?;
            block.clear();
            block.extend(bytes.chunks_exact(2).map(|pair| f16::from_le_bytes([pair[0], pair[1]])));
            visit(&block)?;
            left -= count;
        }
        Ok(())
    }
}

fn variable(reader: &mut (impl Read + Seek), end: u64, name: &str) -> Result<Variable, WhisperError> {
    let [rank] = array(reader)?;
    if rank > RANK_MAX {
        return Err(WhisperError::tensor(name, "has too many dimensions"));
    }
    let mut shape = Vec::with_capacity(usize::from(rank));
    for _ in 0..rank {
        shape.push(u32_le(reader)? as usize);
    }
    let [element] = array(reader)?;
    let bytes = u64::from(u32_le(reader)?);
    let offset = reader.stream_position().map_err(read_error)?;
    if bytes > end - offset {
        return Err(WhisperError::Truncated);
    }
    let elements = shape.iter().try_fold(1_u64, |product, n| product.checked_mul(*n as u64));
    if element == FLOAT16 && elements.and_then(|n| n.checked_mul(2)) != Some(bytes) {
        return Err(WhisperError::tensor(name, "has a size that does not fit its shape"));
    }
    reader.seek(SeekFrom::Start(offset + bytes)).map_err(read_error)?;
    Ok(Variable { offset, element, shape })
}

fn array<const N: usize>(reader: &mut impl Read) -> Result<[u8; N], WhisperError> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes).map_err(read_error)?;
    Ok(bytes)
}

fn u32_le(reader: &mut impl Read) -> Result<u32, WhisperError> {
    array(reader).map(u32::from_le_bytes)
}

fn string(reader: &mut impl Read) -> Result<String, WhisperError> {
    let len = u16::from_le_bytes(array(reader)?);
    let mut bytes = vec![0; usize::from(len)];
    reader.read_exact(&mut bytes).map_err(read_error)?;
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| WhisperError::Format("a name is not UTF-8"))
}

fn read_error(error: io::Error) -> WhisperError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => WhisperError::Truncated,
        _ => WhisperError::Read(error),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    /// A model file with these float16 variables.
    pub(in crate::whisper) fn file(variables: &[(&str, &[usize], Vec<f32>)]) -> Vec<u8> {
        let string = |text: &str| {
            let mut bytes = u16::try_from(text.len() + 1).unwrap().to_le_bytes().to_vec();
            bytes.extend(text.bytes().chain([0]));
            bytes
        };
        let number = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
        let mut out = Vec::new();
        out.extend(VERSION.to_le_bytes());
        out.extend(string(SPECIFICATION));
        out.extend(3_u32.to_le_bytes());
        out.extend(number(variables.len()));
        for (name, shape, elements) in variables {
            out.extend(string(name));
            out.push(u8::try_from(shape.len()).unwrap());
            shape.iter().for_each(|n| out.extend(number(*n)));
            out.push(FLOAT16);
            out.extend(number(elements.len() * 2));
            elements.iter().for_each(|x| out.extend(f16::from_f32(*x).to_le_bytes()));
        }
        out
    }

    fn two() -> Vec<u8> {
        file(&[("a/weight", &[2, 3], vec![0., 1., 2., 3., 4., 5.]), ("b", &[1], vec![7.])])
    }

    fn read(model: &mut Ct2<Cursor<Vec<u8>>>, name: &str, elements: Range<usize>) -> Result<Vec<f32>, WhisperError> {
        let mut out = Vec::new();
        model.read(name, elements, |block| {
            out.extend(block.iter().map(|x| x.to_f32()));
            Ok(())
        })?;
        Ok(out)
    }

    #[test]
    fn variables_are_found_and_read_in_part() {
        let mut model = Ct2::parse(Cursor::new(two())).unwrap();
        assert_eq!(model.shape("a/weight").unwrap(), [2, 3]);
        assert_eq!(read(&mut model, "a/weight", 3..6).unwrap(), [3., 4., 5.]);
        assert_eq!(read(&mut model, "b", 0..1).unwrap(), [7.]);
        assert!(matches!(model.shape::<2>("c"), Err(WhisperError::Tensor { .. })));
        assert!(matches!(model.shape::<1>("a/weight"), Err(WhisperError::Tensor { .. })));
        assert!(matches!(read(&mut model, "b", 0..2), Err(WhisperError::Tensor { .. })));
    }

    #[test]
    fn a_file_cut_anywhere_is_truncated() {
        let whole = two();
        for len in 0..whole.len() {
            let error = Ct2::parse(Cursor::new(whole[..len].to_vec())).err().unwrap();
            assert!(matches!(error, WhisperError::Truncated), "{len}: {error}");
        }
    }

    #[test]
    fn a_size_that_contradicts_the_shape_is_refused() {
        let bytes = file(&[("a", &[2, 3], vec![0.; 5])]);
        assert!(matches!(Ct2::parse(Cursor::new(bytes)), Err(WhisperError::Tensor { .. })));
        let bytes = file(&[("a", &[u32::MAX as usize; 4], vec![0.; 5])]);
        assert!(matches!(Ct2::parse(Cursor::new(bytes)), Err(WhisperError::Tensor { .. })));
    }

    #[test]
    fn another_version_or_model_is_refused() {
        let mut bytes = two();
        bytes[0] = 5;
        assert!(matches!(Ct2::parse(Cursor::new(bytes)), Err(WhisperError::Format(_))));
        let mut bytes = two();
        bytes[6] = b'X';
        assert!(matches!(Ct2::parse(Cursor::new(bytes)), Err(WhisperError::Format(_))));
    }

    proptest! {
        #[test]
        fn garbage_never_panics_or_allocates_without_bound(tail in proptest::collection::vec(any::<u8>(), 0..512)) {
            let mut bytes = two();
            bytes.truncate(22); // up to the number of variables
            bytes.extend(tail);
            _ = Ct2::parse(Cursor::new(bytes));
        }

        #[test]
        fn one_changed_byte_never_panics(at in 0..two().len(), value: u8) {
            let mut bytes = two();
            bytes[at] = value;
            if let Ok(mut model) = Ct2::parse(Cursor::new(bytes)) {
                _ = read(&mut model, "a/weight", 0..6);
            }
        }
    }
}
