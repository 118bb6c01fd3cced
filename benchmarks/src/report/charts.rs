//! The charts of a page, drawn by plotters as SVG. Colours are marks that the page's style gives their light or dark values.

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::arm::Arm;
use crate::score::GATES;
use crate::summary::{Summary, Sums};

/// Width of all charts; they shrink with the page.
const WIDTH: u32 = 900;
const BAR_HEIGHT: u32 = 34;
const FONT: &str = "sans-serif";

/// Marks for the page's style.
const INK: RGBColor = RGBColor(0x11, 0x11, 0x11);
const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
/// The first is that of what is right; the others tell parts apart.
const PARTS: [RGBColor; 7] = [
    RGBColor(0x2f, 0x9e, 0x6e),
    RGBColor(0x7a, 0x5c, 0xd6),
    RGBColor(0x2f, 0x7f, 0xd1),
    RGBColor(0xe0, 0x9f, 0x1f),
    RGBColor(0xd9, 0x5f, 0x2b),
    RGBColor(0xc2, 0x3b, 0x5e),
    RGBColor(0x7d, 0x85, 0x90),
];

/// A title, what to see there, and the drawing.
pub type Chart = (&'static str, &'static str, String);

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Numbers<'a> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

/// All charts of a run that has anything to show in them.
///
/// # Errors
/// What plotters says.
pub fn all(summary: &Summary) -> Result<Vec<Chart>, String> {
    let arms: Vec<(Arm, &Sums)> =
        summary.arms.iter().filter(|(_, sums)| sums.attempts > 0).map(|(arm, sums)| (*arm, sums)).collect();
    if arms.is_empty() {
        return Ok(Vec::new());
    }
    let told = |error: Failed| error.to_string();
    Ok(vec![
        (
            "Accuracy against tokens",
            "Tokens of a whole attempt, searches included; bars are 95 % intervals. Up and to the left is better.",
            curve(summary, &arms).map_err(told)?,
        ),
        ("Where attempts stop", "Each failed attempt stops at exactly one gate.", gates(&arms).map_err(told)?),
        (
            "What a request is made of",
            "Mean tokens of a request to the model and of its answer, part by part.",
            waterfall(&arms).map_err(told)?,
        ),
    ])
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

fn mean_tokens(sums: &Sums) -> f64 {
    sums.usage.total() as f64 / sums.attempts as f64
}

fn font(size: u32) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK)
}

fn curve(summary: &Summary, arms: &[(Arm, &Sums)]) -> Result<String, Failed> {
    let mut svg = String::new();
    let tokens: Vec<f64> = arms.iter().map(|(_, sums)| mean_tokens(sums).max(1.0)).collect();
    let (least, most) = tokens.iter().fold((f64::MAX, 1.0f64), |(low, high), it| (low.min(*it), high.max(*it)));
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, 360)).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(14)
            .x_label_area_size(44)
            .y_label_area_size(56)
            .build_cartesian_2d((least * 0.7..most * 1.6).log_scale(), 0.0..104.0)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .label_style(font(13))
            .axis_desc_style(font(13))
            .x_desc("tokens an attempt")
            .y_desc("solved, %")
            .x_label_formatter(&|it| format!("{it:.0}"))
            .y_label_formatter(&|it| format!("{it:.0}"))
            .draw()?;
        let at = |(_, sums): &(Arm, &Sums)| (mean_tokens(sums).max(1.0), 100.0 * sums.accuracy());
        let mut gated: Vec<(f64, f64)> =
            arms.iter().filter(|(arm, _)| matches!(arm, Arm::Gate(_) | Arm::Served(_))).map(at).collect();
        gated.sort_by(|one, other| one.0.total_cmp(&other.0));
        chart.draw_series(LineSeries::new(gated, PARTS[2].stroke_width(2)))?;
        for one in arms {
            let (x, y) = at(one);
            let colour = if matches!(one.0, Arm::Gate(_) | Arm::Served(_)) { PARTS[2] } else { PARTS[4] };
            if let [Some(interval), ..] = summary.intervals(one.0) {
                let ends = [(x, 100.0 * interval.low), (x, 100.0 * interval.high)];
                chart.draw_series([PathElement::new(ends, colour.stroke_width(1))])?;
            }
            chart.draw_series([Circle::new((x, y), 5, colour.filled())])?;
            let (left, top) = chart.backend_coord(&(x, y));
            let style = font(13).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw_text(&one.0.to_string(), &style, (left + 9, top + 12))?;
        }
        area.present()?;
    }
    Ok(svg)
}

fn gates(arms: &[(Arm, &Sums)]) -> Result<String, Failed> {
    let mut names = vec!["solved"];
    names.extend(GATES.map(crate::score::Gate::name));
    let rows: Vec<(String, Vec<f64>)> = arms
        .iter()
        .map(|(arm, sums)| {
            let share = |gate| 100.0 * sums.share(gate);
            (arm.to_string(), std::iter::once(100.0 * sums.accuracy()).chain(GATES.map(share)).collect())
        })
        .collect();
    stacked(&rows, &names, "% of attempts")
}

fn waterfall(arms: &[(Arm, &Sums)]) -> Result<String, Failed> {
    let names = ["tools listed", "the gate's own tools", "system", "question", "said before", "results", "answer"];
    let rows: Vec<(String, Vec<f64>)> = arms
        .iter()
        .map(|(arm, sums)| {
            let (parts, rounds) = (sums.parts, sums.rounds.max(1) as f64);
            let each = [
                parts.tools,
                parts.meta_tools,
                parts.system,
                parts.query,
                parts.said,
                parts.results,
                sums.usage.output,
            ];
            (arm.to_string(), each.iter().map(|it| *it as f64 / rounds).collect())
        })
        .collect();
    stacked(&rows, &names, "tokens")
}

/// A bar for each row, its parts one after the other, and a legend above.
fn stacked(rows: &[(String, Vec<f64>)], names: &[&str], unit: &str) -> Result<String, Failed> {
    let most = rows.iter().map(|(_, parts)| parts.iter().sum::<f64>()).fold(1.0, f64::max);
    let height = 96 + BAR_HEIGHT * rows.len() as u32;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        legend(&area, names)?;
        let mut chart: Numbers<'_> = ChartBuilder::on(&area)
            .margin_top(34)
            .margin_right(24)
            .x_label_area_size(40)
            .y_label_area_size(104)
            .build_cartesian_2d(0.0..most * 1.02, -0.6..rows.len() as f64 - 0.4)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .y_labels(0)
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .label_style(font(13))
            .axis_desc_style(font(13))
            .x_desc(unit)
            .x_label_formatter(&|it| format!("{it:.0}"))
            .draw()?;
        for (at, (name, parts)) in rows.iter().enumerate() {
            let y = (rows.len() - 1 - at) as f64;
            let mut from = 0.0;
            for (part, value) in parts.iter().enumerate().filter(|(_, value)| **value > 0.0) {
                let corners = [(from, y - 0.36), (from + value, y + 0.36)];
                chart.draw_series([Rectangle::new(corners, PARTS[part % PARTS.len()].filled())])?;
                from += value;
            }
            let (left, top) = chart.backend_coord(&(0.0, y));
            area.draw_text(name, &font(13).pos(Pos::new(HPos::Right, VPos::Center)), (left - 8, top))?;
        }
        area.present()?;
    }
    Ok(svg)
}

fn legend(area: &Area<'_>, names: &[&str]) -> Result<(), Failed> {
    // Letters of thirteen pixels are about seven wide.
    let mut left = 104;
    for (name, colour) in names.iter().zip(PARTS) {
        area.draw(&Rectangle::new([(left, 8), (left + 11, 19)], colour.filled()))?;
        area.draw_text(name, &font(13).pos(Pos::new(HPos::Left, VPos::Center)), (left + 16, 14))?;
        left += 34 + 7 * name.len() as i32;
    }
    Ok(())
}
