//! A bounded queue with priorities between the calls and a model thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Someone waits on the line.
    Call,
    /// Work ahead of time.
    Ahead,
}

/// A bounded queue with priorities. The policy at the bound: work ahead of time is refused, then
/// work for calls is, and whoever gave it is told.
#[derive(Debug)]
pub struct Queue<J> {
    state: Mutex<State<J>>,
    ready: Condvar,
    bound: usize,
}

#[derive(Debug)]
struct State<J> {
    /// Jobs with the call that they are for.
    call: VecDeque<(u64, J)>,
    ahead: VecDeque<(u64, J)>,
    closed: bool,
}

impl<J> Queue<J> {
    /// An empty queue for at most `bound` jobs of each priority.
    pub fn new(bound: usize) -> Self {
        let state = State { call: VecDeque::new(), ahead: VecDeque::new(), closed: false };
        Self { state: Mutex::new(state), ready: Condvar::new(), bound }
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job; gives it back when the queue is full or closed.
    pub fn push(&self, owner: u64, priority: Priority, job: J) -> Result<(), J> {
        let mut state = self.lock();
        if state.closed {
            return Err(job);
        }
        let line = match priority {
            Priority::Call => &mut state.call,
            Priority::Ahead => &mut state.ahead,
        };
        if line.len() >= self.bound {
            return Err(job);
        }
        line.push_back((owner, job));
        self.ready.notify_one();
        Ok(())
    }

    /// Adds a job in the place of an older one of the same owner that nobody waits for any more.
    pub fn replace(&self, owner: u64, job: J) -> Result<(), J> {
        let mut state = self.lock();
        if let Some(old) = state.call.iter_mut().find(|(other, _)| *other == owner) {
            old.1 = job;
            return Ok(());
        }
        drop(state);
        self.push(owner, Priority::Call, job)
    }

    /// Drops the work ahead of time that an owner no longer needs.
    pub fn withdraw(&self, owner: u64) {
        self.lock().ahead.retain(|(other, _)| *other != owner);
    }

    /// The next job; waits for one. `None` once the queue is closed.
    pub fn pop(&self) -> Option<J> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let next = state.call.pop_front();
            if let Some((_, job)) = next.or_else(|| state.ahead.pop_front()) {
                return Some(job);
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next job for a call, if one waits.
    pub fn pop_waiting(&self) -> Option<J> {
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        state.call.pop_front().map(|(_, job)| job)
    }

    /// Jobs that wait.
    pub fn waiting(&self) -> usize {
        self.lock().call.len()
    }

    /// Lets the threads end; what waits is dropped.
    pub fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_come_first_the_bound_holds_and_newer_work_replaces_older() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(0, Priority::Ahead, 'a'), Ok(()));
        assert_eq!(queue.push(1, Priority::Call, 'b'), Ok(()));
        assert_eq!(queue.replace(1, 'B'), Ok(()));
        assert_eq!(queue.push(2, Priority::Call, 'c'), Ok(()));
        assert_eq!(queue.push(3, Priority::Call, 'd'), Err('d'));
        assert_eq!([queue.pop(), queue.pop(), queue.pop()], [Some('B'), Some('c'), Some('a')]);
        assert_eq!(queue.push(4, Priority::Ahead, 'e'), Ok(()));
        assert_eq!(queue.push(5, Priority::Ahead, 'f'), Ok(()));
        queue.withdraw(4);
        assert_eq!(queue.pop(), Some('f'));
        queue.close();
        assert_eq!(queue.pop(), None);
        assert_eq!(queue.push(0, Priority::Call, 'x'), Err('x'));
    }
}
