//! One item's views, prepared: the dominated ones dropped, the upper convex hull found.

use super::View;

/// The views of one item that can ever be part of a best plan.
///
/// Relevance scales every slope of the hull alike, so it is found once per item and serves every query.
#[derive(Debug, Clone)]
pub struct Hull {
    points: Box<[Point]>,
    corners: Box<[u8]>,
}

/// A view that no other one beats in both cost and fidelity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub(super) fidelity: f64,
    pub(super) cost: u32,
    view: u32,
}

/// `Point::view` of what is left out.
const OMITTED: u32 = u32::MAX;

/// Views past this many are not considered; a ladder of detail has a handful.
const MAX_VIEWS: usize = 254;

impl Hull {
    /// Prepares `views`. With a `floor`, only the views from that index on are allowed and the item is never left
    /// out; a floor past the last view means the last one.
    #[must_use]
    pub fn new(views: &[View], floor: Option<usize>) -> Self {
        let views = &views[..views.len().min(MAX_VIEWS)];
        let first = floor.unwrap_or(0).min(views.len().saturating_sub(1));
        let allowed = views.iter().zip(0u32..).skip(first).map(|(view, idx)| Point::of(view, idx));
        let omitted = Point { fidelity: 0.0, cost: 0, view: OMITTED };
        let may_omit = floor.is_none() || views.is_empty();
        let points = undominated(allowed.chain(may_omit.then_some(omitted)).collect());
        let corners = upper_hull(&points).into();
        Self { points: points.into(), corners }
    }

    /// What the item costs at least, in tokens: 0 unless it is pinned.
    #[must_use]
    pub fn least_cost(&self) -> u32 {
        self.points[0].cost
    }

    /// The cheapest allowed point; the item costs at least this.
    pub(super) fn base(&self) -> Point {
        self.points[0]
    }

    /// Cost strictly ascending, fidelity strictly ascending.
    pub(super) fn points(&self) -> &[Point] {
        &self.points
    }

    /// Calls `each` for every pair of neighbouring corners of the hull of those points that cost at most
    /// `capacity` tokens more than the base. A corner that can never fit would hide the points below it.
    pub(super) fn for_each_step(&self, capacity: u64, mut each: impl FnMut(usize, usize)) {
        let last = self.points[self.points.len() - 1];
        if self.extra(last) <= capacity {
            return steps(&self.corners, &mut each);
        }
        let fitting = self.points.partition_point(|&point| self.extra(point) <= capacity);
        steps(&upper_hull(&self.points[..fitting]), &mut each);
    }

    fn extra(&self, point: Point) -> u64 {
        u64::from(point.cost - self.points[0].cost)
    }
}

impl Point {
    fn of(view: &View, idx: u32) -> Self {
        Self { fidelity: view.fidelity, cost: view.cost, view: idx }
    }

    pub(super) fn view(self) -> Option<usize> {
        (self.view != OMITTED).then_some(self.view as usize)
    }
}

fn steps(corners: &[u8], each: &mut impl FnMut(usize, usize)) {
    for pair in corners.windows(2) {
        each(usize::from(pair[0]), usize::from(pair[1]));
    }
}

fn undominated(mut points: Vec<Point>) -> Vec<Point> {
    // Among equal costs the best comes first and the others fall to the filter below.
    points.sort_by(|a, b| a.cost.cmp(&b.cost).then(b.fidelity.total_cmp(&a.fidelity)));
    let mut best = f64::NEG_INFINITY;
    points.retain(|point| {
        let improves = point.fidelity > best;
        best = if improves { point.fidelity } else { best };
        improves
    });
    points
}

/// Indices of the corners of the upper hull, by Andrew's monotone chain. Points on an edge are kept: they cost
/// nothing in value and let the greedy stop closer to the budget.
fn upper_hull(points: &[Point]) -> Vec<u8> {
    let mut corners: Vec<u8> = Vec::with_capacity(points.len());
    for (idx, &point) in (0u8..).zip(points) {
        while let [.., before, last] = corners[..] {
            let (before, last) = (points[usize::from(before)], points[usize::from(last)]);
            if slope(before, last) >= slope(last, point) {
                break;
            }
            corners.pop();
        }
        corners.push(idx);
    }
    corners
}

/// Fidelity gained per token between two points of ascending cost.
fn slope(from: Point, to: Point) -> f64 {
    (to.fidelity - from.fidelity) / f64::from(to.cost - from.cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(cost, fidelity)` of the views, then `(view)` of the points and of the hull's corners.
    fn check(views: &[(u32, f64)], floor: Option<usize>, points: &[Option<usize>], corners: &[Option<usize>]) {
        let views: Vec<View> = views.iter().map(|&(cost, fidelity)| View { cost, fidelity }).collect();
        let hull = Hull::new(&views, floor);
        let views_of = |points: Vec<Point>| points.into_iter().map(Point::view).collect::<Vec<_>>();
        assert_eq!(views_of(hull.points().to_vec()), points);
        let at = |&corner: &u8| hull.points()[usize::from(corner)];
        assert_eq!(views_of(hull.corners.iter().map(at).collect()), corners);
    }

    #[test]
    fn drops_what_is_dominated_and_bends_only_down() {
        let none = None;
        check(&[], none, &[None], &[None]);
        check(&[(5, 0.5), (9, 1.0)], none, &[None, Some(0), Some(1)], &[None, Some(1)]);
        check(&[(2, 0.5), (9, 1.0)], none, &[None, Some(0), Some(1)], &[None, Some(0), Some(1)]);
        check(&[(9, 0.5), (2, 1.0)], none, &[None, Some(1)], &[None, Some(1)]);
        check(&[(0, 0.1), (2, f64::NAN), (4, 0.3)], none, &[Some(0), Some(2)], &[Some(0), Some(2)]);
        check(&[(2, 0.2), (4, 0.4)], none, &[None, Some(0), Some(1)], &[None, Some(0), Some(1)]);
    }

    #[test]
    fn a_floor_never_leaves_the_item_out() {
        check(&[(2, 0.5), (9, 0.9), (11, 1.0)], Some(1), &[Some(1), Some(2)], &[Some(1), Some(2)]);
        check(&[(2, 0.5), (9, 0.9)], Some(7), &[Some(1)], &[Some(1)]);
        check(&[], Some(0), &[None], &[None]);
    }

    #[test]
    fn a_corner_that_cannot_fit_does_not_hide_the_others() {
        let hull = Hull::new(&[View { cost: 5, fidelity: 0.2 }, View { cost: 9, fidelity: 1.0 }], None);
        let mut seen = Vec::new();
        hull.for_each_step(6, |from, to| seen.push((from, to)));
        assert_eq!(seen, [(0, 1)]);
    }
}
