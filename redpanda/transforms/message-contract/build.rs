//! Turns the field table of the contract, `redpanda/contracts/fields.json`, into a Rust table.
use serde_json::Value;
use std::fmt::Write;
use std::{env, fs, path::Path};

fn main() {
    let table = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../contracts/fields.json");
    println!("cargo:rerun-if-changed={}", table.display());
    let table: Value = serde_json::from_slice(&fs::read(table).unwrap()).unwrap();
    let fields = table["fields"].as_array().unwrap();

    let mut code = format!("pub const COUNT: usize = {};\n", fields.len());
    writeln!(code, "pub static FIELDS: [Field; COUNT] = [").unwrap();
    for field in fields {
        let soft = match field.get("soft") {
            Some(soft) => format!("Some({})", bounds(soft)),
            None => "None".to_string(),
        };
        let part_of = match field.get("part_of") {
            Some(whole) => format!("Some({})", fields.iter().position(|other| other["name"] == *whole).unwrap()),
            None => "None".to_string(),
        };
        writeln!(
            code,
            "Field {{ name: {}, unit: {}, aliases: &[{}], hard: {}, soft: {}, part_of: {} }},",
            field["name"],
            field["unit"],
            aliases(&field["aliases"]),
            bounds(&field["hard"]),
            soft,
            part_of
        )
        .unwrap();
    }
    code.push_str("];\n");
    let out = Path::new(&env::var("OUT_DIR").unwrap()).join("fields.rs");
    fs::write(out, code).unwrap();
}

fn aliases(aliases: &Value) -> String {
    let alias = |alias: &Value| {
        let divide_by = alias.get("divide_by").map_or(1.0, number);
        format!("({}, {divide_by:?})", alias["name"])
    };
    aliases.as_array().unwrap().iter().map(alias).collect::<Vec<_>>().join(", ")
}

fn bounds(bounds: &Value) -> String {
    let exclusive = bounds.get("above").is_some();
    let min = number(if exclusive { &bounds["above"] } else { &bounds["min"] });
    format!("Bounds {{ min: {min:?}, exclusive: {exclusive}, max: {:?} }}", number(&bounds["max"]))
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}
