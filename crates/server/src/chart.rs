//! Pictures of measurements, as SVG: panels side by side, lines or bars in each.

use std::fmt::Write;

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 340.0;
/// Space around a panel's axes: left, top, right, bottom.
const MARGINS: (f64, f64, f64, f64) = (56.0, 40.0, 20.0, 64.0);
/// Told apart by people who do not see colours as most do (Okabe and Ito, 2008).
const COLOURS: [&str; 5] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9"];
/// Marks on an axis.
const TICKS: u32 = 5;

/// One panel.
pub enum Panel<'a> {
    /// Lines through points, with names.
    Lines {
        /// What it shows.
        title: &'a str,
        /// Names of the axes.
        axes: (&'a str, &'a str),
        /// Each line's name and points.
        lines: Vec<(&'a str, Vec<(f64, f64)>)>,
    },
    /// Bars from nothing to one, in groups.
    Bars {
        /// What it shows.
        title: &'a str,
        /// The names of the bars in a group.
        names: Vec<&'a str>,
        /// Each group's name and values.
        groups: Vec<(&'a str, Vec<f64>)>,
    },
}

/// The picture.
pub fn svg(panels: &[Panel<'_>]) -> String {
    let width = WIDTH * panels.len() as f64;
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\"><rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (number, panel) in panels.iter().enumerate() {
        // Writing to a string cannot fail.
        write!(picture, "<g transform=\"translate({},0)\">", WIDTH * number as f64)
            .unwrap_or_default();
        picture.push_str(&match panel {
            Panel::Lines { title, axes, lines } => drawn_lines(title, *axes, lines),
            Panel::Bars { title, names, groups } => drawn_bars(title, names, groups),
        });
        picture.push_str("</g>\n");
    }
    picture + "</svg>\n"
}

/// From values to places in a panel.
struct Axes {
    x: (f64, f64),
    y: (f64, f64),
}

impl Axes {
    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (left, top, right, bottom) = MARGINS;
        let share = |value: f64, (from, to): (f64, f64)| (value - from) / (to - from).max(1e-9);
        (
            share(x, self.x).mul_add(WIDTH - left - right, left),
            share(y, self.y).mul_add(-(HEIGHT - top - bottom), HEIGHT - bottom),
        )
    }

    /// The frame with its marks; `numbered` tells whether the horizontal one has numbers.
    fn drawn(&self, title: &str, axes: (&str, &str), numbered: bool) -> String {
        let (left, top, right, bottom) = MARGINS;
        let mut drawn = text((WIDTH / 2.0, 20.0), "middle", title);
        drawn += &text((WIDTH / 2.0, HEIGHT - 30.0), "middle", axes.0);
        let middle = HEIGHT / 2.0;
        drawn += &upright(middle, axes.1);
        let (from, to) = ((left, top), (WIDTH - right, HEIGHT - bottom));
        drawn += &rectangle(from, to, "fill=\"none\" stroke=\"#888\"");
        for tick in 0..=TICKS {
            let share = f64::from(tick) / f64::from(TICKS);
            let at = |(from, to): (f64, f64)| share.mul_add(to - from, from);
            let (x, y) = self.place((at(self.x), at(self.y)));
            drawn += &text((left - 6.0, y + 4.0), "end", &rounded(at(self.y)));
            if numbered {
                drawn += &text((x, HEIGHT - bottom + 16.0), "middle", &rounded(at(self.x)));
            }
        }
        drawn
    }
}

fn drawn_lines(title: &str, names: (&str, &str), lines: &[(&str, Vec<(f64, f64)>)]) -> String {
    let points = || lines.iter().flat_map(|(_, points)| points.iter().copied());
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((0.0_f64, f64::MIN_POSITIVE), |(low, high), value| {
            (low.min(value), high.max(value))
        })
    };
    let axes =
        Axes { x: range(&mut points().map(|(x, _)| x)), y: range(&mut points().map(|(_, y)| y)) };
    let mut drawn = axes.drawn(title, names, true);
    for ((name, points), (number, colour)) in lines.iter().zip(COLOURS.iter().enumerate()) {
        let places = points.iter().map(|point| {
            let (x, y) = axes.place(*point);
            format!("{x:.1},{y:.1}")
        });
        let places: Vec<String> = places.collect();
        drawn += &polyline(&places, colour);
        drawn += &legend(number, name, colour);
    }
    drawn
}

fn drawn_bars(title: &str, names: &[&str], groups: &[(&str, Vec<f64>)]) -> String {
    let axes = Axes { x: (0.0, groups.len() as f64), y: (0.0, 1.0) };
    let mut drawn = axes.drawn(title, ("", ""), false);
    let bar = 0.8 / names.len().max(1) as f64;
    for (group, (name, values)) in groups.iter().enumerate() {
        let (x, floor) = axes.place((group as f64 + 0.5, 0.0));
        drawn += &text((x, floor + 16.0), "middle", name);
        for (number, (value, colour)) in values.iter().zip(COLOURS).enumerate() {
            let from = group as f64 + 0.1 + bar * number as f64;
            let (left, top) = axes.place((from, *value));
            let (right, _) = axes.place((from + bar, *value));
            drawn += &rectangle((left, top), (right, floor), &format!("fill=\"{colour}\""));
            drawn +=
                &text((f64::midpoint(left, right), top - 4.0), "middle", &format!("{value:.2}"));
        }
    }
    for ((number, name), colour) in names.iter().enumerate().zip(COLOURS) {
        drawn += &legend(number, name, colour);
    }
    drawn
}

/// A name with its colour, under the panel.
fn legend(number: usize, name: &str, colour: &str) -> String {
    let (x, y) = (170.0f64.mul_add(number as f64, MARGINS.0), HEIGHT - 12.0);
    format!("<rect x=\"{x}\" y=\"{}\" width=\"10\" height=\"10\" fill=\"{colour}\"/>", y - 9.0)
        + &text((x + 16.0, y), "start", name)
}

/// Words along the vertical axis.
fn upright(middle: f64, text: &str) -> String {
    let text = escaped(text);
    format!(
        "<text transform=\"translate(14,{middle}) rotate(-90)\" text-anchor=\"middle\">{text}</text>"
    )
}

/// A rectangle between two corners.
fn rectangle((left, top): (f64, f64), (right, bottom): (f64, f64), style: &str) -> String {
    let (width, height) = (right - left, bottom - top);
    format!(
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" {style}/>"
    )
}

fn polyline(places: &[String], colour: &str) -> String {
    let places = places.join(" ");
    format!("<polyline points=\"{places}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>")
}

fn text((x, y): (f64, f64), anchor: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn rounded(value: f64) -> String {
    if value.abs() >= 10.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_placed_and_names_escaped() {
        let panels = [
            Panel::Lines {
                title: "loss < 1 & falling",
                axes: ("step", "loss"),
                lines: vec![("run", vec![(0.0, 4.0), (100.0, 0.0)])],
            },
            Panel::Bars {
                title: "readers",
                names: vec!["act", "slots"],
                groups: vec![("parsers", vec![0.5, 1.0])],
            },
        ];
        let picture = svg(&panels);
        assert!(picture.contains("loss &lt; 1 &amp; falling"));
        // From the upper left corner of the frame to the lower right one.
        assert!(picture.contains("points=\"56.0,40.0 500.0,276.0\""), "{picture}");
        // Half and the whole of the frame's height.
        assert!(picture.contains("height=\"118.0\"") && picture.contains("height=\"236.0\""));
        assert_eq!(picture.matches("<g ").count(), picture.matches("</g>").count());
        assert!(
            svg(&[Panel::Lines { title: "", axes: ("", ""), lines: vec![] }]).ends_with("</svg>\n")
        );
    }
}
