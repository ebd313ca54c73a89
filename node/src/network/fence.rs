//! Refuses connections to hosts out of reach, whatever name led there.
//!
//! It stands between the looking up of names and the transports: it sees the very address that is
//! called, so that a name that answers one thing when it is asked and another when it is called
//! leads nowhere.

use super::reach::{Reach, host_of};
use futures::TryFutureExt;
use futures::future::MapErr;
use libp2p::core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::{Multiaddr, Transport};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A transport that calls only within a reach.
pub struct Fence<T> {
    inner: T,
    reach: Reach,
}

impl<T> Fence<T> {
    pub const fn new(inner: T, reach: Reach) -> Self {
        Self { inner, reach }
    }
}

/// The host is not called.
#[derive(Debug, thiserror::Error)]
#[error("no node of another can be there")]
pub struct OutOfReach;

/// Why a connection was not made. The libraries above tell of an error only its sources.
#[derive(Debug, thiserror::Error)]
pub enum FenceError<E> {
    #[error("not called")]
    Refused(#[source] OutOfReach),
    #[error("{0}")]
    Inner(#[source] E),
}

/// Whether a call ended at the fence.
pub fn is_out_of_reach(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(<dyn std::error::Error>::is::<OutOfReach>)
}

type Mapped<F, E> = MapErr<F, fn(E) -> FenceError<E>>;

impl<T: Transport<Error: 'static> + Unpin> Transport for Fence<T> {
    type Output = T::Output;
    type Error = FenceError<T::Error>;
    type ListenerUpgrade = Mapped<T::ListenerUpgrade, T::Error>;
    type Dial = Mapped<T::Dial, T::Error>;

    fn listen_on(
        &mut self,
        id: ListenerId,
        address: Multiaddr,
    ) -> Result<(), TransportError<Self::Error>> {
        self.inner.listen_on(id, address).map_err(|error| error.map(FenceError::Inner))
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        options: DialOpts,
    ) -> Result<Self::Dial, TransportError<Self::Error>> {
        if !host_of(&address).is_some_and(|host| self.reach.covers(host)) {
            return Err(TransportError::Other(FenceError::Refused(OutOfReach)));
        }
        let dial = self.inner.dial(address, options);
        dial.map(|dial| dial.map_err(FenceError::Inner as fn(_) -> _))
            .map_err(|error| error.map(FenceError::Inner))
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        Pin::new(&mut self.inner).poll(context).map(|event| {
            event
                .map_upgrade(|upgrade| upgrade.map_err(FenceError::Inner as fn(_) -> _))
                .map_err(FenceError::Inner)
        })
    }
}
