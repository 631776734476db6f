//! The order of the entries of a merged list or map.
//!
//! Entries are numbers here, equal ones in all versions. An order follows from three versions where no side's new entries
//! could be on either side of the other's.

use std::collections::{HashMap, HashSet};

/// A merged order, part by part. Entries that one side has dropped are in it: whether they stay is for their values to say.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Arranged {
    pub(super) slots: Vec<Slot>,
    /// Which sides' orders hold.
    pub(super) binding: Binding,
    /// Whether no order follows: where it has a meaning, both sides moved or added what they share, to different places;
    /// or something took the place of an entry, and that place is not known. Then ours decides.
    pub(super) is_torn: bool,
    /// Whether both moved something.
    pub(super) is_moved: bool,
}

/// A part of a merged order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// An entry whose place is known.
    One(usize),
    /// Entries of both sides in one place, whose order to each other is not known.
    Gap {
        base: Vec<usize>,
        ours: Vec<usize>,
        theirs: Vec<usize>,
        /// Whether a side put something new into the place of an entry that is in dispute.
        is_replaced: bool,
    },
}

/// Which sides' orders a merged order keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) ours: bool,
    pub(super) theirs: bool,
}

/// Arranges the entries of three versions; none is twice in a version.
///
/// Where one side moved what both have, the other's new entries follow the one that they follow there; where their order has
/// a meaning, they are where only one place is left for them, or in a gap. `disputed` are entries of the base on which the
/// sides disagree if anything new took their place: both dropped them, or one did and the other changed them.
pub(super) fn arrange([base, ours, theirs]: [&[usize]; 3], has_order: bool, disputed: &HashSet<usize>) -> Arranged {
    let [in_base, in_ours, in_theirs] = [base, ours, theirs].map(|all| all.iter().copied().collect::<HashSet<_>>());
    let common = |of: &[usize]| -> Vec<usize> {
        of.iter().copied().filter(|entry| in_ours.contains(entry) && in_theirs.contains(entry)).collect()
    };
    let (our_common, their_common) = (common(ours), common(theirs));
    // What takes the place of an entry belongs where the other side moved that one, or where it was: nobody knows.
    let replaces = |disputed: &HashSet<usize>| {
        replaces([base, ours, theirs], [&in_base, &in_ours, &in_theirs], has_order, disputed)
            || replaces([base, theirs, ours], [&in_base, &in_theirs, &in_ours], has_order, disputed)
    };
    if our_common == their_common {
        let is_replaced = has_order && replaces(&HashSet::new());
        let gaps = Gaps { base, ours, theirs, common: &our_common, in_base: &in_base, disputed };
        return Arranged {
            slots: gaps.slots(),
            binding: Binding { ours: true, theirs: true },
            is_torn: is_replaced,
            is_moved: false,
        };
    }
    let kept = |of: &[usize]| -> Vec<usize> { of.iter().copied().filter(|entry| in_base.contains(entry)).collect() };
    let [base_kept, our_kept, their_kept] = [&common(base), &our_common, &their_common].map(|of| kept(of));
    let [ours_moved, theirs_moved] = [our_kept != base_kept, their_kept != base_kept];
    let is_replaced = replaces(disputed);
    // What both added, in different places, has no certain place.
    let is_added = our_kept.len() < our_common.len();
    if ours_moved || !theirs_moved {
        let binding = Binding { ours: true, theirs: false };
        Arranged {
            slots: weave(ours, theirs, |entry| has_order && !in_base.contains(&entry), Slot::theirs),
            binding,
            is_torn: is_replaced || has_order && (is_added || ours_moved == theirs_moved),
            is_moved: ours_moved && theirs_moved,
        }
    } else {
        let binding = Binding { ours: false, theirs: true };
        Arranged {
            slots: weave(theirs, ours, |entry| has_order && !in_base.contains(&entry), Slot::ours),
            binding,
            is_torn: is_replaced || has_order && is_added,
            is_moved: false,
        }
    }
}

/// Whether `other` has something new in the place of an entry that it dropped, and that is in dispute or that `side` moved.
fn replaces(
    [base, side, other]: [&[usize]; 3],
    [in_base, in_side, in_other]: [&HashSet<usize>; 3],
    has_order: bool,
    disputed: &HashSet<usize>,
) -> bool {
    let is_new = |entry: &usize| !in_base.contains(entry) && !in_side.contains(entry);
    let is_left = |entry: &usize| in_side.contains(entry) || (has_order && disputed.contains(entry));
    let is_dropped = |entry: &usize| !in_other.contains(entry) && is_left(entry);
    // Of most lists, that is all.
    if !base.iter().any(is_dropped) || !other.iter().any(is_new) {
        return false;
    }
    let places = |of: &[usize]| of.iter().enumerate().map(|(at, &entry)| (entry, at)).collect::<HashMap<_, _>>();
    let [in_side, in_other] = [side, other].map(places);
    let kept: Vec<(usize, usize)> = base.iter().filter_map(|entry| Some((*entry, *in_side.get(entry)?))).collect();
    // The first place in `side` of what is after an entry in the base, and the last one of what is before it.
    let mut first_behind = vec![usize::MAX; kept.len() + 1];
    for (at, (_, place)) in kept.iter().enumerate().rev() {
        first_behind[at] = first_behind[at + 1].min(*place);
    }
    let mut last_before = None;
    let is_moved = kept.iter().enumerate().filter_map(|(at, &(entry, place))| {
        let is_moved = last_before > Some(place) || first_behind[at + 1] < place;
        last_before = last_before.max(Some(place));
        is_moved.then_some(entry)
    });
    let moved: HashSet<usize> = is_moved.filter(|entry| has_order && is_dropped(entry)).collect();
    // The gap of `other` in which each entry of the base would be that it dropped, and how many new ones are before each place.
    let mut ends = vec![other.len(); base.len() + 1];
    for (at, entry) in base.iter().enumerate().rev() {
        ends[at] = in_other.get(entry).copied().unwrap_or(ends[at + 1]);
    }
    let mut new = vec![0; other.len() + 1];
    for (at, entry) in other.iter().enumerate() {
        new[at + 1] = new[at] + usize::from(is_new(entry));
    }
    let mut start = 0;
    for (entry, end) in base.iter().zip(ends) {
        if let Some(place) = in_other.get(entry) {
            start = place + 1;
        } else if (moved.contains(entry) || (disputed.contains(entry) && is_left(entry)))
            && (end < start || new[end] > new[start])
        {
            return true;
        }
    }
    false
}

impl Slot {
    fn ours(entry: usize) -> Self {
        Self::Gap { base: Vec::new(), ours: vec![entry], theirs: Vec::new(), is_replaced: false }
    }

    fn theirs(entry: usize) -> Self {
        Self::Gap { base: Vec::new(), ours: Vec::new(), theirs: vec![entry], is_replaced: false }
    }
}

/// Versions whose common entries are in one order.
struct Gaps<'t> {
    base: &'t [usize],
    ours: &'t [usize],
    theirs: &'t [usize],
    common: &'t [usize],
    in_base: &'t HashSet<usize>,
    disputed: &'t HashSet<usize>,
}

impl Gaps<'_> {
    fn slots(&self) -> Vec<Slot> {
        let mut dropped = self.dropped_by_both();
        let places: HashMap<usize, usize> = self.base.iter().enumerate().map(|(at, &entry)| (entry, at)).collect();
        let anchors: HashSet<usize> = self.common.iter().copied().collect();
        let (mut ours, mut theirs) = (self.ours.iter().copied().peekable(), self.theirs.iter().copied().peekable());
        let mut slots = Vec::new();
        for at in 0..=self.common.len() {
            let is_inside = |entry: &usize| !anchors.contains(entry);
            let here = |side: &mut std::iter::Peekable<_>| -> Vec<usize> {
                std::iter::from_fn(|| side.next_if(is_inside)).collect()
            };
            let (our_run, their_run) = (here(&mut ours), here(&mut theirs));
            self.gap(our_run, their_run, dropped.remove(&at).unwrap_or_default(), &places, &mut slots);
            slots.extend(self.common.get(at).map(|&entry| Slot::One(entry)));
            ours.next();
            theirs.next();
        }
        slots
    }

    fn gap(
        &self,
        ours: Vec<usize>,
        theirs: Vec<usize>,
        dropped: Vec<usize>,
        places: &HashMap<usize, usize>,
        slots: &mut Vec<Slot>,
    ) {
        let is_new = |run: &[usize]| run.iter().any(|entry| !self.in_base.contains(entry));
        let [new_ours, new_theirs] = [is_new(&ours), is_new(&theirs)];
        let in_dispute = |run: &[usize]| run.iter().any(|entry| self.disputed.contains(entry));
        let is_replaced = (new_theirs && in_dispute(&ours))
            || (new_ours && in_dispute(&theirs))
            || ((new_ours || new_theirs) && in_dispute(&dropped));
        if is_replaced || (new_ours && new_theirs) {
            let mut base = dropped;
            base.extend(ours.iter().chain(&theirs).filter(|entry| self.in_base.contains(entry)));
            base.sort_by_key(|entry| places.get(entry));
            slots.push(Slot::Gap { base, ours, theirs, is_replaced });
        } else {
            slots.extend(ours.into_iter().chain(theirs).map(Slot::One));
        }
    }

    /// By gap between common entries, the entries of the base that both sides dropped there.
    fn dropped_by_both(&self) -> HashMap<usize, Vec<usize>> {
        let places: HashMap<usize, usize> = self.common.iter().enumerate().map(|(at, &entry)| (entry, at)).collect();
        let [in_ours, in_theirs] = [self.ours, self.theirs].map(|side| side.iter().copied().collect::<HashSet<_>>());
        let (mut gaps, mut at) = (HashMap::<usize, Vec<usize>>::new(), 0);
        for entry in self.base {
            if let Some(place) = places.get(entry) {
                at = place + 1;
            } else if !in_ours.contains(entry) && !in_theirs.contains(entry) {
                gaps.entry(at).or_default().push(*entry);
            }
        }
        gaps
    }
}

/// The entries of `lead` in their order, with those that only `other` has between those that they are between there.
fn weave(lead: &[usize], other: &[usize], has_order: impl Fn(usize) -> bool, unsure: fn(usize) -> Slot) -> Vec<Slot> {
    let places: HashMap<usize, usize> = lead.iter().enumerate().map(|(at, &entry)| (entry, at)).collect();
    // For each place of `other`: after which entries of `lead`, and before which, it is.
    let behind = other.iter().scan(0, |behind, entry| {
        *behind = places.get(entry).map_or(*behind, |&at| (at + 1).max(*behind));
        Some(*behind)
    });
    let behind: Vec<usize> = behind.collect();
    let before = other.iter().rev().scan(lead.len(), |before, entry| {
        *before = places.get(entry).map_or(*before, |&at| at.min(*before));
        Some(*before)
    });
    let mut before: Vec<usize> = before.collect();
    before.reverse();
    let mut inserted: HashMap<usize, Vec<Slot>> = HashMap::new();
    let mut predecessor = 0;
    for (at, entry) in other.iter().enumerate() {
        if let Some(place) = places.get(entry) {
            predecessor = place + 1;
            continue;
        }
        let (place, slot) = match has_order(*entry) {
            false => (predecessor, Slot::One(*entry)),
            true if behind[at] == before[at] => (behind[at], Slot::One(*entry)),
            true => (predecessor, unsure(*entry)),
        };
        inserted.entry(place).or_default().push(slot);
    }
    let mut slots = Vec::with_capacity(lead.len() + other.len());
    for at in 0..=lead.len() {
        slots.extend(inserted.remove(&at).unwrap_or_default());
        slots.extend(lead.get(at).map(|&entry| Slot::One(entry)));
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` to `z` as numbers.
    fn entries(text: &str) -> Vec<usize> {
        text.bytes().map(usize::from).collect()
    }

    /// `changed` has changed on the one side that has it.
    fn sketch(base: &str, ours: &str, theirs: &str, changed: Option<u8>) -> String {
        let text =
            |run: &[usize]| run.iter().map(|&entry| char::from(u8::try_from(entry).unwrap())).collect::<String>();
        let versions = [base, ours, theirs].map(entries);
        let [_, in_ours, in_theirs] = &versions;
        // As far as the order knows, nothing has changed that one side alone dropped.
        let dropped = |entry: &&usize| !in_ours.contains(entry) && !in_theirs.contains(entry);
        let disputed = versions[0].iter().filter(dropped).copied().chain(changed.map(usize::from)).collect();
        let arranged = arrange(versions.each_ref().map(Vec::as_slice), true, &disputed);
        let slots = arranged.slots.iter().map(|slot| match slot {
            Slot::One(entry) => text(&[*entry]),
            Slot::Gap { ours, theirs, is_replaced: false, .. } => format!("<{}|{}>", text(ours), text(theirs)),
            Slot::Gap { ours, theirs, is_replaced: true, .. } => format!("<{}!{}>", text(ours), text(theirs)),
        });
        slots.collect::<String>() + if arranged.is_torn { " torn" } else { "" }
    }

    #[test]
    fn an_order_follows_from_three_versions_or_it_does_not() {
        let cases = [
            // Base, ours, theirs, merged.
            ["ab", "axb", "ab", "axb"],
            ["ab", "axb", "aby", "axby"],
            ["ab", "axb", "ayb", "a<x|y>b"],
            ["ab", "axb", "axyb", "axyb"],
            ["", "x", "y", "<x|y>"],
            // What one side dropped is still there; its value decides.
            ["abc", "ac", "abcd", "abcd"],
            ["abc", "axc", "abc", "axbc"],
            ["abc", "axc", "abyc", "a<x|by>c"],
            // Both put something into the place of one.
            ["abc", "axc", "ayc", "a<x!y>c"],
            ["abc", "ac", "ayc", "a<!y>c"],
            ["abc", "ac", "ac", "ac"],
            // Moved by one side: what the other added goes where only one place is left.
            ["abc", "cba", "abc", "cba"],
            ["abc", "cba", "abcd", "cbad"],
            ["abc", "cba", "dabc", "dcba"],
            ["abc", "cab", "axbc", "ca<|x>b"],
            ["abc", "axbc", "cab", "ca<x|>b"],
            ["abc", "acb", "bac", "acb torn"],
            ["abc", "acb", "acb", "acb"],
            // Moved by one side, and replaced by the other: here is the new one, or there.
            ["cd", "dc", "cx", "dcx torn"],
            ["cd", "cx", "dc", "dcx torn"],
            ["abcd", "cdab", "abcx", "cdabx torn"],
            ["abc", "cab", "abx", "cabx torn"],
            ["abc", "bac", "axc", "baxc torn"],
            // Moved by one side, and dropped by the other, which adds something elsewhere.
            ["abc", "bac", "acx", "bacx"],
            // The same entry, added in different places.
            ["ab", "xab", "abx", "xab torn"],
            ["abc", "xcba", "abcx", "xcba torn"],
            ["abc", "abcx", "xcba", "xcba torn"],
        ];
        for [base, ours, theirs, expected] in cases {
            assert_eq!(sketch(base, ours, theirs, None), expected, "{base} {ours} {theirs}");
        }
    }

    #[test]
    fn what_replaces_a_changed_entry_is_in_its_gap() {
        let cases = [
            // Base, ours, theirs; `b` has changed on the side that has it.
            ["abc", "abc", "axc", "a<b!x>c"],
            ["abc", "axc", "abc", "a<x!b>c"],
            ["abc", "abc", "ac", "abc"],
            ["abc", "abyc", "axc", "a<by!x>c"],
            ["abc", "abc", "acx", "abcx"],
            // The other one has moved, too.
            ["abcd", "abcd", "axdc", "abxdc torn"],
            ["abcd", "abcd", "adcx", "abdcx"],
        ];
        for [base, ours, theirs, expected] in cases {
            assert_eq!(sketch(base, ours, theirs, Some(b'b')), expected, "{base} {ours} {theirs}");
        }
    }
}
