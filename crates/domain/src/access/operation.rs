//! What each operation asks of its caller: the one list behind the table of the documentation and the test that takes one
//! permission away at a time.

use super::Permission;

/// What an operation asks of its caller.
#[derive(Debug, Clone, Copy)]
pub struct OperationNeeds {
    /// The operation's id in the contract.
    pub id: &'static str,
    /// Everything that it asks.
    pub needs: &'static [Need],
}

impl OperationNeeds {
    /// Returns what the operation of an id asks; `None` if it asks nobody who calls.
    pub fn of(id: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|operation| operation.id == id)
    }

    /// Returns every permission without which a call may be refused, or rows be left out.
    pub fn asked(&self) -> Vec<Permission> {
        let is_asked = |need: &&Need| !matches!(need.asked, Asked::Shows(_));
        let mut asked: Vec<Permission> = Vec::new();
        for need in self.needs.iter().filter(is_asked) {
            if !asked.contains(&need.permission) {
                asked.push(need.permission);
            }
        }
        asked
    }

    /// Returns the permissions of which a caller has to hold one, on whatever thing, for anything to come of a call:
    /// the first, if it is always asked, else each that is asked in one case or another.
    pub fn opening(&self) -> Vec<Permission> {
        match self.needs {
            [first, ..] if matches!(first.asked, Asked::Always) => vec![first.permission],
            _ => self.asked(),
        }
    }
}

/// One permission that an operation asks.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// The permission.
    pub permission: Permission,
    /// On what.
    pub on: &'static str,
    /// When, and what becomes of a call without it.
    pub asked: Asked,
}

/// When a permission is asked, and what becomes of a call without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Always; without it, the call is refused.
    Always,
    /// Always; rows that the caller does not have it on are left out.
    Rows,
    /// Only where this is so; then the call is refused without it.
    When(&'static str),
    /// Never, but without it, this is not told.
    Shows(&'static str),
}

macro_rules! operations {
    ($($id:literal: $($kind:ident $permission:ident ($on:literal $(, $more:literal)?)),*;)*) => {
        /// Every operation that asks who calls.
        pub const OPERATIONS: &[OperationNeeds] = &[$(OperationNeeds {
            id: $id,
            needs: &[$(Need {
                permission: Permission::$permission,
                on: $on,
                asked: Asked::$kind $(($more))?,
            }),*],
        }),*];
    };
}

operations! {
    "get-organization":
        Shows GetOrganizationDetails ("the organization", "the default preferences of its users");
    "create-organization":
        Always CreateOrganization ("the new organization");
    "modify-organization":
        Always ModifyOrganization ("the organization");
    "create-agent":
        Always CreateAgent ("the new agent");
    "get-agents":
        Rows GetAgent ("each agent");
    "create-agent-version":
        Always CreateAgentVersion ("the agent");
    "delete-agent":
        Always DeleteAgent ("the agent"),
        Shows GetService ("each service", "the names of those that use it");
    "get-agent-versions":
        Always GetAgent ("the agent");
    "get-agent-version-references":
        Always GetAgent ("the agent"),
        Shows GetVersionSet ("each version set", "that it means the version"),
        Shows GetUnitTest ("each unit test", "that it names one of those sets");
    "yank-agent-version":
        Always CreateAgentVersion ("the agent"),
        Shows GetAgent ("the agent", "how the version is yanked where the condition does not hold"),
        Shows GetVersionSet ("each version set", "that it means the version");
    "unyank-agent-version":
        Always CreateAgentVersion ("the agent"),
        Shows GetAgent ("the agent", "how the version is yanked where the condition does not hold"),
        Shows GetVersionSet ("each version set", "that it means the version");
    "create-service-hierarchical-state-machine":
        Always CreateContextGraph ("the new context graph");
    "get-service-hierarchical-state-machines":
        Rows GetContextGraph ("each context graph");
    "create-service-hierarchical-state-machine-version":
        Always CreateContextGraphVersion ("the context graph"),
        When GetContextGraph ("each context graph that it refers to", "it refers to any");
    "delete-service-hierarchical-state-machine":
        Always DeleteContextGraph ("the context graph"),
        Shows GetService ("each service", "the names of those that use it");
    "get-service-hierarchical-state-machine-versions":
        Always GetContextGraph ("the context graph");
    "get-service-hierarchical-state-machine-version-references":
        Always GetContextGraph ("the context graph"),
        Shows GetVersionSet ("each version set", "that it means the version"),
        Shows GetUnitTest ("each unit test", "that it names one of those sets");
    "yank-service-hierarchical-state-machine-version":
        Always CreateContextGraphVersion ("the context graph"),
        Shows GetContextGraph ("the context graph", "how the version is yanked where the condition does not hold"),
        Shows GetVersionSet ("each version set", "that it means the version");
    "unyank-service-hierarchical-state-machine-version":
        Always CreateContextGraphVersion ("the context graph"),
        Shows GetContextGraph ("the context graph", "how the version is yanked where the condition does not hold"),
        Shows GetVersionSet ("each version set", "that it means the version");
    "get-services":
        Rows GetService ("each service"),
        Shows GetVersionSet ("each version set", "what it pins");
    "create-service":
        Always CreateService ("the new service"),
        Always CreateVersionSet ("`edge` and `release`"),
        Always GetAgent ("its agent"),
        Always GetContextGraph ("its context graph");
    "update-service":
        Always UpdateService ("the service, under its old and its new name"),
        When UpdateVersionSet ("each of its version sets but `edge`, under both names", "it gets another agent or context graph"),
        When GetAgent ("its new agent", "it gets another agent"),
        When GetContextGraph ("its new context graph", "it gets another context graph"),
        When GetVersionSet ("`release`", "`If-Match` is sent"),
        Shows GetUnitTest ("each unit test", "the names of those that stand in the way");
    "upsert-service-version-set":
        When CreateVersionSet ("the version set", "it is not there"),
        When UpdateVersionSet ("the version set", "it is there");
    "delete-service-version-set":
        Always DeleteVersionSet ("the version set"),
        Shows GetUnitTest ("each unit test", "the names of those that stand in the way");
    "get-version-sets":
        Rows GetVersionSet ("each version set"),
        Shows GetUnitTest ("each unit test", "that it names a set");
    "get-version-set":
        Always GetVersionSet ("the version set"),
        Shows GetUnitTest ("each unit test", "that it names the set");
    "resolve-version-set":
        Always GetVersionSet ("the version set"),
        When GetAgent ("the agent", "`include=documents` is sent"),
        When GetContextGraph ("the context graph", "`include=documents` is sent");
    "compare-version-sets":
        Always GetVersionSet ("both version sets"),
        Always GetAgent ("the agents of both"),
        Always GetContextGraph ("the context graphs of both");
    "get-version-set-history":
        Always GetVersionSet ("the version set");
    "promote-version-set":
        Always GetVersionSet ("the source"),
        When CreateVersionSet ("the target", "it is not there"),
        When UpdateVersionSet ("the target", "it is there");
    "roll-back-version-set":
        Always UpdateVersionSet ("the version set");
    "lift-version-set-hold":
        Always UpdateVersionSet ("the version set"),
        Shows GetVersionSet ("the version set", "what it is like where `If-Match` does not hold");
    "promote-version-sets":
        Always GetVersionSet ("each source"),
        When CreateVersionSet ("each target", "it is not there"),
        When UpdateVersionSet ("each target", "it is there");
    "get-service-health":
        Always GetVersionSet ("a version set of the service"),
        Shows GetVersionSet ("each version set", "how it is"),
        Shows GetUnitTest ("each unit test", "that it names a set");
    "watch-organization":
        Always GetVersionSet ("any version set"),
        Shows GetVersionSet ("each version set", "that it changed; likewise of everything else, the permission to get it");
    "get-models":
        Always GetModels ("the installation");
    "create-conversation":
        Always CreateConversation ("the service and the version set"),
        Shows GetInteractionInsights ("the conversation", "the agent's steps"),
        Shows GetMessage ("the conversation", "the agent's steps");
    "get-conversations":
        Rows GetConversation ("each conversation"),
        Shows GetMessage ("the conversation", "its last message"),
        Shows GetVersionSet ("the version set", "what the conversation runs on");
    "get-conversation-messages":
        Rows GetMessage ("the conversation"),
        Shows GetInteractionInsights ("the conversation", "the agent's thoughts");
    "get-interaction-insights":
        Always GetInteractionInsights ("the conversation"),
        Always GetContextGraph ("the context graph that the interaction ended in"),
        Shows GetMessage ("the conversation", "what repeats what was said: reflections, memories, what tools were asked and answered");
    "recommend-responses-for-interaction":
        Always GetRecommendedResponses ("the conversation"),
        Always GetMessage ("the conversation");
    "interact-with-conversation":
        Always InteractWithConversation ("the conversation"),
        Always UpdateUserInfo ("the user whose conversation it is"),
        When GetMessage ("the conversation", "it is another user's"),
        Shows GetInteractionInsights ("the conversation", "the agent's steps"),
        Shows GetMessage ("the conversation", "the agent's steps");
    "finish-conversation":
        Always FinishConversation ("the conversation"),
        Always UpdateUserInfo ("the user whose conversation it is");
    "delete-conversation":
        Always DeleteConversation ("the conversation");
    "create-invited-user":
        Always InviteUser ("the role");
    "get-users":
        Rows GetUserInfo ("each user");
    "update-user-info":
        Always UpdateUserInfo ("the user");
    "delete-user":
        Always DeleteUser ("the user");
    "create-role":
        Always CreateRole ("the new role");
    "get_roles_v1__organization__role__get":
        Rows GetRole ("each role");
    "modify-role":
        Always ModifyRole ("the role");
    "assign-role":;
    "create-temporary-permission-grant":
        Always CreateTemporaryGrant ("the user and the permission");
    "get-temporary-permission-grants":
        Rows GetTemporaryGrant ("each grant");
    "create-api-key":
        Always CreateApiKey ("the role");
    "get-api-keys":
        Rows GetApiKey ("each key");
    "delete-api-key":
        Always DeleteApiKey ("the key");
    "get-audit-events":
        Rows GetAuditEvent ("each event");
    "get-audit-head":
        Always GetAuditEvent ("every event");
    "export-audit-events":
        Always GetAuditEvent ("every event");
    "create-dynamic-behavior-set":
        Always CreateBehaviorSet ("the new set"),
        Always UpdateBehaviorSet ("the new set"),
        When UpdateService ("each service that it is applied to", "it is applied to any");
    "get-dynamic-behavior-sets":
        Rows GetBehaviorSet ("each set");
    "search-dynamic-behavior-sets":
        Rows GetBehaviorSet ("each set");
    "update-dynamic-behavior-set":
        Always UpdateBehaviorSet ("the set, under its old and its new name"),
        When UpdateService ("each service that it comes to be applied to, ceases to be, or is switched on or off for", "there is any");
    "delete-dynamic-behavior-instruction":
        Always DeleteBehaviorSet ("the set"),
        When UpdateService ("each service that it is applied to", "it is active");
    "create-dynamic-behavior-set-version":
        Always UpdateBehaviorSet ("the set");
    "get-dynamic-behavior-set-versions":
        Always GetBehaviorSet ("the set");
    "get-dynamic-behavior-invocations":
        Always GetBehaviorSet ("the set"),
        Shows GetMessage ("each conversation", "its invocations");
    "create-metric":
        Always CreateMetric ("the new metric"),
        When GetService ("each service that it is applied to", "it is applied to any");
    "get-metrics":
        Rows GetMetric ("each metric");
    "update-metric":
        Always ModifyMetric ("the metric"),
        When GetService ("each service that it comes to be applied to, or ceases to be", "there is any");
    "delete-metric":
        Always DeleteMetric ("the metric"),
        Shows GetUnitTest ("each unit test", "the names of those that use it");
    "evaluate-metrics":
        Always GetMetric ("each metric"),
        Always EvaluateMetric ("each metric"),
        Always GetMetricEvaluationResult ("each metric"),
        Always GetMessage ("the conversation");
    "get-metric-evaluation-results":
        Rows GetMetricEvaluationResult ("the metric of each result"),
        Shows GetMessage ("each conversation", "the results of metrics about it");
    "create-simulation-persona":
        Always CreatePersona ("the new persona"),
        Always ModifyPersona ("the new persona");
    "get-simulation-personas":
        Rows GetPersona ("each persona");
    "search-simulation-personas":
        Rows GetPersona ("each persona");
    "update-simulation-persona":
        Always ModifyPersona ("the persona");
    "delete-simulation-persona":
        Always DeletePersona ("the persona"),
        Shows GetUnitTest ("each unit test", "the names of those that use it");
    "create-simulation-persona-version":
        Always ModifyPersona ("the persona");
    "get-simulation-persona-versions":
        Always GetPersona ("the persona"),
        Shows ModifyPersona ("the persona", "its sensitive variables");
    "create-simulation-scenario":
        Always CreateScenario ("the new scenario"),
        Always ModifyScenario ("the new scenario");
    "get-simulation-scenarios":
        Rows GetScenario ("each scenario");
    "search-simulation-scenarios":
        Rows GetScenario ("each scenario");
    "update-simulation-scenario":
        Always ModifyScenario ("the scenario");
    "delete-simulation-scenario":
        Always DeleteScenario ("the scenario"),
        Shows GetUnitTest ("each unit test", "the names of those that use it");
    "create-simulation-scenario-version":
        Always ModifyScenario ("the scenario");
    "get-simulation-scenario-versions":
        Always GetScenario ("the scenario");
    "create-simulation-unit-test":
        Always CreateUnitTest ("the new test"),
        Always CreateConversation ("the service and the version set that it names"),
        Always GetPersona ("its persona"),
        Always GetScenario ("its scenario"),
        Always GetMetric ("each of its metrics");
    "get-simulation-unit-tests":
        Rows GetUnitTest ("each test");
    "search-simulation-unit-tests":
        Rows GetUnitTest ("each test");
    "update-simulation-unit-test":
        Always ModifyUnitTest ("the test"),
        Always CreateConversation ("the service and the version set that it names afterwards"),
        Always GetPersona ("its persona afterwards"),
        Always GetScenario ("its scenario afterwards"),
        Always GetMetric ("each of its metrics afterwards");
    "delete-simulation-unit-test":
        Always DeleteUnitTest ("the test"),
        Shows GetUnitTestSet ("each set of tests", "the names of those that run it");
    "create-simulation-unit-test-set":
        Always CreateUnitTestSet ("the new set"),
        Always GetUnitTest ("each of its tests");
    "get-simulation-unit-test-sets":
        Rows GetUnitTestSet ("each set");
    "search-simulation-unit-test-sets":
        Rows GetUnitTestSet ("each set");
    "update-simulation-unit-test-set":
        Always ModifyUnitTestSet ("the set, under its old and its new name"),
        Always GetUnitTest ("each of its tests afterwards");
    "delete-simulation-unit-test-set":
        Always DeleteUnitTestSet ("the set");
    "get-simulation-unit-test-set-runs":
        Rows GetUnitTestSetRun ("each run"),
        Shows GetUnitTestSet ("the set", "what ran and what came of it"),
        Shows GetUnitTest ("each test", "its persona, its scenario and its metrics");
    "create-simulation-unit-test-set-run":
        Always CreateUnitTestSetRun ("the set"),
        Always GetUnitTest ("each of its tests"),
        Always CreateConversation ("each service and version set that is talked to"),
        Always GetPersona ("each persona"),
        Always GetScenario ("each scenario"),
        Always GetMetric ("each metric");
    "get-simulation-unit-test-set-run-artifacts":
        Always GetUnitTestSetRun ("the run"),
        Always GetContextGraph ("each context graph that ran"),
        Shows GetUnitTestSet ("the set", "what was said");
    "cancel-simulation-unit-test-set-run":
        Always CancelUnitTestSetRun ("the run");
}

#[cfg(test)]
mod tests {
    use super::*;
    use Permission::{
        CreateService, CreateVersionSet, GetAgent, GetContextGraph, GetVersionSet, UpdateVersionSet,
    };

    fn of(id: &str) -> &'static OperationNeeds {
        OperationNeeds::of(id).unwrap()
    }

    #[test]
    fn each_permission_is_asked_once_and_what_only_shows_something_is_not() {
        assert_eq!(
            of("create-service").asked(),
            [CreateService, CreateVersionSet, GetAgent, GetContextGraph]
        );
        // It asks the same permission on what it is called for, and shows more with it.
        assert_eq!(of("get-service-health").asked(), [GetVersionSet]);
        assert_eq!(of("get-organization").asked(), []);
    }

    #[test]
    fn the_first_permission_opens_an_operation_that_always_asks_it() {
        assert_eq!(of("promote-version-set").opening(), [GetVersionSet]);
    }

    #[test]
    fn any_of_several_permissions_opens_an_operation_that_asks_one_or_the_other() {
        assert_eq!(
            of("upsert-service-version-set").opening(),
            [CreateVersionSet, UpdateVersionSet]
        );
        assert_eq!(of("get-version-sets").opening(), [GetVersionSet]);
    }
}
