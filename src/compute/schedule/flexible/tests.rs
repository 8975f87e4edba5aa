//! What is promised of the sequencing core: sound plans, known optima, the same again.

use super::*;
use crate::schedule::random::Random;

fn wild(seed: u64) -> Instance {
    let mut random = Random(seed);
    let machines = 1 + random.below(5);
    let operation = |random: &mut Random| {
        let first = random.below(machines);
        let able = 1 + random.below(machines);
        let choice = |offset: usize, random: &mut Random| Choice {
            machine: (first + offset) % machines,
            duration: i64::try_from(random.below(30)).unwrap(),
        };
        Operation { choices: (0..able).map(|offset| choice(offset, random)).collect() }
    };
    let jobs = (0..random.below(8))
        .map(|_| (0..1 + random.below(5)).map(|_| operation(&mut random)).collect())
        .collect();
    Instance { machines, jobs }
}

#[test]
fn random_job_shops_are_planned_soundly_and_never_get_worse() {
    for seed in 0..300 {
        let instance = wild(seed);
        let mut search = Search::new(&instance);
        let mut before = search.makespan();
        for _ in 0..3 {
            search.improve(Budget { moves: 1_024, seed }, &mut |_| true);
            assert!(search.makespan() <= before, "seed {seed}");
            before = search.makespan();
        }

        let plan = search.plan();

        assert_eq!(verify(&instance, &plan), Vec::<String>::new(), "seed {seed}");
        assert_eq!(plan.makespan, search.makespan(), "seed {seed}");
        assert!(plan.makespan >= lower_bound(&instance), "seed {seed}");
    }
}

#[test]
fn the_plan_is_the_same_on_one_thread_and_on_two() {
    let instance = wild(12);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut search = Search::new(&instance);
            search.improve(Budget { moves: 20_000, seed: 5 }, &mut |_| true);
            search.plan()
        })
    };

    assert_eq!(on(1), on(2));
}

#[test]
fn a_small_shop_is_solved_to_its_bound() {
    // Two jobs of two operations; the second machine is needed by both for 3, and 2 pass before and after.
    let instance = read("2 2\n2 1 0 2 1 1 3\n2 1 1 3 1 0 2\n").unwrap();
    let mut search = Search::new(&instance);

    search.improve(Budget { moves: 2_048, seed: 1 }, &mut |_| true);

    assert_eq!(search.makespan(), 6);
    assert_eq!(verify(&instance, &search.plan()), Vec::<String>::new());
}

#[test]
fn machines_may_count_from_one() {
    let zero = read("1 2\n2 1 0 4 2 0 1 1 2\n").unwrap();
    let one = read("1 2\n2 1 1 4 2 1 1 2 2\n").unwrap();

    assert_eq!(zero, one);
}

#[test]
fn what_is_no_job_shop_is_refused_with_a_reason() {
    assert_eq!(read(""), Err(Error::Short));
    assert_eq!(read("2 2\n1 1 0 4\n"), Err(Error::Short));
    assert_eq!(read("1 1\n1 1 0 x"), Err(Error::Number("x".to_owned())));
    assert_eq!(read("1 1\n1 0"), Err(Error::Range("the number of operations or of their machines")));
    assert_eq!(read("1 2\n1 2 0 4 2 4"), Err(Error::Range("a machine")));
    assert_eq!(read("999999999 1"), Err(Error::Range("the number of jobs")));
    assert_eq!(read("1 1\n1 1 0 99999999999999"), Err(Error::Range("a duration")));
}

#[test]
fn the_verifier_sees_what_is_wrong() {
    let instance = read("2 2\n2 1 0 2 1 1 3\n2 1 1 3 1 0 2\n").unwrap();
    let plan = Search::new(&instance).plan();
    assert_eq!(verify(&instance, &plan), Vec::<String>::new());
    for index in 0..plan.places.len() {
        let mut missing = plan.clone();
        missing.places.remove(index);
        assert_ne!(verify(&instance, &missing), Vec::<String>::new());

        let mut long = plan.clone();
        long.places[index].end += 1;
        assert_ne!(verify(&instance, &long), Vec::<String>::new());

        let mut elsewhere = plan.clone();
        elsewhere.places[index].machine = 1 - elsewhere.places[index].machine;
        assert_ne!(verify(&instance, &elsewhere), Vec::<String>::new());
    }
    let mut early = plan.clone();
    let length = early.places[1].end - early.places[1].start;
    (early.places[1].start, early.places[1].end) = (0, length);
    assert_ne!(verify(&instance, &early), Vec::<String>::new());
}

#[test]
fn published_optima_are_found() {
    let shared = std::env::var("SPRUE_SHARED").unwrap_or_else(|_| "../../../shared".to_owned());
    let folder = std::path::Path::new(&shared).join("sched/fjsp/brandimarte");
    for (name, optimum) in [("mk01", 40), ("mk03", 204), ("mk04", 60), ("mk08", 523)] {
        let path = folder.join(format!("{name}.txt"));
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("skipped: {} is not there", path.display());
            continue;
        };
        let mut search = Search::new(&read(&text).unwrap());

        search.improve(Budget { moves: 60_000, seed: 1 }, &mut |_| true);

        assert_eq!(search.makespan(), optimum, "{name}");
    }
}
