use super::*;

#[test]
fn a_call_that_ends_on_another_thread_ends_where_it_began() {
    let drain = Drain::default();
    let waker = Waker::noop();
    for _ in 0..4 {
        let (flight, mut place) = (drain.begin(), None);
        assert!(!drain.sleep(&mut place, waker));
        assert_eq!(drain.in_flight(), 1);
        std::thread::scope(|scope| {
            let ended = scope.spawn(|| drain.end(flight, place));
            ended.join().expect("no panic");
        });
        let counts = drain.in_flight.iter();
        assert!(
            counts
                .map(|shard| shard.load(Ordering::Relaxed))
                .all(|left| left == 0),
            "a look at one shard after the other would be misled"
        );
    }
    assert!(
        drain
            .sleepers
            .iter()
            .all(|shard| lock(shard).places.len() <= 1)
    );
}
