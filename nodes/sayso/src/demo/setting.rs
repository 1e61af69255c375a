//! Everything that the story needs: a directory, certificates made for the occasion, a node, a device.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sayso_device::{Device, DeviceOptions, Events};
use sayso_runtime::Tasks;
use sayso_types::{DeviceId, TenantId};
use sayso_wire::{AudioFormat, Capabilities};
use tonic::transport::Channel;

use crate::certs::{Authority, Identity, Issued};
use crate::config::Config;
use crate::node::Node;
use crate::operator::{self, Credentials};

/// What the demo runs on.
pub(crate) struct Setting {
    pub(crate) node: Node,
    pub(crate) tenant: TenantId,
    pub(crate) device_id: DeviceId,
    authority: Authority,
    operator: Issued,
    /// Removed with everything in it when the demo ends.
    _temporary: Option<Temporary>,
}

struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Setting {
    /// Makes certificates, starts a node on loopback with its store in `data` (or a temporary directory).
    pub(crate) async fn build(data: Option<&Path>, tasks: &Tasks) -> Result<Self> {
        let temporary = std::env::temp_dir().join(format!("sayso-demo-{}", std::process::id()));
        let dir = data.unwrap_or(&temporary);
        fs::create_dir_all(dir).with_context(|| format!("cannot make the directory {}", dir.display()))?;
        let guard = data.is_none().then(|| Temporary(temporary.clone()));

        let (authority, admin_authority) =
            (Authority::new("sayso demo devices")?, Authority::new("sayso demo operators")?);
        let issued = authority.node(&["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        let write = |name: &str, text: &str| -> Result<PathBuf> {
            let file = dir.join(name);
            fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
            Ok(file)
        };
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).context("the operating system gives no random bytes")?;
        let seed = hex::encode(seed);
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut config = Config { data_dir: dir.join("store"), log_key: write("log.key", &seed)?, ..Config::default() };
        (config.vault.keys_dir, config.vault.kek_file) = (dir.join("keys"), dir.join("kek.key"));
        config.log_origin = "sayso.demo/audit".to_owned();
        config.gateway.listen = loopback;
        config.gateway.certificate = write("node.pem", &issued.chain_pem)?;
        config.gateway.key = write("node.key", &issued.key_pem)?;
        config.gateway.device_authority = Some(write("devices.pem", authority.cert_pem())?);
        config.admin.listen = loopback;
        config.admin.certificate = config.gateway.certificate.clone();
        config.admin.key = config.gateway.key.clone();
        config.admin.authority = Some(write("operators.pem", admin_authority.cert_pem())?);

        let node = Node::start(&config, tasks.clone(), &mut None).await?;
        Ok(Self {
            node,
            tenant: "demo".parse()?,
            device_id: "kitchen-speaker".parse()?,
            operator: admin_authority.operator("demo")?,
            authority,
            _temporary: guard,
        })
    }

    /// Connects the device; what it plays is saved in `save`.
    pub(crate) async fn device(&self, save: &Path, tasks: &Tasks) -> Result<(Device, Events)> {
        fs::create_dir_all(save).with_context(|| format!("cannot make the directory {}", save.display()))?;
        let issued = self.authority.device(&self.tenant, &self.device_id)?;
        let options = DeviceOptions {
            server: self.node.gateway_addr,
            server_name: "localhost".to_owned(),
            roots: self.authority.roots()?,
            identity: Identity::of(&issued)?.device(),
            device_id: self.device_id.clone(),
            firmware: concat!("sayso-demo ", env!("CARGO_PKG_VERSION")).to_owned(),
            capabilities: Capabilities { datagram: true, barge_in: true, screen: false },
            uplink: AudioFormat::MONO_16K,
            downlink: AudioFormat::MONO_24K,
            resume_token: None,
            language: Some("en".to_owned()),
            save: Some(save.to_owned()),
        };
        Ok(Device::connect(options, tasks).await?)
    }

    /// A connection to the admin API, as an operator.
    pub(crate) async fn admin(&self) -> Result<Channel> {
        let Issued { chain_pem, key_pem } = &self.operator;
        let credentials = Credentials { authority: self.authority.cert_pem(), certificate: chain_pem, key: key_pem };
        operator::connect(self.node.admin_addr, "localhost", &credentials).await
    }

    /// Stops the node.
    pub(crate) async fn stop(self) -> Result<()> {
        let mut signals = sayso_runtime::shutdown::Signals::catch()?;
        self.node.stop(&mut signals).await;
        Ok(())
    }
}
