//! Names in addresses, and where they lead.

use super::*;

const EVERYWHERE: &str = "/ip4/0.0.0.0/tcp/0";

fn named(port: &str, transport: &str) -> String {
    let quic = if transport == "udp" { "/quic-v1" } else { "" };
    format!("/dns4/localhost/{transport}/{port}{quic}")
}

/// A partner gives its node a name of its own and lets it lead to this machine: the node then
/// knocked at whatever listens there.
#[tokio::test]
async fn threat_31_a_name_leads_no_node_to_its_own_machine() {
    let mut caller = node(1, EVERYWHERE).await;
    let service = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = service.local_addr().unwrap().port().to_string();
    for transport in ["tcp", "udp"] {
        let address = named(&port, transport);
        caller.network.open(id(2), vec![address.clone()], Purpose::Join);
        let failure = failed(&mut caller).await;
        assert!(
            matches!(&failure, DialFailure::OutOfReach(named) if named.starts_with(&address)),
            "{failure}"
        );
    }
    let knocked = futures::FutureExt::now_or_never(service.accept());
    assert!(knocked.is_none(), "{knocked:?}");
}

/// In a demonstration every node is on this machine, under whatever name.
#[tokio::test]
async fn a_name_leads_a_node_of_this_machine_alone_to_its_partner_there() {
    for (listen, transport) in [(TCP, "tcp"), (QUIC, "udp")] {
        let (mut a, mut b) = (node(1, listen).await, node(2, listen).await);
        b.address = named(b.address.split('/').nth(4).unwrap(), transport);
        meet(&mut a, &mut b, Purpose::Join).await;
    }
}

/// Of several addresses one may be out of reach and another only silent: that is looked into first.
#[tokio::test]
async fn who_is_silent_at_one_address_is_unreachable_though_another_is_not_called() {
    let mut caller = node(1, TCP).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let silent = format!("/ip4/127.0.0.1/tcp/{silent}");
    let addresses = vec!["/ip4/169.254.169.254/tcp/80".into(), silent.clone()];
    caller.network.open(id(2), addresses, Purpose::Join);
    let failure = failed(&mut caller).await;
    assert!(
        matches!(&failure, DialFailure::Unreachable(named) if named.starts_with(&silent)),
        "{failure}"
    );
}

async fn failed(node: &mut Node) -> DialFailure {
    loop {
        if let NetworkEvent::DialFailed { failure, .. } = next(&mut node.events).await {
            return failure;
        }
    }
}
