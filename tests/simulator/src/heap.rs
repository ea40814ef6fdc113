//! The event heap: what happens next, in the order of time, and in the order of scheduling where
//! the time is the same.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

/// Events by time.
#[derive(Debug)]
pub struct Heap<E> {
    order: BinaryHeap<Reverse<(Duration, u64)>>,
    events: BTreeMap<u64, E>,
    next: u64,
}

impl<E> Default for Heap<E> {
    fn default() -> Self {
        Self { order: BinaryHeap::new(), events: BTreeMap::new(), next: 0 }
    }
}

impl<E> Heap<E> {
    /// Schedules an event.
    pub fn at(&mut self, when: Duration, event: E) {
        self.order.push(Reverse((when, self.next)));
        self.events.insert(self.next, event);
        self.next += 1;
    }

    /// The next event and its time.
    pub fn pop(&mut self) -> Option<(Duration, E)> {
        let Reverse((when, number)) = self.order.pop()?;
        self.events.remove(&number).map(|event| (when, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_of_time_and_then_of_scheduling() {
        let mut heap = Heap::default();
        for (ms, name) in [(20, "c"), (10, "a"), (20, "d"), (10, "b")] {
            heap.at(Duration::from_millis(ms), name);
        }
        let order: Vec<&str> = std::iter::from_fn(|| heap.pop()).map(|(_, name)| name).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
    }
}
