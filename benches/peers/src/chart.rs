//! What grows with what, as an SVG: two panels, nanoseconds a call and bytes each, all axes
//! logarithmic.

use std::fmt::{Display, Write as _};

use serde::Deserialize;

/// A line of the growth program.
#[derive(Clone, Debug, Deserialize)]
pub struct Grown {
    /// Of what there are many.
    pub of: String,
    /// How many.
    pub count: f64,
    /// What is done with them.
    pub what: String,
    /// Of one call, in nanoseconds.
    pub ns: f64,
    /// Of one of them.
    pub bytes: Option<f64>,
}

/// A line for each kind of growth; listeners, of which there are none or one, as text.
#[must_use]
pub fn chart(grown: &[Grown]) -> String {
    let mut series: Vec<(String, Vec<&Grown>)> = Vec::new();
    for point in grown.iter().filter(|point| point.of != LISTENERS) {
        let name = format!("{}, {}", point.of, point.what);
        match series.iter_mut().find(|(known, _)| *known == name) {
            Some((_, points)) => points.push(point),
            None => series.push((name, vec![point])),
        }
    }
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} 420\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"420\" fill=\"white\"/>\n"
    );
    let lines = |value: fn(&Grown) -> Option<f64>| -> Vec<Vec<(f64, f64)>> {
        let line = |(_, points): &(String, Vec<&Grown>)| {
            let point = |point: &&Grown| Some((log(point.count), log(value(point)?)));
            points.iter().filter_map(point).collect()
        };
        series.iter().map(line).collect()
    };
    panel(&mut svg, 60.0, "ns a call", &lines(|point| Some(point.ns)));
    panel(&mut svg, 440.0, "bytes each", &lines(|point| point.bytes));
    let mut below = BOTTOM + 40.0;
    for ((name, _), colour) in series.iter().zip(COLOURS) {
        below += 18.0;
        text(&mut svg, 60.0, below, &format!("fill=\"{colour}\""), name);
    }
    below = BOTTOM + 40.0;
    for point in grown.iter().filter(|point| point.of == LISTENERS) {
        below += 18.0;
        let told = format!("{} listeners: {:.1} ns a call", point.count, point.ns);
        text(&mut svg, 440.0, below, "", told);
    }
    svg.push_str("</svg>\n");
    svg
}

/// Axes from one power of ten to another, and a line for each colour; points are logarithms.
fn panel(svg: &mut String, left: f64, title: &str, lines: &[Vec<(f64, f64)>]) {
    let values = || lines.iter().flatten().map(|point| point.1);
    let lowest = values().fold(f64::MAX, f64::min).floor();
    let highest = values().fold(f64::MIN, f64::max).ceil();
    let x = |log: f64| left + log * 50.0;
    let y = |log: f64| BOTTOM - (log - lowest) / (highest - lowest) * (BOTTOM - TOP);
    let right = x(DECADES);
    let mut power = 0.0;
    while power <= DECADES {
        let x = x(power);
        let _ = writeln!(svg, "<path d=\"M{x:.0} {TOP}V{BOTTOM}\" stroke=\"#ddd\"/>");
        power += 1.0;
    }
    for (power, count) in [
        (0.0, "1"),
        (2.0, "100"),
        (4.0, "10 000"),
        (6.0, "1 000 000"),
    ] {
        text(svg, x(power), BOTTOM + 18.0, MIDDLE, count);
    }
    let mut power = lowest;
    while power <= highest {
        let y = y(power);
        let _ = writeln!(svg, "<path d=\"M{left} {y:.0}H{right}\" stroke=\"#ddd\"/>");
        text(svg, left - 8.0, y + 4.0, END, 10_f64.powf(power));
        power += 1.0;
    }
    text(svg, left, TOP - 16.0, "", title);
    let middle = f64::midpoint(left, right);
    text(svg, middle, BOTTOM + 36.0, MIDDLE, "how many");
    for (line, colour) in lines.iter().zip(COLOURS) {
        let path: Vec<String> = line
            .iter()
            .map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1)))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        for point in line {
            let (x, y) = (x(point.0), y(point.1));
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
            );
        }
    }
}

fn text(svg: &mut String, x: f64, y: f64, attributes: &str, text: impl Display) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.0}\" y=\"{y:.0}\" {attributes}>{text}</text>"
    );
}

fn log(value: f64) -> f64 {
    value.max(1.0).log10()
}

const LISTENERS: &str = "listeners";
const WIDTH: u32 = 780;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 270.0;
const DECADES: f64 = 6.0;
const MIDDLE: &str = "text-anchor=\"middle\"";
const END: &str = "text-anchor=\"end\"";
const COLOURS: [&str; 6] = [
    "#1b6ca8", "#c0392b", "#27864a", "#8e44ad", "#b8860b", "#444444",
];
