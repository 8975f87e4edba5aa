//! A plan as a picture that a person can read: one lane for each machine and person, bars over time, open hours
//! behind them, lateness in red. SVG, without scripts, the same bytes for the same plan.

use std::fmt::Write as _;

/// Everything there is to draw; times in one unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chart {
    /// Above everything.
    pub title: String,
    /// From top to bottom.
    pub lanes: Vec<Lane>,
    /// What a unit of the axis is called: a label at every `tick`.
    pub tick: i64,
    /// How a tick is labelled: (first number, step, prefix), as in `day 1`.
    pub tick_name: String,
}

/// One machine or person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lane {
    /// On the left.
    pub name: String,
    /// When it is open; empty means always.
    pub open: Vec<(i64, i64)>,
    /// When it is out of use.
    pub down: Vec<(i64, i64)>,
    /// What is done.
    pub bars: Vec<Bar>,
}

/// Something that takes time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bar {
    /// The first moment.
    pub start: i64,
    /// The first moment after.
    pub end: i64,
    /// Inside the bar, if there is room.
    pub text: String,
    /// Shown when somebody points at it.
    pub tip: String,
    /// Which of the colours; equal things look equal.
    pub colour: usize,
    /// Whether an order that depends on it is late.
    pub is_late: bool,
    /// How long the finished work may wait at most, from the end on; drawn as a thin line.
    pub window: i64,
}

const LEFT: i64 = 120;
const TOP: i64 = 56;
const LANE: i64 = 22;
const BAR: i64 = 16;
/// Colours that differ in lightness too, for people who don't see all hues (after Okabe and Ito 2008).
const COLOURS: [&str; 12] = [
    "#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#0072b2", "#d55e00", "#999999", "#b3de69",
    "#bebada", "#80b1d3", "#fdb462",
];

impl Chart {
    /// Draws the chart, `width` pixels wide.
    #[must_use]
    pub fn svg(&self, width: i64) -> String {
        let last = self.lanes.iter().flat_map(|lane| &lane.bars).map(|bar| bar.end).max().unwrap_or(0).max(1);
        let span = width.max(LEFT + 200) - LEFT - 20;
        let x = |at: i64| LEFT + at.clamp(0, last) * span / last;
        let rows = i64::try_from(self.lanes.len()).unwrap_or(0);
        let height = TOP + rows * LANE + 40;
        let mut svg = String::new();
        // Writing to a string can't fail.
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {height}\" width=\"{0}\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"11\"><title>{1}</title>\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\
             <text x=\"8\" y=\"20\" font-size=\"15\">{1}</text>",
            width.max(LEFT + 200),
            escaped(&self.title)
        );
        self.axis(&mut svg, last, span, rows, &x);
        for (row, lane) in self.lanes.iter().enumerate() {
            let y = TOP + i64::try_from(row).unwrap_or(0) * LANE;
            draw_lane(&mut svg, lane, y, span, last, &x);
        }
        let _ = writeln!(
            svg,
            "<text x=\"{LEFT}\" y=\"{}\" fill=\"#b00020\">red frame: a late order depends on it</text></svg>",
            height - 12
        );
        svg
    }

    fn axis(&self, svg: &mut String, last: i64, span: i64, rows: i64, x: &dyn Fn(i64) -> i64) {
        let tick = self.tick.max(1);
        // Not more labels than there is room for.
        let every = (last / tick * 60 / span.max(1) + 1).max(1);
        let mut number = 0;
        while number * tick <= last {
            let at = x(number * tick);
            let _ = write!(
                svg,
                "<line x1=\"{at}\" y1=\"{}\" x2=\"{at}\" y2=\"{}\" stroke=\"#ccc\"/>",
                TOP - 8,
                TOP + rows * LANE
            );
            let _ = write!(
                svg,
                "<text x=\"{}\" y=\"{}\" fill=\"#555\">{}{number}</text>",
                at + 2,
                TOP - 10,
                escaped(&self.tick_name)
            );
            number += every;
        }
    }
}

fn draw_lane(svg: &mut String, lane: &Lane, y: i64, span: i64, last: i64, x: &dyn Fn(i64) -> i64) {
    let right = LEFT + span;
    let ground = if lane.open.is_empty() { "#fafafa" } else { "#e4e4e4" };
    let _ = write!(
        svg,
        "<text x=\"8\" y=\"{}\">{}</text><rect x=\"{LEFT}\" y=\"{y}\" width=\"{}\" height=\"{BAR}\" fill=\"{ground}\"/>",
        y + 12,
        escaped(&lane.name),
        right - LEFT
    );
    for (intervals, fill) in [(&lane.open, "#fafafa"), (&lane.down, "#444")] {
        for &(start, end) in intervals.iter().filter(|interval| interval.0 < last) {
            let _ = write!(
                svg,
                "<rect x=\"{}\" y=\"{y}\" width=\"{}\" height=\"{BAR}\" fill=\"{fill}\"/>",
                x(start),
                (x(end) - x(start)).max(1)
            );
        }
    }
    for bar in &lane.bars {
        draw_bar(svg, bar, y, x);
    }
}

fn draw_bar(svg: &mut String, bar: &Bar, y: i64, x: &dyn Fn(i64) -> i64) {
    let (from, to) = (x(bar.start), x(bar.end));
    let width = (to - from).max(1);
    let frame = if bar.is_late { "#b00020\" stroke-width=\"2" } else { "#333\" stroke-width=\"0.4" };
    let _ = write!(
        svg,
        "<g><title>{}</title><rect x=\"{from}\" y=\"{y}\" width=\"{width}\" height=\"{BAR}\" fill=\"{}\" stroke=\"{frame}\"/>",
        escaped(&bar.tip),
        COLOURS[bar.colour % COLOURS.len()]
    );
    if bar.window > 0 {
        let middle = y + BAR / 2;
        let _ = write!(
            svg,
            "<line x1=\"{to}\" y1=\"{middle}\" x2=\"{}\" y2=\"{middle}\" stroke=\"#333\" stroke-dasharray=\"2 2\"/>",
            x(bar.end + bar.window)
        );
    }
    let letters = i64::try_from(bar.text.chars().count()).unwrap_or(i64::MAX >> 8);
    if letters * 7 <= width {
        let _ = write!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", from + 2, y + 12, escaped(&bar.text));
    }
    svg.push_str("</g>");
}

/// Names come from files; nothing in them may become markup.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars().take(300) {
        match letter {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}
