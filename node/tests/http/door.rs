//! Host names, origins, tokens.

use super::probe::Probe;
use super::server::{Reply, Server, TOKEN, request};

async fn with_host(server: &Server, host: Option<&str>) -> Reply {
    let bearer = format!("Bearer {TOKEN}");
    server.send(&request("GET", "/api/v1/spaces", host, &[("authorization", &bearer)], None)).await
}

#[tokio::test]
async fn threat_37_only_names_of_loopback_with_the_right_port_are_answered() {
    let server = Server::start();
    let port = server.address.port();
    for name in ["127.0.0.1", "localhost", "LocalHost", "[::1]"] {
        let reply = with_host(&server, Some(&format!("{name}:{port}"))).await;
        assert_eq!(reply.status, 200, "{name}");
    }
    assert_eq!(server.probe.take().len(), 4);

    let other = port.wrapping_add(1).max(1);
    let hostile = [
        "127.0.0.1".to_owned(),
        "localhost".to_owned(),
        "[::1]".to_owned(),
        format!("127.0.0.1:{other}"),
        format!("localhost:{other}"),
        format!("localhost.:{port}"),
        format!("127.0.0.1.:{port}"),
        format!("127.1:{port}"),
        format!("2130706433:{port}"),
        format!("0x7f000001:{port}"),
        format!("0.0.0.0:{port}"),
        format!("[::]:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("[0:0:0:0:0:0:0:1]:{port}"),
        format!("[::1%25lo]:{port}"),
        format!("::1:{port}"),
        format!("127.0.0.1:0{port}"),
        format!("127.0.0.1:{port}:{port}"),
        format!("127.0.0.1:{port}, evil.example"),
        format!("evil.example, 127.0.0.1:{port}"),
        format!("evil.example:{port}"),
        format!("localhost.evil.example:{port}"),
        format!("127.0.0.1.nip.io:{port}"),
        format!("user@127.0.0.1:{port}"),
        format!("127.0.0.1:{port}@evil.example"),
        format!("127.0.0.1:{port}/"),
        format!("127.0.0.1:{port}#"),
        format!("127.0.0.1:{port}%00"),
        format!("http://127.0.0.1:{port}"),
        format!("lоcalhost:{port}"),
        String::new(),
        ":".to_owned(),
        format!(":{port}"),
    ];
    for host in hostile {
        let reply = with_host(&server, Some(&host)).await;
        assert_eq!((reply.status, reply.code().as_str()), (421, "wrong_host"), "{host:?}");
    }
    assert_eq!(with_host(&server, None).await.status, 421);
    assert!(server.probe.take().is_empty(), "a refused request reached the node");
}

#[tokio::test]
async fn threat_37_two_host_names_and_addresses_in_absolute_form_do_not_confuse_it() {
    let server = Server::start();
    let own = server.address.to_string();
    let bearer = format!("Bearer {TOKEN}");
    for (first, second) in [(own.as_str(), "evil.example"), ("evil.example", &own), (&own, &own)] {
        let headers = [("host", second), ("authorization", bearer.as_str())];
        let reply =
            server.send(&request("GET", "/api/v1/spaces", Some(first), &headers, None)).await;
        assert!([400, 421].contains(&reply.status), "{first} {second}: {reply:?}");
    }
    let headers = [("authorization", bearer.as_str())];
    for (target, host, status) in [
        (format!("http://{own}/api/v1/spaces"), own.clone(), 200),
        ("http://evil.example/api/v1/spaces".to_owned(), own.clone(), 421),
        (format!("http://{own}/api/v1/spaces"), "evil.example".to_owned(), 421),
        (format!("http://user@{own}/api/v1/spaces"), own.clone(), 421),
    ] {
        let reply = server.send(&request("GET", &target, Some(&host), &headers, None)).await;
        assert_eq!(reply.status, status, "{target} {host}");
    }
    assert_eq!(server.probe.take().len(), 1);
}

#[tokio::test]
async fn a_host_or_an_origin_that_the_configuration_names_is_let_in() {
    let server = Server::with(Probe::new(8), |settings| {
        settings.hosts.push("Nodo.Comune.example".into());
        settings.origins.push("https://nodo.comune.example".into());
    });
    assert_eq!(with_host(&server, Some("nodo.comune.example")).await.status, 200);
    let headers = [("origin", "https://nodo.comune.example"), ("sec-fetch-site", "cross-site")];
    assert_eq!(server.ask_with("GET", "/api/v1/spaces", None, &headers).await.status, 200);
    let headers = [("origin", "http://nodo.comune.example")];
    assert_eq!(server.ask_with("GET", "/api/v1/spaces", None, &headers).await.status, 403);
}

#[tokio::test]
async fn threat_36_no_page_of_another_site_changes_or_reads_anything() {
    let server = Server::start();
    let own = format!("http://{}", server.address);
    let localhost = format!("http://localhost:{}", server.address.port());
    let foreign: [&[(&str, &str)]; 10] = [
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
        &[("origin", "")],
        &[("origin", &localhost)],
        &[("origin", &own), ("origin", "https://evil.example")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "")],
        &[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")],
        &[("origin", &own), ("sec-fetch-site", "cross-site")],
    ];
    for headers in foreign {
        for (method, path, body) in [
            ("GET", "/api/v1/spaces", None),
            ("GET", "/api/v1/health", None),
            ("POST", "/api/v1/shutdown", None),
            ("POST", "/api/v1/network", Some(r#"{"online":false}"#)),
            ("PATCH", "/api/v1/contacts/x", Some(r#"{"fields":{}}"#)),
            ("DELETE", "/api/v1/invitations/x", None),
            ("OPTIONS", "/api/v1/spaces", None),
        ] {
            let reply = server.ask_with(method, path, body, headers).await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (403, "foreign_page"),
                "{method} {path} {headers:?}"
            );
            assert!(!reply.headers.contains_key("access-control-allow-origin"));
        }
    }
    assert!(server.probe.take().is_empty());
    for headers in [[("origin", own.as_str())], [("sec-fetch-site", "none")]] {
        assert_eq!(server.ask_with("GET", "/api/v1/spaces", None, &headers).await.status, 200);
    }
}

#[tokio::test]
async fn threat_35_only_the_token_opens() {
    let server = Server::start();
    let host = server.address.to_string();
    let (short, long) = (&TOKEN[..63], format!("{TOKEN}0"));
    let upper = TOKEN.to_uppercase();
    for value in [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(format!("Bearer {short}")),
        Some(format!("Bearer {long}")),
        Some(format!("Bearer {upper}")),
        Some(format!("Bearer  {TOKEN}")),
        Some(format!("Basic {TOKEN}")),
        Some(TOKEN.to_owned()),
        Some("Bearer é".to_owned()),
    ] {
        let headers: Vec<_> = value.iter().map(|value| ("authorization", value.as_str())).collect();
        for path in ["/api/v1/spaces", "/api/v1/events", "/api/v1/health/", "/", "/api/v1/none"] {
            let reply = server.send(&request("GET", path, Some(&host), &headers, None)).await;
            assert_eq!(reply.status, 401, "{value:?} {path}");
            assert_eq!(reply.code(), "unauthorised");
            assert_eq!(reply.headers.get("www-authenticate").map(String::as_str), Some("Bearer"));
            assert!(!reply.body.contains(TOKEN));
        }
    }
    let right = format!("Bearer {TOKEN}");
    let twice = [("authorization", right.as_str()), ("authorization", right.as_str())];
    let reply = server.send(&request("GET", "/api/v1/spaces", Some(&host), &twice, None)).await;
    assert_eq!(reply.status, 401);
    let query = format!("/api/v1/spaces?token={TOKEN}");
    assert_eq!(server.send(&request("GET", &query, Some(&host), &[], None)).await.status, 401);
    assert!(server.probe.take().is_empty());

    let lower = format!("bearer {TOKEN}");
    let headers = [("authorization", lower.as_str())];
    let reply = server.send(&request("GET", "/api/v1/spaces", Some(&host), &headers, None)).await;
    assert_eq!(reply.status, 200);
    for path in ["/api/v1/health", "/api/v1/openapi.json"] {
        assert_eq!(server.send(&request("GET", path, Some(&host), &[], None)).await.status, 200);
    }
}
