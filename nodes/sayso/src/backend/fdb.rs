//! What FoundationDB's client and a store on it are told, from the configuration.

use std::sync::Arc;
use std::time::Duration;

use sayso_store_fdb::{FdbOptions, NetworkOptions, Space, Tls};
use sayso_types::Clock;

use crate::config::{FdbPart, FdbStore, StoreProblem};

/// The least that a request is given.
const REQUEST_MS_MIN: u64 = 1_000;

/// How the client is started.
pub(super) fn network(settings: &FdbStore) -> NetworkOptions {
    let tls = settings.tls.as_ref().map(|tls| Tls {
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
        // the client takes it from its own variable, so that it is in no file of ours
        password: None,
        authority: tls.authority.clone(),
        verify_peers: tls.verify_peers.clone(),
    });
    NetworkOptions {
        tls,
        client_libraries: settings.client_libraries.clone(),
        client_directory: settings.client_directory.clone(),
        trace_directory: settings.trace_directory.clone(),
    }
}

/// Which part of the cluster is the store's, and how long it tries.
pub(super) fn options(settings: &FdbStore, clock: &Arc<dyn Clock>) -> Result<FdbOptions, StoreProblem> {
    let space = match settings.part()? {
        FdbPart::Subspace(words) => Space::Subspace(words.to_vec()),
        FdbPart::Directory(path) => Space::Directory(path.to_vec()),
    };
    if let Some(ms) = settings.request_ms.filter(|ms| *ms < REQUEST_MS_MIN) {
        return Err(StoreProblem::ShortRequest { ms });
    }
    let usual = FdbOptions::new(Arc::clone(clock), space);
    Ok(FdbOptions {
        cluster_file: settings.cluster_file.clone(),
        transaction_timeout: settings.request_ms.map_or(usual.transaction_timeout, Duration::from_millis),
        retries_max: settings.retries.unwrap_or(usual.retries_max),
        in_flight_bytes: settings.in_flight_bytes.unwrap_or(usual.in_flight_bytes),
        reads_max: settings.reads.unwrap_or(usual.reads_max),
        ..usual
    })
}

#[cfg(test)]
mod tests {
    use sayso_runtime::SystemClock;

    use super::*;

    #[test]
    fn what_the_configuration_says_reaches_the_client_and_the_store() {
        let settings: FdbStore = toml::from_str(
            r#"
            directory = ["sayso"]
            client-directory = "/var/fdb/lib"
            request-ms = 5000
            tls = { certificate = "c", key = "k", authority = "a", verify-peers = "Check.Valid=1" }
            "#,
        )
        .unwrap();
        let network = network(&settings);
        assert_eq!(network.client_directory, settings.client_directory);
        assert_eq!(network.tls.unwrap().verify_peers.as_deref(), Some("Check.Valid=1"));
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let options = options(&settings, &clock).unwrap();
        assert_eq!(options.space, Space::Directory(vec!["sayso".to_owned()]));
        assert_eq!(options.transaction_timeout, Duration::from_secs(5));
        let short = FdbStore { request_ms: Some(999), ..settings };
        assert!(matches!(super::options(&short, &clock), Err(StoreProblem::ShortRequest { ms: 999 })));
        assert_eq!(options.retries_max, FdbOptions::new(clock, Space::Subspace(Vec::new())).retries_max);
    }
}
