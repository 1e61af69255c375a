//! What everybody may read: the public pages of a running node.

use std::net::SocketAddr;

use sayso_tests::Installation;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::sayso;

/// The page at `path`: its head, and what it says.
pub(crate) async fn read(pages: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(pages).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {pages}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    assert!(!head.contains("set-cookie"), "no page sets a cookie: {head}");
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn everybody_reads_who_receives_data_as_it_is_now_and_what_is_announced() {
    let installation = Installation::new(&sayso()).await;
    installation.edit("sayso.toml", |config| {
        config.insert("pages".into(), toml::from_str("listen = \"127.0.0.1:0\"").unwrap());
    });
    let node = installation.start().await;
    let pages = node.pages.expect("a node with pages says where they are");
    let (front, _) = read(pages, "/").await;
    assert!(front.starts_with("HTTP/1.1 302") && front.contains("location: /en/privacy"), "{front}");
    let (head, privacy) = read(pages, "/en/privacy").await;
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("default-src 'none'"), "{head}");
    assert!(privacy.contains("<h1>Privacy at home</h1>"), "{privacy}");
    let says = [
        "Whoever set up this device (controller) answers for what happens to your data.",
        "Questions and complaints: in person, at home.",
        "in force from 2026-01-01",
    ];
    for says in says {
        assert!(privacy.contains(says), "{says}: {privacy}");
    }
    let (_, chinese) = read(pages, "/zh/privacy").await;
    assert!(chinese.contains("<html lang=\"zh\">"), "{chinese}");
    assert!(read(pages, "/en/nothing").await.0.starts_with("HTTP/1.1 404"));

    let (_, before) = read(pages, "/en/processors").await;
    assert!(before.contains("(whisper-local)") && !before.contains("suspended"), "{before}");
    let (certs, at) = (installation.file("admin"), node.admin.to_string());
    let operator = ["--admin", &at, "--certs", &certs];
    let off = ["switch", "off", "processor", "whisper-local", "--reason", "leak"];
    let said = sayso().run(off.iter().chain(&operator).copied()).await.success();
    assert!(said.stdout.contains("is off since"), "{}", said.stdout);
    let (_, after) = read(pages, "/en/processors").await;
    assert!(after.contains("suspended"), "{after}");

    let mut device = installation.first_device(&node).await;
    device.asked().await;
    assert!(read(pages, "/en/announcements").await.1.contains("There are none."));
    let said = ["--say", "en=The shop moves.", "--say", "zh=商店搬迁。", "--by", "2096-01-01T00:00:00Z"];
    let send = [&["notice", "send", "--kind", "controller-change", "--channel", "page"][..], &said].concat();
    let sent = sayso().run(send.iter().chain(&operator).copied()).await.success();
    assert!(sent.stdout.contains("to everybody"), "{}", sent.stdout);
    while !read(pages, "/en/announcements").await.1.contains("<p>The shop moves.</p>") {}
    assert!(read(pages, "/zh/announcements").await.1.contains("<p>商店搬迁。</p>"));
    assert!(node.terminate().await.status.success());
}
