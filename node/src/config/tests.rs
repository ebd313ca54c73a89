//! Which source wins, and what is said about a mistake.

use super::*;

fn load(file: &str, variables: &[(&str, &str)], flags: &[(Key, &str)]) -> Result<Config, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sincronia.toml");
    std::fs::write(&path, file).unwrap();
    let variables = variables.iter().map(|(name, text)| ((*name).into(), (*text).into()));
    let flags: Vec<_> = flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect();
    Config::load(&path, variables, &flags).map_err(|error| error.to_string())
}

#[test]
fn without_anything_the_node_is_safe_by_default() {
    let missing = Path::new("/nonexistent/sincronia.toml");
    let config = Config::load(missing, std::iter::empty(), &[]).unwrap();
    assert!(config.api.value.ip().is_loopback());
    assert_eq!(config.listen.value.len(), 2);
    assert!(config.show().iter().all(|(_, _, origin)| *origin == Origin::Default));
    assert_eq!(config.show().len(), Key::ALL.len());
}

/// A device in the place of the settings filled the memory, and a pipe kept the node from starting
/// and from ending.
#[test]
fn what_is_no_file_holds_no_settings() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sincronia.toml");
    for place in ["/dev/zero", "/dev/null", "/"] {
        std::os::unix::fs::symlink(place, &path).unwrap();
        let refused = Config::load(&path, std::iter::empty(), &[]);
        assert!(matches!(refused, Err(ConfigError::Unreadable { .. })), "{place}");
        std::fs::remove_file(&path).unwrap();
    }
    std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert!(Config::load(&path, std::iter::empty(), &[]).is_err());
}

#[test]
fn flags_win_over_environment_over_file_over_default() {
    let file = "[log]\nlevel = 'warn'\nformat = 'json'\n[organisation]\nname = 'Mulazzo'";
    let variables = [("SINCRONIA_LOG_LEVEL", "debug"), ("SINCRONIA_LOG_FORMAT", "text")];
    let config = load(file, &variables, &[(Key::LogLevel, "trace")]).unwrap();
    assert_eq!(config.log_level.value, tracing::Level::TRACE);
    assert_eq!(config.log_level.origin, Origin::Flag);
    assert_eq!(config.log_format.value, LogFormat::Text);
    let variable = Origin::Environment("SINCRONIA_LOG_FORMAT".into());
    assert_eq!(config.log_format.origin, variable);
    assert_eq!(config.name.value, "Mulazzo");
    assert!(matches!(config.name.origin, Origin::File(_)));
    assert_eq!(config.reconnect_min.origin, Origin::Default);
}

#[test]
fn lists_are_lists_in_the_file_and_commas_elsewhere() {
    let file = "[network]\nlisten = ['/ip4/127.0.0.1/tcp/4001', '/ip6/::1/udp/4001/quic-v1']";
    assert_eq!(load(file, &[], &[]).unwrap().listen.value.len(), 2);
    let flags = [(Key::NetworkListen, "/ip4/127.0.0.1/tcp/1, /ip4/127.0.0.1/tcp/2")];
    assert_eq!(load(file, &[], &flags).unwrap().listen.value[1], "/ip4/127.0.0.1/tcp/2");
    let none = load("[network]\nlisten = []", &[], &[]).unwrap();
    assert!(none.listen.value.is_empty(), "a node that only dials is allowed");
}

#[test]
fn an_unknown_setting_is_named_with_the_one_meant() {
    for (file, name, meant) in [
        ("[network]\nlisten_on = []", "network.listen_on", "network.listen"),
        ("[logs]\nlevel = 'info'", "logs.level", "log.level"),
        ("nome = 'x'", "nome", "organisation.name"),
        ("[api]\nallow-remote = true", "api.allow-remote", "api.allow_remote"),
    ] {
        let error = load(file, &[], &[]).unwrap_err();
        assert!(error.contains(&format!("“{name}”")), "{error}");
        assert!(error.contains(meant), "{error}");
    }
    let error = load("", &[("SINCRONIA_NETWORK_LISTN", "x")], &[]).unwrap_err();
    assert!(error.contains("SINCRONIA_NETWORK_LISTEN"), "{error}");
    let error = load("[empty]", &[], &[]).unwrap_err();
    assert!(error.contains("“empty”"), "{error}");
}

#[test]
fn variables_of_others_are_not_looked_at() {
    let others = [("PATH", "/bin"), ("SINCRONIA_NODE", "mulazzo"), ("SINCRONIA_PASSPHRASE", "x")];
    assert!(load("", &others, &[]).is_ok());
}

#[test]
fn a_wrong_value_says_what_it_should_be_and_where_it_was_given() {
    for (file, part) in [
        ("[log]\nlevel = 3", "error, warn, info"),
        ("[log]\nformat = 'xml'", "text or json"),
        ("[network]\nlisten = ['mulazzo.it:4001']", "/ip4/0.0.0.0/tcp/4001"),
        ("[network]\nclosed = \"maybe\"", "true or false"),
        ("[network]\nreconnect_seconds_min = 0", "from 1 to 86400"),
        ("[network]\nreconnect_seconds_min = 90\nreconnect_seconds_max = 60", "at least"),
        ("[api]\naddress = 'localhost'", "127.0.0.1:8645"),
        ("[api]\nallow_remote = 'yes'", "true or false"),
        ("[organisation]\nname = 7", "a line"),
    ] {
        let error = load(file, &[], &[]).unwrap_err();
        assert!(error.contains(part), "{error}");
        assert!(error.contains("sincronia.toml"), "{error}");
    }
}

#[test]
fn the_api_stays_on_this_machine_unless_told_otherwise() {
    let open = "[api]\naddress = '0.0.0.0:8645'";
    let error = load(open, &[], &[]).unwrap_err();
    assert!(error.contains("api.allow_remote"), "{error}");
    let config = load(open, &[("SINCRONIA_API_ALLOW_REMOTE", "true")], &[]).unwrap();
    assert_eq!(config.api.value.port(), 8645);
    assert!(load("[api]\naddress = '[::1]:0'", &[], &[]).is_ok());
}

#[test]
fn a_file_that_is_not_toml_is_named_with_the_line() {
    let error = load("[log]\nlevel = info", &[], &[]).unwrap_err();
    assert!(error.contains("sincronia.toml") && error.contains("line 2"), "{error}");
}
