//! Runs tasks in parallel, on as many threads as the system allows, or on this one alone.

use std::sync::OnceLock;

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// Does `work` for each item, in order, and collects what comes of it. Each thread has a state of its own, and takes `least`
/// items at least.
///
/// It is for many items: starting threads takes longer than a few of them.
pub(crate) fn map<T: Send, S, R: Send, C>(
    items: Vec<T>,
    least: usize,
    state: impl Fn() -> S + Sync + Send,
    work: impl Fn(&mut S, T) -> R + Sync + Send,
) -> C
where
    C: FromIterator<R> + FromParallelIterator<R> + Send,
{
    on(pool(), items, least, state, work)
}

fn on<T: Send, S, R: Send, C>(
    pool: Option<&ThreadPool>,
    items: Vec<T>,
    least: usize,
    state: impl Fn() -> S + Sync + Send,
    work: impl Fn(&mut S, T) -> R + Sync + Send,
) -> C
where
    C: FromIterator<R> + FromParallelIterator<R> + Send,
{
    if let Some(pool) = pool {
        return pool.install(|| items.into_par_iter().with_min_len(least).map_init(state, work).collect());
    }
    let mut state = state();
    items.into_iter().map(|item| work(&mut state, item)).collect()
}

/// The threads, started when they are first needed. Rayon's own pool panics where the system refuses one.
fn pool() -> Option<&'static ThreadPool> {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    POOL.get_or_init(|| ThreadPoolBuilder::new().build().ok()).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_and_the_errors_are_the_same_with_and_without_threads() {
        for pool in [pool(), None] {
            let half = |_: &mut (), n: u32| if n.is_multiple_of(2) { Ok(n / 2) } else { Err("odd") };
            let run = |items: Vec<u32>| on::<_, _, _, Result<Vec<u32>, &str>>(pool, items, 2, || (), half);
            assert_eq!(run(vec![2, 4, 6]), Ok(vec![1, 2, 3]));
            assert_eq!(run(vec![2, 3, 6]), Err("odd"));
            let counts: Vec<usize> = on(
                None,
                vec![7, 8, 9],
                1,
                || 0,
                |count, _| {
                    *count += 1;
                    *count
                },
            );
            assert_eq!(counts, [1, 2, 3]);
        }
    }
}
