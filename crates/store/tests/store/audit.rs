//! Reading the audit log.

use forge_domain::audit::{AuditObject, EventFilter, GENESIS_HASH};
use forge_domain::{Actor, ActorKind, Clock as _, OrganizationId, UserRef};
use forge_store::ChainHead;
use forge_testkit::{TestServer, both_engines};
use serde_json::{Value, json};

fn organization(server: &TestServer) -> OrganizationId {
    server.admin().organization.parse().unwrap()
}

/// Appends an event a second after the one before.
async fn append(server: &TestServer, user: &str, kind: ActorKind, action: &str, object: (&str, &str)) {
    server.clock.advance_seconds(1);
    let organization = organization(server);
    let write = server.app.store.write(&organization, server.clock.now()).await;
    let mut tx = write.unwrap().unwrap();
    let user = UserRef {
        org_id: organization,
        user_id: user.to_owned(),
    };
    let object = AuditObject {
        kind: object.0.to_owned(),
        id: object.1.to_owned(),
    };
    tx.append_audit_event(
        &Actor {
            user,
            kind,
            key: None,
        },
        action,
        object,
        Value::Null,
        json!({"x": 0.1}),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

/// Returns the numbers of the events that pass a filter.
async fn found(server: &TestServer, filter: EventFilter, limit: i64) -> Vec<i64> {
    let mut tx = server.app.store.read().await.unwrap();
    let events = tx
        .find_audit_events(&organization(server), &filter, limit)
        .await
        .unwrap()
        .into_rows();
    events.iter().map(|(event, _)| event.sequence).collect()
}

#[both_engines]
async fn events_are_found_by_each_of_their_attributes_newest_first(server: TestServer) {
    // The first event is the organization's own creation.
    append(&server, "ida", ActorKind::Key, "create", ("service", "1")).await;
    append(&server, "ida", ActorKind::Agent, "update", ("service", "2")).await;
    let third = server.clock.now();
    append(&server, "uwe", ActorKind::Person, "update", ("agent", "1")).await;
    let all = EventFilter::default;
    assert_eq!(found(&server, all(), 100).await, [4, 3, 2, 1]);
    assert_eq!(found(&server, all(), 2).await, [4, 3]);
    for (filter, expected) in [
        (
            EventFilter {
                after_sequence: Some(2),
                ..all()
            },
            vec![4, 3],
        ),
        (
            EventFilter {
                before_sequence: Some(2),
                ..all()
            },
            vec![1],
        ),
        (
            EventFilter {
                created_after: Some(third),
                ..all()
            },
            vec![4],
        ),
        (
            EventFilter {
                created_before: Some(third),
                ..all()
            },
            vec![2, 1],
        ),
        (
            EventFilter {
                object_kind: Some("service".into()),
                ..all()
            },
            vec![3, 2],
        ),
        (
            EventFilter {
                object_id: Some("1".into()),
                ..all()
            },
            vec![4, 2],
        ),
        (
            EventFilter {
                action: Some("update".into()),
                ..all()
            },
            vec![4, 3],
        ),
        (
            EventFilter {
                actor_user_id: Some("ida".into()),
                ..all()
            },
            vec![3, 2],
        ),
        (
            EventFilter {
                actor_kind: Some(ActorKind::Agent),
                ..all()
            },
            vec![3],
        ),
        (
            EventFilter {
                action: Some("update".into()),
                object_kind: Some("service".into()),
                ..all()
            },
            vec![3],
        ),
        (
            EventFilter {
                action: Some("Update".into()),
                ..all()
            },
            vec![],
        ),
    ] {
        assert_eq!(found(&server, filter.clone(), 100).await, expected, "{filter:?}");
    }
}

#[both_engines]
async fn the_head_is_the_last_event_and_organizations_do_not_mix(server: TestServer) {
    let nobody: OrganizationId = "nobody".parse().unwrap();
    let mut tx = server.app.store.read().await.unwrap();
    assert_eq!(
        tx.audit_head(&nobody).await.unwrap(),
        ChainHead {
            sequence: 0,
            hash: GENESIS_HASH.to_owned()
        }
    );
    drop(tx);
    append(&server, "ida", ActorKind::Key, "create", ("service", "1")).await;
    let mut tx = server.app.store.read().await.unwrap();
    let head = tx.audit_head(&organization(&server)).await.unwrap();
    let events = tx
        .find_audit_events(&organization(&server), &EventFilter::default(), 1)
        .await
        .unwrap()
        .into_rows();
    assert_eq!((head.sequence, &head.hash), (2, &events[0].0.hash()));
    assert_eq!(events[0].1, head.hash);
    let first = events[0].0.previous_hash.clone();
    let mut after = async |end: (i64, &str)| {
        let end = ChainHead {
            sequence: end.0,
            hash: end.1.to_owned(),
        };
        tx.audit_head_after(&organization(&server), &end).await.unwrap()
    };
    for end in [(0, GENESIS_HASH), (1, first.as_str()), (2, head.hash.as_str())] {
        assert_eq!(after(end).await, Some(head.clone()), "{end:?}");
    }
    for end in [
        (1, head.hash.as_str()),
        (2, first.as_str()),
        (3, head.hash.as_str()),
    ] {
        assert_eq!(after(end).await, None, "{end:?}");
    }
    assert_eq!(
        tx.audit_head_after(
            &nobody,
            &ChainHead {
                sequence: 1,
                ..head.clone()
            }
        )
        .await
        .unwrap(),
        None
    );
    let heads = tx.list_organization_summaries().await.unwrap();
    let known = heads
        .iter()
        .find(|known| known.id == organization(&server))
        .unwrap();
    assert_eq!(
        (known.change_number, &known.hash),
        (events[0].0.change_number, &head.hash)
    );
    let stranger: OrganizationId = server.stranger().organization.parse().unwrap();
    assert_eq!(tx.audit_head(&stranger).await.unwrap().sequence, 1);
    let chains = tx.list_audit_chains().await.unwrap();
    for known in [organization(&server), stranger] {
        assert!(chains.contains(&Ok(known)));
    }
    let length = tx.audit_chain_length(&organization(&server)).await.unwrap();
    assert_eq!((length.entries, length.last), (2, Some(2)));
    let length = tx.audit_chain_length(&nobody).await.unwrap();
    assert_eq!((length.entries, length.last), (0, None));
    let scanned = tx
        .scan_audit_events(&organization(&server), Some(1), i64::MAX, 9)
        .await
        .unwrap();
    assert_eq!(
        scanned.iter().map(|event| event.sequence).collect::<Vec<_>>(),
        [2]
    );
}
