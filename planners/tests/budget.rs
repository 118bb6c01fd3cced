//! The solver against an exact dynamic programme.

use tollgate_planners::budget::{Item, OverBudget, View, plan};

/// A small deterministic generator (xorshift64*), so that a failure names its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    fn unit(&mut self) -> f64 {
        self.below(1 << 20) as f64 / f64::from(1 << 20)
    }
}

struct Owned {
    relevance: f64,
    views: Vec<View>,
    floor: Option<usize>,
}

/// Best value within the budget by trying every view at every budget.
fn exact(items: &[Owned], budget: usize) -> f64 {
    let mut best = vec![0.0f64; budget + 1];
    for item in items {
        let mut with = if item.floor.is_some() { vec![f64::NEG_INFINITY; budget + 1] } else { best.clone() };
        for view in &item.views[item.floor.unwrap_or(0)..] {
            for spent in view.cost as usize..=budget {
                with[spent] = with[spent].max(best[spent - view.cost as usize] + item.relevance * view.fidelity);
            }
        }
        best = with;
    }
    best[budget]
}

fn instance(seed: u64) -> (Vec<Owned>, usize) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let n_items = [2, 3, 5, 8, 20, 60, 150][random.below(7) as usize];
    let largest = [8, 40, 200][random.below(3) as usize];
    let n_views = [1, 3, 7][random.below(3) as usize];
    let items: Vec<Owned> = (0..n_items)
        .map(|_| Owned {
            relevance: random.unit(),
            views: (0..n_views)
                .map(|_| View { cost: random.below(largest) as u32 + 1, fidelity: random.unit() })
                .collect(),
            floor: (random.below(12) == 0).then(|| random.below(n_views) as usize),
        })
        .collect();
    let all = n_items * largest;
    (items, (random.below(all.min(4000)) + all / 50) as usize)
}

fn cheapest_pins(items: &[Owned]) -> u64 {
    let cheapest = |item: &Owned| item.floor.and_then(|floor| item.views[floor..].iter().map(|v| v.cost).min());
    items.iter().filter_map(cheapest).map(u64::from).sum()
}

#[test]
fn within_a_hundredth_of_the_optimum() {
    let (mut worst, mut n_planned, mut n_over) = (0.0f64, 0, 0);
    for seed in 0..400 {
        let (items, budget) = instance(seed);
        let asked: Vec<Item<'_>> =
            items.iter().map(|o| Item { relevance: o.relevance, views: &o.views, floor: o.floor }).collect();
        let planned = match plan(&asked, budget as u64) {
            Ok(planned) => planned,
            Err(OverBudget { needed, .. }) => {
                assert!(needed > budget as u64 && needed == cheapest_pins(&items), "seed {seed}");
                n_over += 1;
                continue;
            }
        };
        let optimum = exact(&items, budget);
        let short = if optimum > 0.0 { (optimum - planned.value) / optimum } else { 0.0 };
        assert!(planned.cost <= budget as u64, "seed {seed}");
        assert!(short <= 0.01, "seed {seed}: {} of {optimum}", planned.value);
        assert!(planned.value <= optimum + 1e-9 && optimum <= planned.bound + 1e-9, "seed {seed}");
        assert!(short <= planned.gap() + 1e-9, "seed {seed}");
        assert_choice_adds_up(&items, &planned, seed);
        worst = worst.max(short);
        n_planned += 1;
    }
    assert!(n_planned > 350 && n_over > 0, "{n_planned} planned, {n_over} over");
    eprintln!("worst of {n_planned}: {:.3} % below the optimum", worst * 100.0);
}

fn assert_choice_adds_up(items: &[Owned], planned: &tollgate_planners::budget::Plan, seed: u64) {
    let (mut cost, mut value) = (0, 0.0);
    for (item, &choice) in items.iter().zip(&planned.choice) {
        let allowed = choice.map_or(item.floor.is_none(), |view| view >= item.floor.unwrap_or(0));
        assert!(allowed, "seed {seed}");
        let view = choice.map(|view| item.views[view]);
        cost += view.map_or(0, |view| u64::from(view.cost));
        value += view.map_or(0.0, |view| item.relevance * view.fidelity);
    }
    assert_eq!(cost, planned.cost, "seed {seed}");
    assert!((value - planned.value).abs() < 1e-9, "seed {seed}");
}

#[test]
fn ties_go_to_the_first_items() {
    let views = [View { cost: 10, fidelity: 1.0 }];
    let items = [Item { relevance: 0.5, views: &views, floor: None }; 5];
    let planned = plan(&items, 25).unwrap();
    assert_eq!(planned.choice, [Some(0), Some(0), None, None, None]);
}

#[test]
fn worthless_and_impossible_items_are_left_out() {
    let views = [View { cost: 10, fidelity: 1.0 }];
    for relevance in [0.0, -1.0, f64::NAN] {
        let planned = plan(&[Item { relevance, views: &views, floor: None }], 100).unwrap();
        assert_eq!((planned.choice, planned.value), (vec![None], 0.0));
    }
    let pinned = Item { relevance: 0.0, views: &views, floor: Some(0) };
    assert_eq!(plan(&[pinned], 100).unwrap().choice, [Some(0)]);
    assert_eq!(plan(&[pinned; 2], 19).unwrap_err(), OverBudget { needed: 20, budget: 19 });
    assert_eq!(plan(&[], 0).unwrap().gap(), 0.0);
}

#[test]
fn a_cheap_dud_does_not_keep_out_the_treasure() {
    // Greedy takes the better gain per token first and then has no room: half of the optimum without the search.
    let (dud, treasure) = ([View { cost: 1, fidelity: 0.02 }], [View { cost: 100, fidelity: 1.0 }]);
    let items =
        [Item { relevance: 1.0, views: &dud, floor: None }, Item { relevance: 1.0, views: &treasure, floor: None }];
    assert_eq!(plan(&items, 100).unwrap().choice, [None, Some(0)]);
}
