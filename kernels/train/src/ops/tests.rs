//! Every gradient beside the slope of the function itself.

use candle_core::{Device, Tensor, Var};

use super::*;

fn random(seed: u64, n: usize) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(seed);
    (0..n).map(|_| rng.f32() * 2.0 - 1.0).collect()
}

fn var(seed: u64, shape: &[usize]) -> Var {
    Var::from_vec(random(seed, shape.iter().product()), shape, &Device::Cpu).unwrap()
}

/// Compares the gradient of a weighted sum of `body` with central differences, for every number of every argument.
fn check(name: &str, arguments: &[Var], body: impl Fn(&[Var]) -> Tensor) {
    let weigh = |out: &Tensor| {
        let weights = Tensor::from_vec(random(99, out.elem_count()), out.shape(), &Device::Cpu).unwrap();
        (out * weights).unwrap().sum_all().unwrap()
    };
    let loss = || f64::from(weigh(&body(arguments)).to_scalar::<f32>().unwrap());
    let grads = weigh(&body(arguments)).backward().unwrap();
    for (idx, argument) in arguments.iter().enumerate() {
        let grad = grads.get(argument).unwrap_or_else(|| panic!("{name}: argument {idx} is cut off"));
        let grad: Vec<f32> = grad.flatten_all().unwrap().to_vec1().unwrap();
        let start: Vec<f32> = argument.flatten_all().unwrap().to_vec1().unwrap();
        let set = |at: usize, step: f32| {
            let mut values = start.clone();
            values[at] += step;
            argument.set(&Tensor::from_vec(values, argument.shape(), &Device::Cpu).unwrap()).unwrap();
            loss()
        };
        for (at, grad) in grad.iter().enumerate() {
            let slope = (set(at, 1e-2) - set(at, -1e-2)) / 2e-2;
            set(at, 0.0);
            let near = (slope - f64::from(*grad)).abs() < 3e-3 + 0.02 * slope.abs();
            assert!(near, "{name}: argument {idx} at {at}: slope {slope}, gradient {grad}");
        }
    }
}

#[test]
fn gradients_are_slopes() {
    let (x, w) = (var(1, &[3, 8]), var(2, &[8]));
    check("rms_norm", &[x.clone(), w], |it| it[0].apply_op2(&it[1], RmsNorm { eps: 1e-5 }).unwrap());
    check("swiglu", &[x, var(3, &[3, 8])], |it| it[0].apply_op2(&it[1], SwiGlu).unwrap());
    let angles = Angles::new(&[0, 1, 7, 0, 3, 900], 4, 10_000.0);
    check("split_heads", &[var(4, &[2, 3, 8])], |it| {
        it[0].apply_op1(SplitHeads { n_heads: 2, angles: Some(angles.clone()) }).unwrap()
    });
    check("merge_heads", &[var(5, &[2, 2, 3, 4])], |it| it[0].apply_op1(MergeHeads).unwrap());
    for (shift, window) in [(0, None), (2, None), (0, Some(1)), (1, Some(2))] {
        check("causal_softmax", &[var(6, &[2, 8, 4])], |it| {
            let sight = Sight { shift, window };
            let op = CausalSoftmax { sight, scale: 0.7, n_queries: 4, first_query: 0, first_key: 0 };
            it[0].apply_op1(op).unwrap()
        });
    }
    check("hard labels", &[var(7, &[3, 5])], |it| {
        it[0].apply_op1(CrossEntropy(Labels::Hard(vec![Some(4), None, Some(0)]))).unwrap()
    });
    check("soft labels", &[var(8, &[3, 5])], |it| {
        let teacher = vec![Some(random(9, 5)), None, Some(random(10, 5))];
        it[0].apply_op1(CrossEntropy(Labels::Soft(teacher))).unwrap()
    });
}

#[test]
fn exponential_is_exact() {
    for step in 0..87_000 {
        let x = -(step as f32) / 1000.0;
        let relative = (f64::from(exp::exp(x)) / f64::from(x).exp() - 1.0).abs();
        assert!(relative < 4e-7, "exp({x}) is off by {relative}");
    }
}

#[test]
fn keys_in_sight() {
    let check = |shift, window, at, keys| assert_eq!(Sight { shift, window }.keys(at), keys, "{shift} {window:?} {at}");
    check(0, None, 0, 0..1);
    check(0, None, 5, 0..6);
    check(1, None, 0, 0..0);
    check(4, None, 2, 0..0);
    check(2, None, 5, 0..4);
    check(0, Some(2), 5, 3..6);
    check(3, Some(1), 5, 3..3);
}
