//! Promotions, rollbacks, holds and history: the journeys of whoever releases, and what stands in their way.

mod condition;
mod history;
mod hold;
mod journey;
mod permissions;
mod plan;
mod promote;
mod repeat;
