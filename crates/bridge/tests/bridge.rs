//! Calls and providers brought together: races, audio, and what is left behind.

use std::sync::Arc;

use jiff::Timestamp;
use radline_audio::{AudioFrame, FRAME_SAMPLES};
use radline_bridge::bridge::{Bridge, CallHandle, DriverWord};
use radline_bridge::feed::{CallState, FeedItem};
use radline_bridge::{Filter, Place, Provider, Refusal};
use radline_call::PersonLeft;
use radline_dialogue::CallbackReason;

fn bridge() -> Arc<Bridge> {
    Bridge::new(
        Arc::new(|| Timestamp::from_second(1_790_000_000).expect("in range")),
        |_, _| Ok(()),
        "en",
    )
}

fn provider(name: &str) -> Provider {
    Provider { name: name.to_owned(), display: name.to_uppercase() }
}

fn waiting(bridge: &Arc<Bridge>, call: &str) -> CallHandle {
    let handle = bridge.begin_call(call);
    handle.escalate(CallbackReason::Asked);
    handle.queue();
    handle
}

async fn joined(handle: &mut CallHandle) -> radline_bridge::CallerLine {
    loop {
        match handle.word().await {
            DriverWord::Joined(_, line) => return line,
            DriverWord::PlaceInLine(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn left(handle: &mut CallHandle) -> PersonLeft {
    loop {
        match handle.word().await {
            DriverWord::Left { how, .. } => return how,
            DriverWord::PlaceInLine(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_hundred_calls_and_twenty_consoles_without_a_lost_or_doubled_one() {
    let bridge = bridge();
    let calls: Vec<String> = (0..100).map(|call| format!("call-{call}")).collect();
    let mut handles: Vec<CallHandle> = calls.iter().map(|call| waiting(&bridge, call)).collect();
    let drivers: Vec<_> = handles
        .drain(..)
        .map(|mut handle| {
            tokio::spawn(async move {
                let line = joined(&mut handle).await;
                let how = left(&mut handle).await;
                drop(line);
                how
            })
        })
        .collect();
    let consoles: Vec<_> = (0..20)
        .map(|console| {
            let bridge = Arc::clone(&bridge);
            tokio::spawn(async move {
                let me = provider(&format!("console-{console}"));
                let mut mine = 0;
                loop {
                    let (_, queue, _) = bridge.queue();
                    let waiting: Vec<_> =
                        queue.into_iter().filter(|call| call.place == Place::Waiting).collect();
                    if waiting.is_empty() {
                        return mine;
                    }
                    for queued in waiting {
                        match bridge.claim(&me, &queued.call) {
                            Ok(_) => {
                                let conversation = bridge.join(&me, &queued.call).expect("mine");
                                tokio::task::yield_now().await;
                                conversation.parting.part(PersonLeft::Finished, true);
                                mine += 1;
                            }
                            Err(Refusal::Taken(_) | Refusal::Over) => {}
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
            })
        })
        .collect();
    let mut taken = 0;
    for console in consoles {
        taken += console.await.expect("no panic");
    }
    for driver in drivers {
        assert_eq!(driver.await.expect("no panic"), PersonLeft::Finished);
    }
    assert_eq!(taken, 100);
}

#[tokio::test]
async fn both_hear_each_other_and_a_stalled_line_does_not_stay_late() {
    let bridge = bridge();
    let mut handle = waiting(&bridge, "call");
    let jo = provider("jo");
    bridge.claim(&jo, "call").expect("free");
    let mut conversation = bridge.join(&jo, "call").expect("claimed");
    let mut line = joined(&mut handle).await;
    let frame = |value| AudioFrame::from_samples([value; FRAME_SAMPLES]);
    line.send(frame(1));
    assert_eq!(conversation.line.from_caller.recv().await.expect("heard").samples()[0], 1);
    for value in 0..60 {
        drop(conversation.line.to_caller.try_send(frame(value)));
    }
    let heard: Vec<i16> =
        std::iter::from_fn(|| line.receive()).map(|frame| frame.samples()[0]).collect();
    assert_eq!(heard, [45, 46, 47, 48, 49], "the last of what fitted");
}

#[tokio::test]
async fn a_provider_whose_connection_breaks_is_lost_and_one_who_says_so_is_not() {
    let bridge = bridge();
    let mut handle = waiting(&bridge, "call");
    let jo = provider("jo");
    bridge.claim(&jo, "call").expect("free");
    drop(bridge.join(&jo, "call").expect("claimed"));
    drop(joined(&mut handle).await);
    assert_eq!(left(&mut handle).await, PersonLeft::Lost);
    handle.escalate(CallbackReason::PersonLost);
    handle.queue();
    bridge.claim(&jo, "call").expect("free");
    let conversation = bridge.join(&jo, "call").expect("claimed");
    conversation.parting.part(PersonLeft::HandedBack, true);
    drop(joined(&mut handle).await);
    assert_eq!(left(&mut handle).await, PersonLeft::HandedBack);
}

#[tokio::test]
async fn a_caller_who_leaves_while_it_rings_stops_the_ringing() {
    let bridge = bridge();
    let handle = waiting(&bridge, "call");
    let jo = provider("jo");
    bridge.claim(&jo, "call").expect("free");
    drop(handle);
    assert!(matches!(bridge.join(&jo, "call"), Err(Refusal::Over)));
    assert!(bridge.queue().1.is_empty());
}

#[tokio::test]
async fn a_call_is_followed_to_its_end_and_resumed_without_gaps() {
    let bridge = bridge();
    let handle = waiting(&bridge, "call");
    let mut follower = bridge.follow("call", 0).expect("there");
    let first = follower.next().await.expect("news");
    let last = first.last().expect("some").0;
    handle.leave_queue();
    let mut resumed = bridge.follow("call", last).expect("there");
    drop(handle);
    let rest = resumed.next().await.expect("news");
    assert!(rest.iter().all(|(at, _)| *at > last));
    assert!(matches!(rest.last(), Some((_, FeedItem::State(CallState::Ended)))));
    assert!(resumed.next().await.is_none());
    assert!(bridge.follow("call", 0).is_none());
}

#[tokio::test]
async fn presence_ends_with_its_value() {
    let bridge = bridge();
    let there = bridge.arrive(provider("jo"), Filter::default()).expect("room");
    let handle = bridge.begin_call("call");
    assert!(handle.escalate(CallbackReason::Asked));
    drop(there);
    assert!(!handle.escalate(CallbackReason::Asked));
}
