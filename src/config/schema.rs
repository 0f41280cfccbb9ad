//! The JSON Schema of kvlint.yaml, for editors.

use serde_json::{Map, Value as Json, json};

use super::keys::{Key, LEVELS, TOP, Value};
use super::rules::RULES;

/// The schema, in draft 2020-12.
pub fn json_schema() -> Json {
    let mut schema = object(TOP);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("kvlint.yaml");
    schema
}

fn object(keys: &[Key]) -> Json {
    let mut properties = Map::new();
    for key in keys {
        let mut schema = value(&key.value);
        schema["description"] = json!(key.about);
        properties.insert(key.name.to_string(), schema);
    }
    let required: Vec<&str> = keys.iter().filter(|k| k.required).map(|k| k.name).collect();
    // A key without a value counts as not given, as does a whole file of comments.
    let mut schema = json!({"type": ["object", "null"], "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn value(value: &Value) -> Json {
    let labels = || json!({"type": "object", "additionalProperties": {"type": "string"}});
    match value {
        Value::Text | Value::Glob | Value::ObjectPath | Value::Folder | Value::File | Value::Set => {
            json!({"type": "string"})
        }
        // What is wrong with these, the check says better than a pattern.
        Value::ReleaseName | Value::KubeVersion => json!({"type": "string"}),
        Value::Seconds => json!({"type": "integer", "minimum": 1, "maximum": 3600}),
        Value::Release => json!({"type": "string", "pattern": r"^v?\d+\.\d+\.\d+(\.\d+)?(\.post\d+)?$"}),
        Value::Choice(words) => json!({"enum": words}),
        Value::Levels => {
            // YAML 1.1 editors read `off` as false.
            let level = json!({"enum": LEVELS.iter().map(|l| json!(l)).chain([json!(false)]).collect::<Vec<_>>()});
            let one = |name: &str, summary: &str| {
                let mut schema = level.clone();
                schema["description"] = json!(summary);
                (name.to_string(), schema)
            };
            let rules: Map<String, Json> = RULES.iter().map(|r| one(r.name, r.summary)).collect();
            json!({"type": ["object", "null"], "properties": rules, "additionalProperties": false})
        }
        Value::LabelSets => json!({"oneOf": [labels(), {"type": "array", "items": labels()}]}),
        Value::List(item) => json!({"type": ["array", "null"], "items": self::value(item)}),
        Value::Object(keys) => object(keys),
    }
}
