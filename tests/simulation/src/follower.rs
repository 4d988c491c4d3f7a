//! The subscription of the library as a consumer: it follows the streams of a table from the trim horizon, and continues from its
//! checkpoint.

use pretender::streams::{Checkpoint, StreamArn, StreamReader, Subscription, TailError};

use crate::deliveries::Deliveries;
use crate::shape::table_name;
use crate::violation::{Checked, Violation, ensure, ensure_eq};
use crate::world::World;

/// The table that consumers follow.
pub const FOLLOWED: u8 = 0;

/// A subscription and what it has delivered.
pub struct Follower {
    subscription: Subscription<StreamReader>,
    pub(crate) deliveries: Deliveries,
    /// The stream that it began with.
    first: StreamArn,
    /// Whether it has met faults that it may not have reported yet.
    may_fail: bool,
}

/// What is left of a subscription that was stopped.
pub struct StoppedFollower {
    checkpoint: Checkpoint,
    deliveries: Deliveries,
    first: StreamArn,
}

impl Follower {
    /// Ends the subscription.
    pub(crate) fn stop(self) -> StoppedFollower {
        let Self { subscription, deliveries, first, .. } = self;
        StoppedFollower { checkpoint: subscription.checkpoint(), deliveries, first }
    }
}

impl World {
    fn subscribe(&self, checkpoint: Checkpoint) -> Result<Subscription<StreamReader>, TailError> {
        self.db
            .subscribe()
            .table(table_name(FOLLOWED).as_str())
            .resume(checkpoint)
            .page_limit(self.config.page_limit)
            .poll_interval(std::time::Duration::ZERO)
            .start()
    }

    /// Begins a subscription at the trim horizon of the table's latest stream.
    fn begin_following(&mut self) -> Checked {
        let listed = self.model.listed(self.now()).filter(|(_, stream)| stream.table == FOLLOWED);
        let latest = listed.map(|(arn, _)| arn).max_by(|a, b| a.label.cmp(&b.label)).cloned();
        let has_faults = self.db.faults().is_armed();
        match (self.subscribe(Checkpoint::default()), latest) {
            (Ok(subscription), Some(first)) => {
                let mut deliveries = Deliveries::default();
                deliveries.may_repeat = has_faults;
                self.follower = Some(Follower { subscription, deliveries, first, may_fail: false });
            }
            (Err(TailError::NoStream(_)), None) => {}
            // The stream may be in its last moment, or the table gone.
            (Err(error), latest) => ensure!(has_faults || latest.is_none(), "cannot subscribe: {error:?}"),
            (Ok(_), None) => ensure!(false, "there is a subscription to no stream"),
        }
        Ok(())
    }

    /// The subscription takes some events.
    pub(crate) fn follow(&mut self, events: u8) -> Checked {
        self.audit_all()?;
        if self.follower.is_none() {
            return self.begin_following();
        }
        for _ in 0..events {
            if !self.take_event()? {
                break;
            }
        }
        Ok(())
    }

    /// Takes one event. Returns whether there was one, or an error behind which there may be more.
    pub(crate) fn take_event(&mut self) -> Checked<bool> {
        let is_armed = self.db.faults().is_armed();
        let now = self.now();
        let Some(follower) = &mut self.follower else { return Ok(false) };
        // One call may meet several faults, and the later ones are reported by calls to come.
        follower.may_fail |= is_armed;
        match follower.subscription.next() {
            None => {
                follower.may_fail = false;
                Ok(false)
            }
            Some(Ok(event)) => {
                let arn: StreamArn = event
                    .stream_arn
                    .parse()
                    .map_err(|_| Violation(format!("`{}` is not an ARN", event.stream_arn)))?;
                let number = event.record.sequence_number;
                let key = event.record.keys.json().to_owned();
                // What lies in a page that was read earlier may be trimmed by now.
                if let Some(bound) = self.model.streams.get(&arn).and_then(|stream| stream.find(number, now))
                {
                    ensure_eq!(&event.record, bound.record.as_ref(), "an event of the subscription");
                }
                follower.deliveries.check_order(&self.model, &arn, &key, number, &[], now)?;
                follower.deliveries.deliver(&arn, number)?;
                self.digest.add_number(number.counter);
                Ok(true)
            }
            Some(Err(TailError::Trimmed { .. })) => Ok(true),
            Some(Err(error)) => {
                ensure!(follower.may_fail, "the subscription failed: {error:?}");
                Ok(true)
            }
        }
    }

    /// The consumer stops, and another begins from its checkpoint.
    pub(crate) fn resume_follower(&mut self) -> Checked {
        self.audit_all()?;
        match self.follower.take() {
            Some(follower) => self.resume_from(follower.stop()),
            None => Ok(()),
        }
    }

    /// Begins a subscription from the checkpoint of another one.
    pub(crate) fn resume_from(&mut self, stopped: StoppedFollower) -> Checked {
        let StoppedFollower { checkpoint, mut deliveries, first } = stopped;
        deliveries.forget(&self.model);
        let has_faults = self.db.faults().is_armed();
        match self.subscribe(checkpoint) {
            Ok(subscription) => {
                self.follower = Some(Follower { subscription, deliveries, first, may_fail: false })
            }
            // A consumer that cannot begin is started anew later.
            Err(TailError::NoStream(_)) => {}
            Err(error) => ensure!(has_faults, "cannot resume: {error:?}"),
        }
        Ok(())
    }

    /// Reads to the end, and checks that nothing is lost.
    pub(crate) fn drain_follower(&mut self) -> Checked {
        let mut left = 100_000;
        // A subscription that does not wait goes on in the next stream of its table when it is resumed.
        loop {
            let before = self.follower.as_ref().map(|follower| follower.subscription.checkpoint());
            let mut is_quiet = true;
            while self.take_event()? {
                is_quiet = false;
                left -= 1;
                ensure!(left > 0, "the subscription does not end");
            }
            self.resume_follower()?;
            let after = self.follower.as_ref().map(|follower| follower.subscription.checkpoint());
            if is_quiet && before == after {
                break;
            }
        }
        let now = self.now();
        match &self.follower {
            Some(follower) => follower.deliveries.check_complete(&self.model, FOLLOWED, &follower.first, now),
            None => Ok(()),
        }
    }
}
