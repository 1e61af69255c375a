//! [`FdbNetwork`]: FoundationDB's client, of which a process has one.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foundationdb::FdbError;
use foundationdb::api::{FdbApiBuilder, NetworkAutoStop};
use foundationdb::options::NetworkOption;
use sayso_store::Error;

/// How the client reaches clusters that speak TLS. What a cluster file's addresses end in (`:tls`) decides whether it
/// is used.
#[derive(Clone, Default)]
pub struct Tls {
    /// Our certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// The passphrase of the private key, if it is encrypted.
    pub password: Option<String>,
    /// Certificates of the authorities that sign the cluster's certificates, PEM.
    pub authority: PathBuf,
    /// What a server's certificate must say, in FoundationDB's words, such as `Check.Valid=1,S.CN=fdb.example.org`;
    /// `None` checks that an authority signed it.
    pub verify_peers: Option<String>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("certificate", &self.certificate)
            .field("key", &self.key)
            .field("authority", &self.authority)
            .field("verify_peers", &self.verify_peers)
            .finish_non_exhaustive()
    }
}

/// How the client is started.
#[derive(Clone, Debug, Default)]
pub struct NetworkOptions {
    /// For clusters that speak TLS.
    pub tls: Option<Tls>,
    /// Client libraries of other versions, `libfdb_c*.so`, each loaded beside the one that is linked. The one that a
    /// cluster's servers speak to is used, so that servers can be upgraded before, or after, this program.
    pub client_libraries: Vec<PathBuf>,
    /// A directory of such libraries.
    pub client_directory: Option<PathBuf>,
    /// Where the client writes its trace files; it writes none without. At most 100 MB are kept. They name keys only
    /// when FoundationDB's own transaction logging is switched on.
    pub trace_directory: Option<PathBuf>,
}

/// FoundationDB's client. Every [`FdbStore`](crate::FdbStore) holds it; when the last holder lets go, its thread is
/// ended, and the process cannot start it again.
pub struct FdbNetwork {
    _one: (),
}

/// What has become of the client in this process.
enum Client {
    Unstarted,
    Running { _stops_when_dropped: NetworkAutoStop },
    Stopped,
}

static CLIENT: Mutex<Client> = Mutex::new(Client::Unstarted);

impl FdbNetwork {
    /// Starts the client and its thread. Hold what is given back until every store is closed.
    ///
    /// # Errors
    /// [`Error::Invalid`] when this process has started it before; [`Error::Io`] names the option that the client does
    /// not take, or its library, when that is older than 7.3.
    pub fn boot(options: &NetworkOptions) -> Result<Arc<Self>, Error> {
        let mut client = client();
        if !matches!(*client, Client::Unstarted) {
            return Err(Error::Invalid { what: "a process starts FoundationDB's client once: share its FdbNetwork" });
        }
        // whatever follows, the client cannot be initialized a second time
        *client = Client::Stopped;
        let library = Path::new("libfdb_c.so");
        let failed = |path: &Path, error| refused("start FoundationDB's client with", path, error);
        let mut builder = FdbApiBuilder::default().build().map_err(|error| failed(library, error))?;
        for (path, option) in options.listed() {
            builder = builder.set_option(option).map_err(|error| failed(&path, error))?;
        }
        stop_at_exit()?;
        #[expect(unsafe_code, reason = "stopped when dropped, and by `stop_at_exit` if it never is")]
        // SAFETY: the thread must be stopped before the process exits. `CLIENT` is cleared when the last holder of
        // `FdbNetwork` lets go; if none does, the exit handler registered above clears it.
        let network = unsafe { builder.boot() }.map_err(|error| failed(library, error))?;
        *client = Client::Running { _stops_when_dropped: network };
        Ok(Arc::new(Self { _one: () }))
    }
}

impl Drop for FdbNetwork {
    fn drop(&mut self) {
        stop();
    }
}

impl fmt::Debug for FdbNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FdbNetwork")
    }
}

impl NetworkOptions {
    /// As the client's own options, each with the path that it is about, in the order in which they have to be set.
    fn listed(&self) -> Vec<(PathBuf, NetworkOption)> {
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        let mut listed = Vec::new();
        if let Some(dir) = &self.trace_directory {
            listed.push((dir.clone(), NetworkOption::TraceEnable(text(dir))));
            listed.push((dir.clone(), NetworkOption::TraceFormat("json".to_owned())));
        }
        if let Some(tls) = &self.tls {
            // the passphrase comes before the key that it opens
            if let Some(password) = &tls.password {
                listed.push((tls.key.clone(), NetworkOption::TLSPassword(password.clone())));
            }
            listed.push((tls.certificate.clone(), NetworkOption::TLSCertPath(text(&tls.certificate))));
            listed.push((tls.key.clone(), NetworkOption::TLSKeyPath(text(&tls.key))));
            listed.push((tls.authority.clone(), NetworkOption::TLSCaPath(text(&tls.authority))));
            if let Some(verify) = &tls.verify_peers {
                listed.push((tls.authority.clone(), NetworkOption::TLSVerifyPeers(verify.clone().into_bytes())));
            }
        }
        for library in &self.client_libraries {
            listed.push((library.clone(), NetworkOption::ExternalClientLibrary(text(library))));
        }
        if let Some(dir) = &self.client_directory {
            listed.push((dir.clone(), NetworkOption::ExternalClientDirectory(text(dir))));
        }
        listed
    }
}

fn client() -> MutexGuard<'static, Client> {
    CLIENT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn stop() {
    *client() = Client::Stopped;
}

fn refused(action: &'static str, file: &Path, error: FdbError) -> Error {
    Error::Io { action, file: file.to_owned(), source: Arc::new(io::Error::other(error)) }
}

/// Has the client stopped when the process ends in an orderly way, for the case that somebody holds it even then.
fn stop_at_exit() -> Result<(), Error> {
    extern "C" fn at_exit() {
        stop();
    }
    #[expect(unsafe_code, reason = "the C library's own list of what to do at exit; the standard library has none")]
    // SAFETY: `at_exit` is a function for the life of the process, and does not unwind.
    let refused = unsafe { libc::atexit(at_exit) } != 0;
    if refused {
        return Err(Error::Invalid { what: "the C library has room for one more exit handler" });
    }
    Ok(())
}
