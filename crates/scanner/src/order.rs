//! Sorting a few things. The standard library's sort is for many: it would be a sixth of the page's module.

/// Puts `items` in ascending order of their keys; equal ones stay as they are. Meant for some hundreds.
pub(crate) fn ascending<T>(items: &mut [T], key: impl Fn(&T) -> f32) {
    for sorted in 1..items.len() {
        let mut at = sorted;
        while at > 0 && key(&items[at]) < key(&items[at - 1]) {
            items.swap(at, at - 1);
            at -= 1;
        }
    }
}
