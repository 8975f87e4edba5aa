//! How long the first plan of a month's work takes.
#![expect(clippy::unwrap_used, reason = "a bench may fail loudly")]

use criterion::{Criterion, criterion_group, criterion_main};
use sprue_compute::schedule::*;

#[path = "../schedule/samples.rs"]
mod samples;

fn first_plan(c: &mut Criterion) {
    let mut group = c.benchmark_group("schedule");
    group.sample_size(20);
    for (steps, name) in [(2, "1000 pieces, short routing"), (14, "1000 pieces, long routing")] {
        let problem = samples::shop(1000, steps, 1);
        let tasks = problem.tasks.len();
        for decodes in [1, 4] {
            group.bench_function(format!("{name}, {tasks} tasks, {decodes} decodes"), |bench| {
                bench.iter(|| plan(&problem, 1, Budget { decodes }).unwrap());
            });
        }
        let made = plan(&problem, 1, Budget { decodes: 4 }).unwrap();
        assert_eq!(verify(&problem, &made), []);
        group.bench_function(format!("{name}, verify"), |bench| bench.iter(|| verify(&problem, &made)));
    }
    group.finish();
}

criterion_group!(benches, first_plan);
criterion_main!(benches);
