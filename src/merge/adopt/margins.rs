//! What comes from the template is indented as the project's file is.

pub(in crate::merge) use super::slots::margin;

/// One step of indentation in each file.
pub(in crate::merge) struct Margins<'t> {
    ours: &'t str,
    theirs: &'t str,
}

impl<'t> Margins<'t> {
    pub(in crate::merge) fn new(ours: &[&'t str], theirs: &[&'t str]) -> Self {
        let their_step = Self::step(theirs).unwrap_or("  ");
        Self { ours: Self::step(ours).unwrap_or(their_step), theirs: their_step }
    }

    /// Lines of theirs, whose head has the margin `from`, for a place in ours whose heads have the margin `to`.
    pub(in crate::merge) fn fit(&self, lines: &[&str], from: &str, to: &str) -> String {
        let fitted = lines.iter().map(|line| {
            let own = margin(line);
            let Some(mut deeper) = own.strip_prefix(from).filter(|_| !line.trim().is_empty()) else {
                return (*line).to_owned();
            };
            let mut fitted = to.to_owned();
            while let Some(rest) = deeper.strip_prefix(self.theirs) {
                fitted.push_str(self.ours);
                deeper = rest;
            }
            fitted + deeper + &line[own.len()..]
        });
        fitted.collect()
    }

    /// The smallest margin of a file; one tab, where tabs come first.
    pub(in crate::merge) fn step(lines: &[&'t str]) -> Option<&'t str> {
        let margins = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| margin(line));
        // A single space is the margin of a comment's further lines.
        let steps = margins.filter(|margin| margin.starts_with('\t') || margin.len() > 1);
        steps
            .map(|margin| if margin.starts_with('\t') { &margin[..1] } else { margin })
            .min_by_key(|margin| margin.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_become_those_of_the_projects_file() {
        let theirs = ["  a: {\n", "    /*\n", "     * b\n", "\n", "    b: 1,\n", "  },\n"];
        let fit = |ours: &[&str], to| Margins::new(ours, &theirs).fit(&theirs, "  ", to);
        assert_eq!(fit(&["{\n", "\tx\n", "}\n"], "\t"), "\ta: {\n\t\t/*\n\t\t * b\n\n\t\tb: 1,\n\t},\n");
        assert_eq!(fit(&["    x\n"], "    "), "    a: {\n        /*\n         * b\n\n        b: 1,\n    },\n");
        assert_eq!(fit(&["x\n"], "  "), theirs.concat());
    }
}
