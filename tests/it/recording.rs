//! The recording in the README: a shell and create-app at a pseudo-terminal, drawn as one SVG that moves by itself.
//!
//! `SNAPSHOTS=overwrite cargo test --test it -- recording::` records it again. What is drawn are the screens that really were there; only
//! the time between two of them, and between two letters that somebody types, is made up, so that each recording is the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fs_err as fs;
use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use vt100::{Color, Screen};

use super::prompts::display::Display;
use crate::support::tools::node_tools;

const ROWS: u16 = 24;
const COLUMNS: u16 = 92;

/// How long a recording may take, however slow the machine.
const LIMIT: Duration = Duration::from_secs(120);

/// What is typed, one line each, and what is to be seen afterwards. Then time to read it, in milliseconds.
const SCRIPT: [(&str, Until, u32); 11] = [
    ("create-app shop", Until::Asks("What does the app do"), 900),
    ("Counts visits", Until::Asks("GitHub repository"), 500),
    ("", Until::Asks("Domain on Cloudflare"), 500),
    ("", Until::Asks("Add a KV namespace?"), 700),
    ("", Until::Asks("Create the project with these answers?"), 1600),
    ("", Until::Prompts, 2200),
    ("cd shop && git add --all && git commit --quiet --message 'Start'", Until::Prompts, 500),
    ("sed -i 's/staging: {}/staging: { watch: \"2m\" }/' alchemy.config.ts  # an edit", Until::Prompts, 500),
    ("git commit --quiet --all --message 'Watch staging' && clear", Until::Prompts, 500),
    ("create-app diff -d with_kv=true", Until::Prompts, 3000),
    ("create-app upgrade --silent -d with_kv=true", Until::Prompts, 5000),
];

/// When the screen is complete.
#[derive(Clone, Copy)]
enum Until {
    /// The shell waits for a command.
    Prompts,
    /// create-app asks this.
    Asks(&'static str),
}

impl Until {
    fn is_reached(self, screen: &Screen) -> bool {
        match self {
            Self::Prompts => row(screen).trim_end() == "$" && screen.cursor_position().1 == 2,
            // While it draws, it hides the cursor.
            Self::Asks(text) => !screen.hide_cursor() && screen.contents().contains(&format!("? {text}")),
        }
    }
}

/// The text of the row that the cursor is in.
fn row(screen: &Screen) -> String {
    let (at, _) = screen.cursor_position();
    screen.rows(0, COLUMNS).nth(at.into()).unwrap()
}

/// How a cell looks: the class of its colour, and whether it is bold.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    color: Option<u8>,
    bold: bool,
}

/// One row of a screen: its cells up to the last one that shows something, and where the cursor is.
#[derive(Clone, PartialEq, Eq, Default)]
struct Row {
    cells: Vec<(String, Option<Look>)>,
    cursor: Option<u16>,
}

/// What was on the screen, for how long.
struct Frame {
    rows: Vec<Row>,
    milliseconds: u32,
}

fn rows(screen: &Screen) -> Vec<Row> {
    let (cursor_row, cursor_column) = screen.cursor_position();
    let cell = |at, column| {
        let cell = screen.cell(at, column).unwrap();
        let color = match cell.fgcolor() {
            Color::Default => None,
            Color::Idx(index) => Some(index),
            Color::Rgb(..) => panic!("create-app uses the colours of the terminal"),
        };
        (cell.contents().to_owned(), Some(Look { color, bold: cell.bold() }))
    };
    let row = |at| {
        let mut cells: Vec<_> = (0..COLUMNS).map(|column| cell(at, column)).collect();
        while cells.last().is_some_and(|(text, _)| text.trim().is_empty()) {
            cells.pop();
        }
        Row { cells, cursor: (at == cursor_row).then_some(cursor_column) }
    };
    (0..ROWS).map(row).collect()
}

/// A shell at a pseudo-terminal.
struct Terminal {
    display: Arc<Display>,
    keyboard: Box<dyn std::io::Write + Send>,
    shell: Box<dyn Child + Send + Sync>,
    frames: Vec<Frame>,
    _directory: tempfile::TempDir,
}

impl Terminal {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let work = directory.path().join("work");
        fs::create_dir(&work).unwrap();
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new("sh");
        command.arg("-i");
        command.cwd(&work);
        command.env_clear();
        let program = Path::new(env!("CARGO_BIN_EXE_create-app")).parent().unwrap();
        // With bun, so that nothing has to be installed before the next steps.
        let bun = node_tools().join("programs");
        let path = std::env::join_paths([program, &bun, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
        command.env("PATH", path);
        command.env("HOME", directory.path());
        let fixed = [
            ("PS1", "$ "),
            ("TERM", "xterm-256color"),
            ("LC_ALL", "C.UTF-8"),
            ("GIT_PAGER", "cat"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "Ann Author"),
            ("GIT_AUTHOR_EMAIL", "ann@example.org"),
            ("GIT_COMMITTER_NAME", "Ann Author"),
            ("GIT_COMMITTER_EMAIL", "ann@example.org"),
        ];
        fixed.iter().for_each(|(name, value)| command.env(name, value));
        let display = Arc::new(Display::new(size, Instant::now() + LIMIT));
        let mut reader = pty.master.try_clone_reader().unwrap();
        let shell = pty.slave.spawn_command(command).unwrap();
        let shown = Arc::clone(&display);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                shown.draw(&buffer[..count]);
            }
        });
        let keyboard = pty.master.take_writer().unwrap();
        let mut terminal = Self { display, keyboard, shell, frames: Vec::new(), _directory: directory };
        terminal.wait(|screen| Until::Prompts.is_reached(screen));
        terminal.keep(900);
        terminal
    }

    #[track_caller]
    fn wait(&self, is_so: impl Fn(&Screen) -> bool) {
        let so = self.display.wait(is_so);
        assert!(so, "{}", self.display.with(|screen, _| screen.contents()));
    }

    /// Keeps what is on the screen.
    fn keep(&mut self, milliseconds: u32) {
        let rows = self.display.with(|screen, _| rows(screen));
        self.frames.push(Frame { rows, milliseconds });
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Types a line, waits for what follows it, and keeps both.
    fn line(&mut self, text: &str, until: Until, milliseconds: u32) {
        if !text.is_empty() {
            let column = self.display.with(|screen, _| screen.cursor_position().1);
            self.press(text);
            self.wait(|screen| row(screen).contains(text) && !screen.hide_cursor());
            self.keep(250);
            self.spell(column.into(), text.len());
        }
        self.press("\r");
        self.wait(|screen| until.is_reached(screen));
        self.keep(milliseconds);
    }

    /// Lets the letters that were typed appear one after the other, before the frame that has all of them.
    fn spell(&mut self, column: usize, count: usize) {
        let last = self.frames.pop().unwrap();
        let at = last.rows.iter().position(|row| row.cursor.is_some()).unwrap();
        for typed in 1..count {
            let mut rows = last.rows.clone();
            rows[at].cells.truncate(column + typed);
            rows[at].cursor = Some(u16::try_from(column + typed).unwrap());
            self.frames.push(Frame { rows, milliseconds: 45 });
        }
        self.frames.push(last);
    }

    fn end(mut self) -> Vec<Frame> {
        self.press("exit\r");
        self.shell.wait().unwrap();
        self.frames
    }
}

/// The size of a cell, and what is around the screen.
const CELL: (f32, u32) = (8.4, 19);
const MARGIN: u32 = 14;

const STYLE: &str = "
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#24292f;white-space:pre}
.page{fill:#f6f8fa;stroke:#d0d7de}.cursor{fill:#24292f;opacity:.45}.b{font-weight:600}
.c1,.c9{fill:#b3202c}.c2,.c10{fill:#116329}.c3,.c11{fill:#7d4e00}.c4,.c12{fill:#0550ae}.c5,.c13{fill:#8250df}.c6,.c14{fill:#0f6b75}.c8{fill:#57606a}
@media(prefers-color-scheme:dark){
text{fill:#e6edf3}.page{fill:#0d1117;stroke:#30363d}.cursor{fill:#e6edf3}
.c1,.c9{fill:#ff7b72}.c2,.c10{fill:#56d364}.c3,.c11{fill:#e3b341}.c4,.c12{fill:#79c0ff}.c5,.c13{fill:#d2a8ff}.c6,.c14{fill:#56d4dd}.c8{fill:#9da7b3}
}
.r{visibility:hidden;animation-timing-function:step-end;animation-iteration-count:infinite}.last{visibility:visible}
@media(prefers-reduced-motion:reduce){.r{animation-name:none!important}}
";

/// A row from one moment to another.
struct Shown {
    at: usize,
    row: Row,
    from: u32,
    to: u32,
}

/// What each row shows, and when.
fn timeline(frames: &[Frame]) -> (Vec<Shown>, u32) {
    let mut all = Vec::new();
    let mut now = 0;
    let mut open: BTreeMap<usize, Shown> = BTreeMap::new();
    for frame in frames {
        for (at, row) in frame.rows.iter().enumerate() {
            let end = now + frame.milliseconds;
            match open.get_mut(&at) {
                Some(shown) if shown.row == *row => shown.to = end,
                _ => all.extend(open.insert(at, Shown { at, row: row.clone(), from: now, to: end })),
            }
        }
        now += frame.milliseconds;
    }
    all.extend(open.into_values());
    all.retain(|shown| shown.row != Row::default());
    (all, now)
}

/// The cells of a row, in stretches that look the same.
fn stretches(row: &Row) -> Vec<(usize, String, Look)> {
    let mut stretches: Vec<(usize, String, Look)> = Vec::new();
    for (column, (text, look)) in row.cells.iter().enumerate() {
        let look = look.unwrap();
        let text = if text.is_empty() { " " } else { text };
        match stretches.last_mut() {
            Some((_, stretch, before)) if *before == look => stretch.push_str(text),
            _ => stretches.push((column, text.to_owned(), look)),
        }
    }
    stretches.retain(|(_, text, _)| !text.trim().is_empty());
    stretches
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn x(column: impl Into<f64>) -> String {
    format!("{:.1}", f64::from(MARGIN) + f64::from(CELL.0) * column.into())
}

/// Draws the frames as one SVG.
fn svg(frames: &[Frame]) -> String {
    let (shown, length) = timeline(frames);
    let [width, height] = [f64::from(COLUMNS) * f64::from(CELL.0), f64::from(u32::from(ROWS) * CELL.1)]
        .map(|inner| (inner + f64::from(2 * MARGIN)).ceil());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>create-app creates an app, and an upgrade keeps an edit</title>\n<style>{STYLE}.r{{animation-duration:{length}ms}}\n"
    );
    let percent = |time: u32| format!("{:.3}%", f64::from(time) * 100.0 / f64::from(length));
    let mut times: Vec<(u32, u32)> = shown.iter().map(|shown| (shown.from, shown.to)).collect();
    times.sort_unstable();
    times.dedup();
    for (number, (from, to)) in times.iter().enumerate() {
        write!(svg, "@keyframes k{number}{{0%{{visibility:hidden}}{}{{visibility:visible}}", percent(*from)).unwrap();
        if *to < length {
            write!(svg, "{}{{visibility:hidden}}", percent(*to)).unwrap();
        }
        writeln!(svg, "100%{{visibility:hidden}}}}.k{number}{{animation-name:k{number}}}").unwrap();
    }
    let page = (width - 1.0, height - 1.0);
    writeln!(
        svg,
        "</style>\n<rect class=\"page\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"8\"/>",
        page.0, page.1
    )
    .unwrap();
    for Shown { at, row, from, to } in &shown {
        let number = times.binary_search(&(*from, *to)).unwrap();
        let last = if *to == length { " last" } else { "" };
        let top = MARGIN + u32::try_from(*at).unwrap() * CELL.1;
        write!(svg, "<g class=\"r k{number}{last}\">").unwrap();
        if let Some(column) = row.cursor {
            let (x, top) = (x(column), top + 1);
            write!(svg, "<rect class=\"cursor\" x=\"{x}\" y=\"{top}\" width=\"8\" height=\"17\"/>").unwrap();
        }
        let stretches = stretches(row);
        if !stretches.is_empty() {
            write!(svg, "<text y=\"{}\">", top + 14).unwrap();
            for (column, text, look) in stretches {
                let color = look.color.map(|color| format!("c{color}"));
                let classes =
                    [color, look.bold.then(|| "b".to_owned())].into_iter().flatten().collect::<Vec<_>>().join(" ");
                let class = if classes.is_empty() { String::new() } else { format!(" class=\"{classes}\"") };
                let column = u32::try_from(column).unwrap();
                write!(svg, "<tspan x=\"{}\"{class}>{}</tspan>", x(column), escape(&text)).unwrap();
            }
            svg.push_str("</text>");
        }
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

#[test]
fn the_recording_shows_what_really_happens() {
    let mut terminal = Terminal::start();
    for (text, until, milliseconds) in SCRIPT {
        terminal.line(text, until, milliseconds);
    }
    let svg = svg(&terminal.end());
    assert!(svg.len() < 300_000, "{} bytes", svg.len());
    assert!(svg.contains("edited by you and changed because of your answers; merged"), "the upgrade kept the edit");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/images/recording.svg");
    if std::env::var_os("SNAPSHOTS").is_some_and(|mode| mode == "overwrite") {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        return fs::write(path, svg).unwrap();
    }
    let differs = fs::read_to_string(path).unwrap() != svg;
    assert!(!differs, "record it again: SNAPSHOTS=overwrite cargo test --test it -- recording::");
}
