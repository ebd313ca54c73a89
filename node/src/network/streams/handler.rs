//! Streams of one connection.

use super::super::Purpose;
use crate::limits;
use libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionHandler, ConnectionHandlerEvent, Stream, StreamProtocol, StreamUpgradeError,
    SubstreamProtocol,
};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

/// What happened on the connection.
#[derive(Debug)]
pub enum HandlerEvent {
    /// A stream stands.
    Opened { purpose: Purpose, outbound: bool, stream: Stream },
    /// A stream could not be opened.
    Failed { purpose: Purpose, unsupported: bool },
}

type ToConnection = ConnectionHandlerEvent<Negotiation, Purpose, HandlerEvent>;

/// Streams of one connection.
#[derive(Debug, Default)]
pub struct Handler {
    pending: VecDeque<ToConnection>,
}

impl Handler {
    fn tell(&mut self, event: HandlerEvent) {
        self.pending.push_back(ConnectionHandlerEvent::NotifyBehaviour(event));
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Purpose;
    type ToBehaviour = HandlerEvent;
    type InboundProtocol = Negotiation;
    type OutboundProtocol = Negotiation;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = Purpose;

    fn listen_protocol(&self) -> SubstreamProtocol<Negotiation> {
        SubstreamProtocol::new(Negotiation(vec![Purpose::Join, Purpose::Sync]), ())
            .with_timeout(limits::OPEN_TIMEOUT)
    }

    fn on_behaviour_event(&mut self, purpose: Purpose) {
        let protocol = SubstreamProtocol::new(Negotiation(vec![purpose]), purpose)
            .with_timeout(limits::OPEN_TIMEOUT);
        self.pending.push_back(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToConnection> {
        self.pending.pop_front().map_or(Poll::Pending, Poll::Ready)
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Negotiation, Negotiation, (), Purpose>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (purpose, stream),
                ..
            }) => self.tell(HandlerEvent::Opened { purpose, outbound: false, stream }),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (purpose, stream),
                ..
            }) => self.tell(HandlerEvent::Opened { purpose, outbound: true, stream }),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info: purpose, error }) => {
                let unsupported = matches!(error, StreamUpgradeError::NegotiationFailed);
                self.tell(HandlerEvent::Failed { purpose, unsupported });
            }
            _ => {}
        }
    }
}

/// Agrees on one of our protocols and hands the stream over as it is.
#[derive(Debug, Clone)]
pub struct Negotiation(Vec<Purpose>);

impl UpgradeInfo for Negotiation {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        let names: Vec<_> =
            self.0.iter().map(|purpose| StreamProtocol::new(purpose.protocol())).collect();
        names.into_iter()
    }
}

fn purpose_of(protocol: &StreamProtocol) -> Purpose {
    if protocol.as_ref() == Purpose::Join.protocol() { Purpose::Join } else { Purpose::Sync }
}

impl InboundUpgrade<Stream> for Negotiation {
    type Output = (Purpose, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((purpose_of(&protocol), stream)))
    }
}

impl OutboundUpgrade<Stream> for Negotiation {
    type Output = (Purpose, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((purpose_of(&protocol), stream)))
    }
}
