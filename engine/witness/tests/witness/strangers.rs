//! What is not a request of a log is answered, and costs little.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::setting::{PATIENCE, Running, honest, request};

/// The first line of the answer to these bytes.
async fn status(witness: &Running, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(witness.addr).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8(answer).unwrap().lines().next().unwrap_or_default().to_owned()
}

fn post(path: &str, body: &str) -> Vec<u8> {
    let len = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: w\r\nconnection: close\r\ncontent-length: {len}\r\n\r\n{body}").into_bytes()
}

#[tokio::test]
async fn everything_else_is_refused_with_its_status() {
    let dir = tempfile::tempdir().unwrap();
    let witness = Running::new(dir.path()).await;
    let get = b"GET /add-checkpoint HTTP/1.1\r\nhost: w\r\nconnection: close\r\n\r\n";
    assert!(status(&witness, get).await.contains("405"));
    assert!(status(&witness, &post("/", "")).await.contains("404"));
    assert!(status(&witness, &post("/add-checkpoint", "old x\n\n")).await.contains("400"));
    assert!(status(&witness, &post("/add-checkpoint", &"x".repeat(1 << 20))).await.contains("413"));
    let mut latin = post("/add-checkpoint", "abcd");
    *latin.last_mut().unwrap() = 0xe9;
    assert!(status(&witness, &latin).await.contains("400"));
    assert!(status(&witness, b"\0\0\0\0\r\n\r\n").await.contains("400"));
    let good = post("/add-checkpoint", &request(0, &honest(1)).encode());
    assert!(status(&witness, &good).await.contains("200"), "and it still serves");
    witness.stop().await;
}
