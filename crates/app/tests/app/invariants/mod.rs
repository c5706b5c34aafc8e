//! Whatever is called in whatever order, the invariants hold, refused calls change nothing, and history tells it all.

mod call;
mod replay;
mod view;
mod world;

use forge_testkit::Engine;

use crate::property;
use call::call;
use world::World;

/// Creates so many worlds and calls up to 60 times in each.
///
/// It takes some seconds.
const CASES: u32 = 8;

fn check(engine: Engine) {
    let Some((runtime, mut runner)) = property(engine, CASES) else {
        return;
    };
    let calls = proptest::collection::vec(call(), 30..60);
    let outcome = runner.run(&calls, |calls| {
        runtime.block_on(async {
            let world = World::new(engine).await;
            let mut before = world.view().await;
            for (number, call) in calls.iter().enumerate() {
                let is_refused = world.run(call, number).await;
                let after = world.view().await;
                if is_refused {
                    assert_eq!(before, after, "{call:?} was refused and changed something");
                }
                view::check_step(&before, call, &after);
                replay::check_sets(&after);
                before = after;
            }
            replay::check_audit(&before);
        });
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn any_sequence_of_calls_keeps_the_invariants_on_sqlite() {
    check(Engine::Sqlite);
}

#[test]
fn any_sequence_of_calls_keeps_the_invariants_on_postgres() {
    check(Engine::Postgres);
}
