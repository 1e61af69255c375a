//! Looks at every state of a model, and says how many there were.

use core::fmt::Debug;
use core::hash::Hash;

use stateright::{Checker, HasDiscoveries, Model};

/// Looks at all of `protocol`: what must never be is nowhere, and everything that must be possible is, but for `impossible`,
/// for which its bounds leave no room.
pub(crate) fn holds<M>(name: &str, protocol: M, impossible: &[&str])
where
    M: Model + Clone + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let checked = protocol.clone().checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    println!("{name}: {} states, {} steps deep", checked.unique_state_count(), checked.max_depth());
    for property in protocol.properties() {
        let must_be_found = !property.expectation.discovery_is_failure() && !impossible.contains(&property.name);
        let way = checked.discovery(property.name).map(|path| path.into_actions());
        assert_eq!(way.is_some(), must_be_found, "{}: {way:?}", property.name);
    }
}

/// The shortest way in which `protocol` breaks `property`, if there is one.
pub(crate) fn way_to_break<M>(name: &str, property: &'static str, protocol: M) -> Option<Vec<M::Action>>
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + Hash + PartialEq + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq + Send + Sync,
{
    let checked = protocol.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let way = checked.discovery(property).map(|path| path.into_actions());
    println!("{name}: {} states, {way:?}", checked.unique_state_count());
    way
}
