//! Writes the tables and the chart: `report RESULTS GROWTH MACHINE ROOT`.
//!
//! RESULTS has the lines of [`Record`], several for each case; GROWTH those of the growth program;
//! MACHINE is a line of text. In `docs/performance.md` and `README.md` under ROOT, what stands
//! between `<!-- NAME -->` and `<!-- /NAME -->` is replaced, and `docs/growth.svg` is written.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use peers::chart::{Grown, chart};
use peers::record::Record;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [results, growth, machine, root] = arguments.as_slice() else {
        return Err("report RESULTS GROWTH MACHINE ROOT".into());
    };
    let records = merged(&fs::read_to_string(results)?)?;
    let grown = fs::read_to_string(growth)?
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<Vec<Grown>, _>>()?;
    let machine = fs::read_to_string(machine)?;
    let merged: Vec<String> = records
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()?;
    fs::write(results, merged.join("\n") + "\n")?;

    let page = Path::new(root).join("docs/performance.md");
    replace(&page, "machine", &machine)?;
    replace(&page, "workloads", &workloads(&records))?;
    replace(&page, "wins", &wins(&records))?;
    replace(&page, "growth", &growth_table(&grown))?;
    replace(
        &Path::new(root).join("README.md"),
        "performance",
        &summary(&records, &machine),
    )?;
    fs::write(Path::new(root).join("docs/growth.svg"), chart(&grown))?;
    Ok(())
}

/// The parts of each case put together, in the order in which cases first appear.
fn merged(lines: &str) -> Result<Vec<Record>, serde_json::Error> {
    let mut records: Vec<Record> = Vec::new();
    for line in lines.lines() {
        let part: Record = serde_json::from_str(line)?;
        let same = |record: &&mut Record| {
            record.workload == part.workload && record.library == part.library
        };
        let Some(record) = records.iter_mut().find(same) else {
            records.push(part);
            continue;
        };
        record.ns_minimum = part.ns_minimum.or(record.ns_minimum);
        record.ns_median = part.ns_median.or(record.ns_median);
        record.ratio_to_bare = part.ratio_to_bare.or(record.ratio_to_bare);
        record.instructions = part.instructions.or(record.instructions);
        record.clock_readings = part.clock_readings.or(record.clock_readings);
        record.allocations = part.allocations.or(record.allocations);
        record.bytes_allocated = part.bytes_allocated.or(record.bytes_allocated);
        record.future_bytes = part.future_bytes.or(record.future_bytes);
        record.two_threads_percent = part.two_threads_percent.or(record.two_threads_percent);
        if !part.notes.is_empty() {
            record.notes = part.notes;
        }
    }
    Ok(records)
}

fn workloads(records: &[Record]) -> String {
    let mut notes: Vec<&str> = Vec::new();
    let mut text = String::from(
        "| workload | library | ns | median | × bare | instructions | clock readings | allocations | bytes | future | two threads |\n\
         |---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let mut before = "";
    for record in records {
        let workload = if record.workload == before {
            ""
        } else {
            record.workload.as_str()
        };
        before = &record.workload;
        let mut marks = String::new();
        for note in &record.notes {
            let _ = write!(marks, "[{}]", number(&mut notes, note));
        }
        let _ = writeln!(
            text,
            "| {workload} | {} {marks} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            record.library,
            shown(record.ns_minimum, 1),
            shown(record.ns_median, 1),
            shown(record.ratio_to_bare, 1),
            shown(record.instructions, 0),
            shown(record.clock_readings, 0),
            shown(record.allocations, 1),
            shown(record.bytes_allocated, 0),
            record
                .future_bytes
                .map_or_else(String::new, |bytes| bytes.to_string()),
            record
                .two_threads_percent
                .map_or_else(String::new, |percent| format!("{percent:.0} %")),
        );
    }
    text.push('\n');
    for (n, note) in notes.iter().enumerate() {
        let _ = writeln!(text, "[{}] {note}.  ", n + 1);
    }
    text
}

fn number<'a>(notes: &mut Vec<&'a str>, note: &'a str) -> usize {
    let known = notes.iter().position(|known| *known == note);
    known.unwrap_or_else(|| {
        notes.push(note);
        notes.len() - 1
    }) + 1
}

/// The fastest other one of a workload.
fn best_peer<'a>(records: &'a [Record], workload: &str) -> Option<&'a Record> {
    records
        .iter()
        .filter(|record| record.workload == workload && record.library != OURS)
        .min_by(|a, b| {
            a.ns_minimum
                .unwrap_or(f64::MAX)
                .total_cmp(&b.ns_minimum.unwrap_or(f64::MAX))
        })
}

fn ours(records: &[Record]) -> impl Iterator<Item = &Record> {
    records.iter().filter(|record| record.library == OURS)
}

fn wins(records: &[Record]) -> String {
    let mut text = String::from("| workload | resilience, ns | faster, ns |\n|---|--:|---|\n");
    for record in ours(records) {
        let Some(own) = record.ns_minimum else {
            continue;
        };
        let faster: Vec<String> = records
            .iter()
            .filter(|peer| peer.workload == record.workload && peer.library != OURS)
            .filter(|peer| peer.ns_minimum.is_some_and(|peer| peer < own))
            .map(|peer| format!("{} {}", peer.library, shown(peer.ns_minimum, 1)))
            .collect();
        if !faster.is_empty() {
            let _ = writeln!(
                text,
                "| {} | {own:.1} | {} |",
                record.workload,
                faster.join(", ")
            );
        }
    }
    text
}

fn summary(records: &[Record], machine: &str) -> String {
    let mut text = String::from(
        "| one call | resilience: ns, instructions, allocations | best peer: ns, instructions, allocations |\n|---|---|---|\n",
    );
    for record in ours(records) {
        let Some(peer) = best_peer(records, &record.workload) else {
            continue;
        };
        let won = |a: &Record, b: &Record| a.ns_minimum < b.ns_minimum;
        let cell = |record: &Record, bold: bool| {
            let stars = if bold { "**" } else { "" };
            format!(
                "{stars}{}{stars}, {}, {}",
                shown(record.ns_minimum, 1),
                record
                    .instructions
                    .map_or_else(|| "–".into(), |count| format!("{count:.0}")),
                shown(record.allocations, 0)
            )
        };
        let _ = writeln!(
            text,
            "| {} | {} | {}: {} |",
            record.workload,
            cell(record, won(record, peer)),
            peer.library,
            cell(peer, won(peer, record))
        );
    }
    let _ = writeln!(text, "\n{}", machine.trim());
    text
}

fn growth_table(grown: &[Grown]) -> String {
    let mut text = String::from("| how many | | ns a call | bytes each |\n|--:|---|--:|--:|\n");
    for Grown {
        of,
        count,
        what,
        ns,
        bytes,
    } in grown
    {
        let _ = writeln!(
            text,
            "| {count} {of} | {what} | {ns:.1} | {} |",
            shown(*bytes, 0)
        );
    }
    text
}

/// Puts a text between the two marks of this name.
fn replace(file: &Path, name: &str, text: &str) -> Result<(), Box<dyn Error>> {
    let whole = fs::read_to_string(file)?;
    let (begin, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let marks = (whole.split_once(&begin), whole.split_once(&end));
    let (Some((before, _)), Some((_, after))) = marks else {
        return Err(format!("{} has no {begin} and {end}", file.display()).into());
    };
    fs::write(
        file,
        format!("{before}{begin}\n{}\n{end}{after}", text.trim_end()),
    )?;
    Ok(())
}

fn shown(value: Option<f64>, places: usize) -> String {
    value.map_or_else(String::new, |value| {
        let text = format!("{value:.places$}");
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    })
}

const OURS: &str = "resilience";
