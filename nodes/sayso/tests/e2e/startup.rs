//! What keeps a node from starting: each is named, with what to do.

use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use sayso_tests::{Installation, Process};
use serde_json::Value;

use crate::reload::{PROFILE, set_rev};
use crate::sayso;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

async fn refuses(command: Command, words: &[&str]) {
    Process::start(command).finished().await.failure(words);
}

#[tokio::test]
async fn a_typo_in_the_configuration() {
    let installation = Installation::new(&sayso()).await;
    installation.edit("sayso.toml", |config| {
        let gateway = config["gateway"].as_table_mut().unwrap();
        let value = gateway.remove("device-authority").unwrap();
        gateway.insert("device-autority".to_owned(), value);
    });
    let file = installation.file("sayso.toml");
    refuses(installation.serve(), &["gateway.device-autority", &file, "did you mean device-authority"]).await;
}

#[tokio::test]
async fn a_typo_in_the_profile() {
    let installation = Installation::new(&sayso()).await;
    installation.edit("profile.toml", |profile| {
        profile["defaults"].as_table_mut().unwrap().insert("gaet".to_owned(), "deny".into());
    });
    let file = installation.file("profile.toml");
    refuses(installation.serve(), &[&file, "gaet", "did you mean `gate`"]).await;
}

/// Edits the recogniser of the node in its profile.
fn edit_recogniser(installation: &Installation, edit: impl FnOnce(&mut toml::Table)) {
    installation.edit("profile.toml", |profile| {
        let processors = profile["processor"].as_array_mut().unwrap();
        let mut tables = processors.iter_mut().filter_map(toml::Value::as_table_mut);
        edit(tables.find(|processor| processor["id"].as_str() == Some("whisper-local")).unwrap());
    });
}

#[tokio::test]
async fn a_processor_that_the_profile_does_not_name() {
    let installation = Installation::new(&sayso()).await;
    edit_recogniser(&installation, |recogniser| {
        recogniser.insert("id".to_owned(), "somebody-else".into());
    });
    refuses(installation.serve(), &["whisper-local", "not in the profile", "register it there"]).await;
}

#[tokio::test]
async fn a_processor_of_its_own_that_may_have_some_fields_only() {
    let installation = Installation::new(&sayso()).await;
    installation.edit("profile.toml", |profile| {
        profile["category"]["voice_audio"].as_table_mut().unwrap().insert("attrs".to_owned(), vec!["sound"].into());
    });
    edit_recogniser(&installation, |recogniser| {
        let fields = toml::Table::from_iter([("voice_audio".to_owned(), vec!["sound"].into())]);
        recogniser.insert("fields".to_owned(), fields.into());
    });
    refuses(installation.serve(), &["whisper-local", "some fields of voice_audio only", "asks for permits"]).await;
}

#[tokio::test]
async fn a_profile_that_is_weaker_than_the_law() {
    let installation = Installation::new(&sayso()).await;
    let file = installation.file("profile.toml");
    let edit = |part: &str, key: &str, to: Option<&str>| {
        installation.edit("profile.toml", |profile| {
            let part = part.split('.').fold(profile, |table, part| table[part].as_table_mut().unwrap());
            match to {
                Some(to) => part.insert(key.to_owned(), to.into()),
                None => part.remove(key),
            };
        });
    };
    // the law of where it serves people binds it, though it does not say so
    edit("profile", "jurisdiction", Some("CN"));
    refuses(installation.serve(), &[&file, "profile.law_floor", "binds whoever serves people in CN"]).await;
    edit("profile", "jurisdiction", Some("*"));
    edit("rights.offers", "erase", None);
    refuses(installation.serve(), &[&file, "rights.offers.erase", "people have this right by law"]).await;
}

#[tokio::test]
async fn a_profile_that_nobody_trusted_has_signed() {
    let installation = Installation::new(&sayso()).await;
    let profile = installation.file(PROFILE);
    let _ = installation.start().await.terminate().await.success();
    installation.edit_unsigned(PROFILE, |profile| set_rev(profile, 2));
    let again = format!("`sayso policy sign {profile}`");
    refuses(installation.serve(), &[&format!("{profile}.sig"), "or another text", &again]).await;
    let stranger = installation.file("stranger.key");
    let _ = sayso().run(["policy", "key", "stranger", "--out", &stranger]).await.success();
    let _ = sayso().run(["policy", "sign", &profile, "--key", &stranger]).await.success();
    let nobody = ["no signature by a key that is trusted", "localhost/policy", &again];
    refuses(installation.serve(), &nobody).await;
    fs::remove_file(installation.path("profile.toml.sig")).unwrap();
    refuses(installation.serve(), &[&format!("{profile}.sig"), &again]).await;
    let _ = sayso().run(["policy", "sign", &profile]).await.success();
    let _ = installation.start().await.terminate().await.success();
}

#[tokio::test]
async fn a_node_that_trusts_nobody_in_particular_takes_a_profile_without_a_signature() {
    let installation = Installation::new(&sayso()).await;
    installation.edit("sayso.toml", |config| assert!(config.remove("profile-keys").is_some()));
    fs::remove_file(installation.path("profile.toml.sig")).unwrap();
    installation.edit_unsigned(PROFILE, |profile| set_rev(profile, 2));
    let _ = installation.start().await.terminate().await.success();
}

#[tokio::test]
async fn a_certificate_that_is_not_there() {
    let installation = Installation::new(&sayso()).await;
    fs::remove_file(installation.path("node/cert.pem")).unwrap();
    refuses(installation.serve(), &[&installation.file("node/cert.pem")]).await;
}

#[tokio::test]
async fn a_port_in_use() {
    let installation = Installation::new(&sayso()).await;
    let udp = UdpSocket::bind(ANY).unwrap();
    let addr = udp.local_addr().unwrap();
    let named = format!("UDP {addr}");
    refuses(installation.serve_on(addr, ANY), &[&named, "choose another address"]).await;

    let tcp = TcpListener::bind(ANY).unwrap();
    let addr = tcp.local_addr().unwrap();
    let named = format!("TCP {addr}");
    refuses(installation.serve_on(ANY, addr), &[&named, "choose another address"]).await;
}

#[tokio::test]
async fn a_truncated_model() {
    let installation = Installation::new(&sayso()).await;
    let listed = sayso().run(["models", "list", "--json"]).await.success().stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let dir = Path::new(listed["dir"].as_str().unwrap());
    let models = listed["models"].as_array().unwrap().iter();
    let files = models.flat_map(|model| model["files"].as_array().unwrap());
    let files: Vec<PathBuf> = files.map(|file| PathBuf::from(file["path"].as_str().unwrap())).collect();

    let copy = installation.path("models");
    let place = |file: &Path| copy.join(file.strip_prefix(dir).unwrap());
    for file in &files {
        fs::create_dir_all(place(file).parent().unwrap()).unwrap();
        symlink(file, place(file)).unwrap();
    }
    let truncated = place(&files[0]);
    let bytes = fs::read(&truncated).unwrap();
    fs::remove_file(&truncated).unwrap();
    fs::write(&truncated, &bytes[..bytes.len() / 2]).unwrap();

    let mut command = installation.serve();
    command.env("SAYSO_MODELS", &copy);
    refuses(command, &[truncated.to_str().unwrap(), "is damaged", "sayso models fetch"]).await;
}

#[tokio::test]
async fn a_damaged_store() {
    let installation = Installation::new(&sayso()).await;
    let _ = installation.start().await.terminate().await.success();
    let logs = fs::read_dir(installation.path("data/log")).unwrap();
    let log = logs.map(|entry| entry.unwrap().path()).max().expect("the store has a log");
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&log, bytes).unwrap();
    refuses(installation.serve(), &[log.to_str().unwrap(), "is damaged", "backup"]).await;
}
