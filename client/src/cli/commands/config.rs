//! `sincronia config show`: every setting, and why it is what it is.

use super::Outcome;
use crate::cli::arguments::Config as Arguments;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::starting;
use crate::output::table::Rows;
use sincronia_node::config::{Config, variables};

/// The file of settings in a node's directory.
const FILE: &str = "sincronia.toml";

pub(super) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let Arguments::Show { origin } = arguments;
    let path = context.directory()?.join(FILE);
    let config =
        Config::load(&path, variables(), &[]).map_err(|error| starting::config(context, &error))?;
    let texts = &context.texts;
    let settings: Vec<_> = config
        .show()
        .into_iter()
        .map(|(key, value, origin)| {
            serde_json::json!({
                "setting": key.to_string(),
                "value": value,
                "origin": if context.output.json {
                    origin.to_string()
                } else {
                    starting::origin(context, &origin)
                },
            })
        })
        .collect();
    context.output.show("config", &settings, || {
        let keys: &[&str] =
            if *origin { &["setting", "value", "origin"] } else { &["setting", "value"] };
        let headings: Vec<_> = keys.iter().map(|key| texts.text(key)).collect();
        let mut rows = Rows::new(context.output, &headings);
        for setting in &settings {
            let cell = |key: &&str| {
                let text = setting.get(*key).and_then(serde_json::Value::as_str);
                text.unwrap_or_default().to_owned()
            };
            rows.row(keys.iter().map(cell));
        }
        rows.to_string()
    });
    Ok(Exit::Done)
}
