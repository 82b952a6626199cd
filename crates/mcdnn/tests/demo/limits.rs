//! What must not come through, and what must not pile up.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

use image::ImageFormat;

use crate::server::{Server, photograph};

#[test]
fn other_hosts_and_origins_are_refused() {
    let server = Server::start();
    let port = server.port;
    let get = |headers: &[&str]| server.send("GET /", headers, b"");
    for own in ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"] {
        let (host, origin) = (format!("Host: {own}:{port}"), format!("Origin: http://{own}:{port}"));
        assert_eq!([get(&[&host]).status, get(&[&host, &origin]).status], [200, 200], "{own}");
    }
    let (host, origin) = ("answers to no other host", "to its own page");
    let wrong_port = format!("127.0.0.1:{}", port ^ 1);
    let longer = format!("localhost:{port}.evil.example");
    let evil = format!("evil.example:{port}");
    for other in ["evil.example", &evil, "127.0.0.1", &wrong_port, &longer, ""] {
        get(&[&format!("Host: {other}")]).refused(403, host);
        get(&[&format!("Origin: http://{other}")]).refused(403, origin);
    }
    get(&[&format!("Host: 127.0.0.1:{port}"), "Host: evil.example"]).refused(403, host);
    get(&["Origin: null"]).refused(403, origin);
    get(&[&format!("Origin: https://127.0.0.1:{port}")]).refused(403, origin);
    server.send("GET http://evil.example/", &[], b"").refused(403, host);
    server.send_raw(b"GET / HTTP/1.0\r\n\r\n").refused(403, host);
    // A page of another site that posts a picture.
    let image = photograph(4, 8, ImageFormat::Png);
    server.send("POST /api/classify?name=a", &["Origin: http://evil.example"], &image).refused(403, origin);
}

#[test]
fn bodies_have_limits() {
    let server = Server::start();
    let announce = |length: &str| {
        let host = format!("Host: 127.0.0.1:{}", server.port);
        server.send("POST /api/classify?name=a", &[&host, length], b"")
    };
    announce("Content-Length: 33554433").refused(413, "33554433 bytes, expected at most 32 MiB");
    announce("Content-Length: 99999999999999").refused(413, "expected at most 32 MiB");
    announce("X: y").refused(411, "Content-Length is missing");
    announce("Transfer-Encoding: chunked").refused(411, "Content-Length is missing");

    // A picture of more pixels than are decoded: a small file that claims many.
    let mut jpeg = photograph(7, 8, ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x3e, 0x80, 0x3e, 0x80]);
    server.post("/api/classify?name=large.jpg", &jpeg).refused(422, "large.jpg: 16000 x 16000 pixels");
}

/// Memory that a process has, in MiB.
#[cfg(target_os = "linux")]
fn memory_mib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

#[cfg(target_os = "linux")]
fn n_files(server: &Server) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count()
}

/// Answered at once or told to come again; and it is as before afterwards.
#[cfg(target_os = "linux")]
#[test]
fn hundreds_of_requests_at_once() {
    let server = Server::start();
    let image = photograph(6, 3, ImageFormat::Png);
    let ask = || server.post("/api/classify?name=six.png", &image);
    let first = ask();
    let n_before = memory_mib(&server);
    for round in 0..2 {
        let answers: Vec<_> = thread::scope(|scope| {
            let asking: Vec<_> = (0..300).map(|_| scope.spawn(ask)).collect();
            asking.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let (mut n_answered, mut n_later) = (0, 0);
        for answer in answers {
            if answer.status == 200 {
                assert_eq!(answer.body, first.body);
                n_answered += 1;
            } else {
                answer.refused(429, "more than 100 requests a second: try again in a second");
                assert!(answer.head.contains("\r\nretry-after: 1"), "{}", answer.head);
                n_later += 1;
            }
        }
        assert!(n_answered >= 100 && n_answered + n_later == 300, "{round}: {n_answered} {n_later}");
        thread::sleep(Duration::from_millis(1_100));
    }
    let n_after = memory_mib(&server);
    assert!(n_after <= n_before + 48, "{n_before} MiB before, {n_after} MiB after");
    assert_eq!(ask().body, first.body);
}

/// Connections on which nothing comes, half a head, or a head without its body: each is closed in time, there are never
/// more than a fixed number, and another request gets its turn.
#[cfg(target_os = "linux")]
#[test]
fn half_open_connections_do_not_pile_up() {
    let server = Server::start();
    let (n_files_before, n_before) = (n_files(&server), memory_mib(&server));
    let body_less = format!(
        "POST /api/classify?name=a HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: 1000\r\n\r\nx",
        server.port
    );
    let start = Instant::now();
    let open: Vec<_> = (0..260)
        .map(|index| {
            let mut stream = server.connect();
            let said = [b"".as_slice(), b"GET / HTTP/1.1\r\nHo", body_less.as_bytes()][index % 3];
            // Those with a body are few, so that the others' shorter time is what is measured.
            stream.write_all(if index < 240 && index % 3 == 2 { b"GET " } else { said }).unwrap();
            stream
        })
        .collect();
    thread::sleep(Duration::from_millis(300));
    let n_files_then = n_files(&server);
    assert!(n_files_then <= n_files_before + 128, "{n_files_before} files before, {n_files_then} then");
    assert_eq!(server.send("GET /", &[], b"").status, 200);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    for mut stream in open {
        let mut rest = Vec::new();
        // Closed, with or without a word.
        let read = stream.read_to_end(&mut rest);
        assert!(read.is_ok() || read.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset));
    }
    assert!(start.elapsed() < Duration::from_secs(40), "{:?}", start.elapsed());
    thread::sleep(Duration::from_millis(300));
    assert!(n_files(&server) <= n_files_before + 1, "{n_files_before} {}", n_files(&server));
    assert!(memory_mib(&server) <= n_before + 32);

    // Who goes before the answer comes leaves nothing behind, either.
    for _ in 0..50 {
        let mut stream = server.connect();
        stream.write_all(body_less.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Both).unwrap();
    }
    assert_eq!(server.send("GET /demo.js", &[], b"").status, 200);
}
