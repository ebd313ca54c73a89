//! Clocks of machines are set while sessions wait.

use super::circle::Circle;
use sincronia_protocol::sync::{Input, Session, Side};
use sincronia_protocol::time::Timestamp;

/// A clock that had been years ahead was set right while a session waited: it waited on for years,
/// and neither compared again nor noticed that the partner had gone.
#[test]
fn threat_28_a_session_waits_no_longer_when_the_clock_is_set_back() {
    let Circle { mut owner, member, .. } = Circle::of_contributors();
    let [ahead, right] = [1_900_000_000_000, 1_800_000_000_000].map(Timestamp::from_milliseconds);
    let mut session = Session::new(Side::Initiator, member.id(), Vec::new(), ahead);
    let mut handle = |session: &mut Session, now, input| {
        let _ = session.handle(now, input, &mut owner.replica, &owner.disk);
        session.next_deadline(now).expect("a greeting is to be answered")
    };
    let waits = handle(&mut session, ahead, Input::Opened).milliseconds() - ahead.milliseconds();
    assert!(waits > 0);
    assert_eq!(session.next_deadline(right), Some(right), "it is asked at once");
    assert_eq!(handle(&mut session, right, Input::Tick), right.plus(waits), "and waits anew");
}
