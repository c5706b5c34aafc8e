//! Every permission, and the attributes that conditions on it may use.

use serde_json::Value;

/// The attributes of the thing that an action is about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes(Vec<(&'static str, Value)>);

impl Attributes {
    /// Adds an attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Returns the value of an attribute, if the thing has it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Returns the names of the attributes that are there.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().map(|(name, _)| *name)
    }
}

macro_rules! permissions {
    ($($variant:ident = $name:literal [$($attribute:literal),*];)*) => {
        /// Something that may be allowed.
        ///
        /// Names are the contract's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Permission {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl Permission {
            /// Every permission that some operation asks for.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the name that grants use.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Returns the permission of that name.
            pub fn by_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|permission| permission.name() == name)
            }

            /// Returns the attributes that conditions on this permission may use.
            pub fn attributes(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($attribute),*],)* }
            }
        }
    };
}

permissions! {
    GetOrganizationDetails = "Organization:GetOrganizationDetails" [];
    CreateOrganization = "Organization:CreateOrganization" ["organization_id"];
    ModifyOrganization = "Organization:ModifyOrganization" [];
    GetAuditEvent = "Organization:GetAuditEvent"
        ["object_kind", "object_id", "action", "actor_user_id", "actor_kind"];
    CreateApiKey = "Organization:CreateAPIKey" ["role_name"];
    GetApiKey = "Organization:GetAPIKey" ["api_key_id", "role_name"];
    DeleteApiKey = "Organization:DeleteAPIKey" ["api_key_id", "role_name"];
    InviteUser = "User:InviteUser" ["role_name"];
    GetUserInfo = "User:GetUserInfo" ["user_id", "role_name"];
    UpdateUserInfo = "User:UpdateUserInfo" ["user_id", "role_name", "is_own"];
    DeleteUser = "User:DeleteUser" ["user_id", "role_name"];
    CreateRole = "Role:CreateRole" ["role_name"];
    GetRole = "Role:GetRole" ["role_id", "role_name"];
    ModifyRole = "Role:ModifyRole" ["role_id", "role_name"];
    CreateTemporaryGrant = "Role:CreateTemporaryPermissionGrant" ["user_id", "permission_name"];
    GetTemporaryGrant = "Role:GetTemporaryPermissionGrant" ["user_id", "permission_name"];
    CreateAgent = "Organization:CreateAgent" ["agent_name"];
    GetAgent = "Organization:GetAgent" ["agent_id", "agent_name"];
    CreateAgentVersion = "Organization:CreateAgentVersion" ["agent_id", "agent_name"];
    DeleteAgent = "Organization:DeleteAgent" ["agent_id", "agent_name"];
    CreateContextGraph = "Organization:CreateServiceHierarchicalStateMachine"
        ["service_hierarchical_state_machine_name"];
    GetContextGraph = "Organization:GetServiceHierarchicalStateMachine"
        ["service_hierarchical_state_machine_id", "service_hierarchical_state_machine_name"];
    CreateContextGraphVersion = "Organization:CreateServiceHierarchicalStateMachineVersion"
        ["service_hierarchical_state_machine_id", "service_hierarchical_state_machine_name"];
    DeleteContextGraph = "Organization:DeleteServiceHierarchicalStateMachine"
        ["service_hierarchical_state_machine_id", "service_hierarchical_state_machine_name"];
    GetService = "Service:GetService" ["service_id", "service_name"];
    CreateService = "Service:CreateService" ["service_name"];
    UpdateService = "Service:UpdateService" ["service_id", "service_name"];
    GetVersionSet = "Service:GetVersionSet" ["service_id", "service_name", "version_set_name"];
    CreateVersionSet = "Service:CreateVersionSet" ["service_id", "service_name", "version_set_name"];
    UpdateVersionSet = "Service:UpdateVersionSet" ["service_id", "service_name", "version_set_name"];
    DeleteVersionSet = "Service:DeleteVersionSet" ["service_id", "service_name", "version_set_name"];
    GetModels = "Admin:GetModels" [];
    CreateConversation = "Conversation:CreateConversation" ["service_id", "service_name", "version_set_name"];
    InteractWithConversation = "Conversation:InteractWithConversation"
        ["conversation_id", "service_id", "service_name", "user_id", "is_own"];
    FinishConversation = "Conversation:FinishConversation"
        ["conversation_id", "service_id", "service_name", "user_id", "is_own"];
    GetConversation = "Conversation:GetConversation"
        ["conversation_id", "service_id", "service_name", "user_id", "is_own"];
    GetMessage = "Conversation:GetMessage"
        ["conversation_id", "service_id", "service_name", "user_id", "is_own"];
    GetInteractionInsights = "Conversation:GetInteractionInsights"
        ["conversation_id", "service_id", "service_name", "user_id", "is_own"];
    GetRecommendedResponses = "Conversation:GetRecommendedResponses"
        ["conversation_id", "service_id", "service_name", "user_id", "is_own"];
    DeleteConversation = "Conversation:DeleteConversation"
        ["conversation_id", "service_id", "service_name", "user_id", "is_own"];
    CreateBehaviorSet = "DynamicBehaviorInstruction:CreateDynamicBehaviorInstruction"
        ["dynamic_behavior_set_name"];
    GetBehaviorSet = "DynamicBehaviorInstruction:GetDynamicBehaviorInstruction"
        ["dynamic_behavior_set_id", "dynamic_behavior_set_name"];
    UpdateBehaviorSet = "DynamicBehaviorInstruction:UpdateDynamicBehaviorInstruction"
        ["dynamic_behavior_set_id", "dynamic_behavior_set_name"];
    DeleteBehaviorSet = "DynamicBehaviorInstruction:DeleteDynamicBehaviorInstruction"
        ["dynamic_behavior_set_id", "dynamic_behavior_set_name"];
    CreateMetric = "Metric:CreateMetric" ["metric_name"];
    GetMetric = "Metric:GetMetric" ["metric_id", "metric_name"];
    ModifyMetric = "Metric:ModifyMetric" ["metric_id", "metric_name"];
    DeleteMetric = "Metric:DeleteMetric" ["metric_id", "metric_name"];
    EvaluateMetric = "Metric:EvaluateMetric" ["metric_id", "metric_name"];
    GetMetricEvaluationResult = "Metric:GetMetricEvaluationResult" ["metric_id", "metric_name"];
    CreatePersona = "Simulation:CreateSimulationPersona" ["simulation_persona_name"];
    GetPersona = "Simulation:GetSimulationPersona" ["simulation_persona_id", "simulation_persona_name"];
    ModifyPersona = "Simulation:ModifySimulationPersona" ["simulation_persona_id", "simulation_persona_name"];
    DeletePersona = "Simulation:DeleteSimulationPersona" ["simulation_persona_id", "simulation_persona_name"];
    CreateScenario = "Simulation:CreateSimulationScenario" ["simulation_scenario_name"];
    GetScenario = "Simulation:GetSimulationScenario" ["simulation_scenario_id", "simulation_scenario_name"];
    ModifyScenario = "Simulation:ModifySimulationScenario"
        ["simulation_scenario_id", "simulation_scenario_name"];
    DeleteScenario = "Simulation:DeleteSimulationScenario"
        ["simulation_scenario_id", "simulation_scenario_name"];
    CreateUnitTest = "Simulation:CreateSimulationUnitTest" ["simulation_unit_test_name"];
    GetUnitTest = "Simulation:GetSimulationUnitTest" ["simulation_unit_test_id", "simulation_unit_test_name"];
    ModifyUnitTest = "Simulation:ModifySimulationUnitTest"
        ["simulation_unit_test_id", "simulation_unit_test_name"];
    DeleteUnitTest = "Simulation:DeleteSimulationUnitTest"
        ["simulation_unit_test_id", "simulation_unit_test_name"];
    CreateUnitTestSet = "Simulation:CreateSimulationUnitTestSet" ["simulation_unit_test_set_name"];
    GetUnitTestSet = "Simulation:GetSimulationUnitTestSet"
        ["simulation_unit_test_set_id", "simulation_unit_test_set_name"];
    ModifyUnitTestSet = "Simulation:ModifySimulationUnitTestSet"
        ["simulation_unit_test_set_id", "simulation_unit_test_set_name"];
    DeleteUnitTestSet = "Simulation:DeleteSimulationUnitTestSet"
        ["simulation_unit_test_set_id", "simulation_unit_test_set_name"];
    CreateUnitTestSetRun = "Simulation:CreateSimulationUnitTestSetRun"
        ["simulation_unit_test_set_id", "simulation_unit_test_set_name"];
    GetUnitTestSetRun = "Simulation:GetSimulationUnitTestSetRun"
        ["simulation_unit_test_set_id", "simulation_unit_test_set_name"];
    CancelUnitTestSetRun = "Simulation:CancelSimulationUnitTestSetRun"
        ["simulation_unit_test_set_id", "simulation_unit_test_set_name"];
}
