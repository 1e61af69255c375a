//! [`FdbStore`]: which part of which FoundationDB cluster holds the data, and how it is reached.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::store::StoreProblem;

/// A part of a FoundationDB cluster. Times and bounds that are left out are those of `sayso-store-fdb`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct FdbStore {
    /// The cluster file. Default: what `FDB_CLUSTER_FILE` says, or else /etc/foundationdb/fdb.cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cluster_file: Option<PathBuf>,
    /// Under which words the data lies in the cluster: a part for each store that shares it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) subspace: Vec<String>,
    /// Instead of that: the path of the directory, in FoundationDB's directory layer, in which it lies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) directory: Vec<String>,
    /// For a cluster that speaks TLS. Default: what the client's own variables say, `FDB_TLS_CERTIFICATE_FILE` among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<FdbTls>,
    /// Client libraries of other versions, each loaded beside the one that is linked: the one that the servers speak to is
    /// used, so that they can be upgraded first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) client_libraries: Vec<PathBuf>,
    /// A directory of such libraries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_directory: Option<PathBuf>,
    /// Where the client writes its trace files. Default: nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace_directory: Option<PathBuf>,
    /// How long a request is tried, with all its retries, before it is answered that the store cannot be reached: a second or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_ms: Option<u64>,
    /// How often a request is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retries: Option<u32>,
    /// Bytes of commits that are on their way at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) in_flight_bytes: Option<usize>,
    /// Reads that are on their way at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reads: Option<usize>,
}

/// How a node and a cluster that speaks TLS know each other. The key's passphrase, if it has one, is in the variable
/// `FDB_TLS_PASSWORD`, which the client reads itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct FdbTls {
    /// The node's certificate chain, PEM.
    pub(crate) certificate: PathBuf,
    /// Its private key, PEM.
    pub(crate) key: PathBuf,
    /// Who signs the cluster's certificates, PEM.
    pub(crate) authority: PathBuf,
    /// What a server's certificate must say, in FoundationDB's words: `Check.Valid=1,S.CN=fdb.example.org`. Default: that
    /// the authority signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) verify_peers: Option<String>,
}

/// Where in a cluster the data lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FdbPart<'a> {
    /// Under these words.
    Subspace(&'a [String]),
    /// In the directory of this path.
    Directory(&'a [String]),
}

impl FdbStore {
    /// Where in the cluster the data lies.
    pub(crate) fn part(&self) -> Result<FdbPart<'_>, StoreProblem> {
        match (self.subspace.is_empty(), self.directory.is_empty()) {
            (false, false) => Err(StoreProblem::TwoParts),
            (true, true) => Err(StoreProblem::NoPart),
            (false, true) => Ok(FdbPart::Subspace(&self.subspace)),
            (true, false) => Ok(FdbPart::Directory(&self.directory)),
        }
    }

    /// The paths in it.
    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let tls = self.tls.iter_mut().flat_map(|tls| [&mut tls.certificate, &mut tls.key, &mut tls.authority]);
        let single = [&mut self.cluster_file, &mut self.client_directory, &mut self.trace_directory];
        tls.chain(single.into_iter().flatten()).chain(&mut self.client_libraries)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn read(text: &str) -> FdbStore {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn data_lies_in_one_part_of_a_cluster() {
        let words = ["sayso".to_owned(), "home".to_owned()];
        assert_eq!(read(r#"subspace = ["sayso", "home"]"#).part(), Ok(FdbPart::Subspace(&words)));
        assert_eq!(read(r#"directory = ["sayso", "home"]"#).part(), Ok(FdbPart::Directory(&words)));
        assert_eq!(read(r#"cluster-file = "fdb.cluster""#).part(), Err(StoreProblem::NoPart));
        let both = read("subspace = [\"a\"]\ndirectory = [\"b\"]");
        assert_eq!(both.part(), Err(StoreProblem::TwoParts));
    }

    #[test]
    fn every_file_of_it_is_relative_to_the_configuration() {
        let mut store = read(
            r#"
            cluster-file = "a"
            client-libraries = ["b", "c"]
            client-directory = "d"
            trace-directory = "e"
            tls = { certificate = "f", key = "g", authority = "h" }
            "#,
        );
        for path in store.paths() {
            *path = Path::new("/etc/sayso").join(&*path);
        }
        let text = toml::to_string(&store).unwrap();
        assert_eq!(text.matches("\"/etc/sayso/").count(), 8, "{text}");
    }
}
