//! A server that was started anew.

use forge_testkit::{Engine, TestDatabase};

use super::{Api, Shell, World};
use crate::process::{Serving, init};

impl World {
    /// A server with services to release that was started anew with these options since.
    pub(crate) async fn restarted(options: &[&str]) -> Self {
        let database = TestDatabase::start(Engine::Sqlite).await;
        let credentials = init("acme", &database.flags);
        let serving = Serving::start_without_rate_limits(&database.flags);
        Api::sign_in(&serving.address, &credentials).await.seed().await;
        serving.stop();
        let mut flags = database.flags.to_vec();
        flags.extend(options.iter().map(|&option| option.to_owned()));
        let serving = Serving::start(&flags);
        let mut shell = Shell::new();
        shell.hide(&serving.address, "http://server");
        let mut world = Self {
            api: Api::sign_in(&serving.address, &credentials).await,
            address: serving.address.clone(),
            credentials,
            shell,
            _server: Box::new((serving, database)),
        };
        world.sign_in();
        world
    }
}
