//! Curves as SVG.

use plotters::prelude::*;

use crate::progress::Row;

/// Points of a curve; more are averaged.
const POINTS: usize = 300;

/// Losses over tokens, one curve a run.
///
/// # Errors
/// What the drawing library says.
pub fn losses(runs: &[(&str, &[Row])]) -> Result<String, String> {
    let curves: Vec<(&str, Vec<(f64, f64)>)> = runs.iter().map(|(name, rows)| (*name, smooth(rows))).collect();
    let mut svg = String::new();
    draw(&mut svg, &curves).map_err(|it| format!("cannot draw the curve: {it}"))?;
    Ok(svg)
}

/// Means of neighbouring rows.
fn smooth(rows: &[Row]) -> Vec<(f64, f64)> {
    let size = rows.len().div_ceil(POINTS).max(1);
    let mean = |rows: &[Row]| rows.iter().map(|it| it.loss).sum::<f64>() / rows.len() as f64;
    rows.chunks(size).map(|it| (it[it.len() - 1].n_tokens as f64 / 1e6, mean(it))).collect()
}

fn draw(svg: &mut String, curves: &[(&str, Vec<(f64, f64)>)]) -> Result<(), Box<dyn std::error::Error>> {
    let points = || curves.iter().flat_map(|it| &it.1);
    let right = points().map(|it| it.0).fold(1e-3, f64::max);
    let top = points().map(|it| it.1).fold(1e-3, f64::max);
    let area = SVGBackend::with_string(svg, (720, 360)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(44)
        .build_cartesian_2d(0.0..right, 0.0..top * 1.05)?;
    chart.configure_mesh().x_desc("million tokens").y_desc("nats a token").draw()?;
    for (idx, (name, curve)) in curves.iter().enumerate() {
        let color = Palette99::pick(idx).mix(1.0);
        let series = LineSeries::new(curve.iter().copied(), color.stroke_width(2));
        let legend = move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], color.stroke_width(2));
        chart.draw_series(series)?.label(*name).legend(legend);
    }
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).draw()?;
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_drawn_for_each_run() {
        let row = |step| Row { step, n_tokens: step * 100, loss: 5.0 / (step + 1) as f64, rate: 1e-3, norm: 1.0 };
        let rows: Vec<Row> = (0..1000).map(row).collect();
        let svg = losses(&[("target", &rows), ("draft", &rows[..10])]).unwrap();
        assert!(svg.contains("target") && svg.contains("draft") && svg.contains("nats a token"));
        assert!(smooth(&rows).len() <= POINTS);
    }
}
