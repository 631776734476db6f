//! What hostile input costs at a hundredth, a tenth and the whole of its size: `cargo bench --bench growth`.
//!
//! Each input of `tests/hostile/` that is large by repetition is built in three sizes, and each of its commands is measured: the
//! processor time of the whole process, and the most memory that it held. A row where ten times the input takes far more than ten
//! times as much is marked, and so is one beyond the bounds of its case; then the exit code is 1.
//!
//! `cargo bench --bench growth -- WORD` measures only the inputs that have the word in their names.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark is for reading, at a terminal")]
#![cfg_attr(unix, allow(dead_code, reason = "the corpus uses the rest of its modules"))]

#[cfg(unix)]
#[path = "../cases/hostile/case.rs"]
mod case;
#[cfg(unix)]
#[path = "../cases/hostile/judge.rs"]
mod judge;
#[cfg(unix)]
#[path = "../cases/hostile/sandbox.rs"]
mod sandbox;
#[cfg(unix)]
#[path = "../cases/hostile/setting.rs"]
mod setting;
#[cfg(unix)]
#[path = "../cases/hostile/warden.rs"]
mod warden;
#[cfg(unix)]
#[path = "../cases/hostile/watch.rs"]
mod watch;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    if let Some(code) = warden::asked() {
        return code;
    }
    unix::main()
}

/// The cases hold links, special files and file names that only Unix has.
#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod unix {
    use std::process::ExitCode;

    use crate::case::{self, Case, Content, Piece, Run, Step};
    use crate::sandbox::Standard;
    use crate::{judge, setting};

    /// Processor time in milliseconds, and memory in KiB.
    type Cost = [i64; 2];

    /// What an input is divided by.
    const DIVISORS: [usize; 3] = [100, 10, 1];
    /// Counts from here on are what makes an input large.
    const MANY: usize = 1_000;
    /// What a process takes for whatever input.
    const FLOOR: Cost = [100, 32 << 10];
    /// For ten times the input, so many times as much is still as the input grows.
    const STEEP: i64 = 15;

    pub(super) fn main() -> ExitCode {
        // `cargo test --benches` runs this, too, and only wants to know that it works.
        let measures = std::env::args().any(|argument| argument == "--bench");
        let word = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
        let large: Vec<(String, Case)> = case::all()
            .into_iter()
            .filter(|(name, case)| name.contains(&word) && !case.is_ignored() && is_large(case))
            .take(if measures { usize::MAX } else { 1 })
            .collect();
        println!("{:<52}{:>30}{:>36}", "", "milliseconds", "MiB");
        let sizes = ["1/100", "1/10", "1"].map(|size| format!("{size:>10}")).concat();
        println!("{:<52}{sizes}{:6}{sizes}", "input, command", "");
        let standard = Standard::default();
        let mut is_good = true;
        for (name, case) in &large {
            is_good &= row(name, case, &standard);
        }
        println!("{} inputs", large.len());
        if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// A machine that is busy with something else measures too much: what seems to be too much is measured so often.
    const ATTEMPTS: usize = 3;

    /// Measures one input, and returns whether what it takes grows as it does.
    fn row(name: &str, case: &Case, standard: &Standard) -> bool {
        let mut is_good = true;
        // A command changes what the next one finds, so each is measured on its own.
        for (run, command) in case.run.iter().flat_map(|run| run.commands.iter().map(move |command| (run, command))) {
            let title = format!("{name}, {command:.30}");
            let Some(mut least) = measure_all(case, run, command, standard) else {
                println!("{title:<52}  cannot be built in a smaller size");
                continue;
            };
            for _ in 1..ATTEMPTS {
                if faults(run, &least).is_empty() {
                    break;
                }
                let again = measure_all(case, run, command, standard).unwrap_or(least);
                for (least, again) in least.iter_mut().zip(again) {
                    *least = [least[0].min(again[0]), least[1].min(again[1])];
                }
            }
            let faults = faults(run, &least);
            is_good &= faults.is_empty();
            let column = |at: usize, unit: i64| least.map(|cost| format!("{:>10}", cost[at] / unit)).concat();
            println!("{title:<52}{}{:6}{}  {}", column(0, 1), "", column(1, 1 << 10), faults.join(", "));
        }
        is_good
    }

    fn faults(run: &Run, costs: &[Cost; 3]) -> Vec<&'static str> {
        let [[_, _, time], [_, _, memory]] = [0, 1].map(|at| costs.map(|cost| cost[at]));
        let faults = [
            (time / 1000 >= i64::try_from(run.seconds).unwrap()).then_some("takes too long"),
            (memory >> 10 >= i64::try_from(run.mebibytes).unwrap()).then_some("takes too much memory"),
            is_steep(costs.map(|cost| cost[0]), FLOOR[0]).then_some("its time grows faster than it"),
            is_steep(costs.map(|cost| cost[1]), FLOOR[1]).then_some("its memory grows faster than it"),
        ];
        faults.into_iter().flatten().collect()
    }

    /// Whether ten times the input takes far more than ten times as much, beyond what every run takes.
    fn is_steep(values: [i64; 3], floor: i64) -> bool {
        values.windows(2).any(|pair| pair[1] > floor.saturating_add(pair[0].max(floor / 4).saturating_mul(STEEP)))
    }

    /// Every size; nothing where one of them cannot be built: then it is not an input of several sizes.
    fn measure_all(case: &Case, run: &Run, command: &str, standard: &Standard) -> Option<[Cost; 3]> {
        let all = || DIVISORS.map(|divisor| measure(case, run, command, divisor, standard));
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(all)).ok()
    }

    fn measure(case: &Case, run: &Run, command: &str, divisor: usize, standard: &Standard) -> Cost {
        let mut case = case.clone();
        contents(&mut case).for_each(|content| content.iter_mut().for_each(|piece| shrink(piece, divisor)));
        case.build.iter_mut().for_each(|step| shrink_rounds(step, divisor));
        let sandbox = setting::build(&case, standard);
        let words = shell_words::split(&sandbox.filled(command)).unwrap();
        let report = judge::observe(&sandbox, run, words);
        report.map_or([i64::MAX; 2], |(_, report)| [report.milliseconds, report.kibibytes])
    }

    /// Whether an input is large by repetition.
    fn is_large(case: &Case) -> bool {
        let mut case = case.clone();
        contents(&mut case).flatten().any(|piece| matches!(piece, Piece::Repeated { times, .. } if *times >= MANY))
            || case.build.iter().any(|step| matches!(step, Step::Repeat(times, _) if *times >= MANY as u64))
    }

    /// Every content of a case that is made of pieces.
    fn contents(case: &mut Case) -> impl Iterator<Item = &mut Vec<Piece>> {
        let template = case.template.iter_mut().flat_map(|files| files.values_mut());
        let all = template.chain(case.build.iter_mut().flat_map(within));
        all.filter_map(|content| match content {
            Content::Pieces(pieces) => Some(pieces),
            Content::Text(_) => None,
        })
    }

    fn within(step: &mut Step) -> Vec<&mut Content> {
        match step {
            Step::Write(_, content)
            | Step::Append(_, content)
            | Step::GitReads(_, _, content)
            | Step::AskReads(_, _, _, content)
            | Step::Signed(_, content) => vec![content],
            Step::Repeat(_, steps) => steps.iter_mut().flat_map(within).collect(),
            _ => Vec::new(),
        }
    }

    fn shrink(piece: &mut Piece, divisor: usize) {
        if let Piece::Repeated { times, .. } = piece
            && *times >= MANY
        {
            *times /= divisor;
        }
    }

    fn shrink_rounds(step: &mut Step, divisor: usize) {
        if let Step::Repeat(times, _) = step
            && *times >= MANY as u64
        {
            *times /= divisor as u64;
        }
    }
}
