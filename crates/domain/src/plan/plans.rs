//! The plans of one call.

use super::digest::joint_digest;
use super::outcome::Plan;
use super::service::ServicePlan;

/// The plan of one change, or those of several that are made together.
#[derive(Debug, Clone, PartialEq)]
pub enum Plans {
    /// Of one.
    One(Box<Plan>),
    /// Of several, in the order asked for.
    Many(Vec<Plan>),
    /// Of a service, with those of its sets.
    Service(Box<ServicePlan>),
}

impl Plans {
    /// Returns the plans of sets.
    pub fn of_sets(&self) -> &[Plan] {
        match self {
            Self::One(plan) => std::slice::from_ref(plan),
            Self::Many(plans) => plans,
            Self::Service(plan) => &plan.version_sets,
        }
    }

    /// Returns the plans of sets.
    pub fn into_plans_of_sets(self) -> Vec<Plan> {
        match self {
            Self::One(plan) => vec![*plan],
            Self::Many(plans) => plans,
            Self::Service(plan) => plan.version_sets,
        }
    }

    /// Returns `true` if a rule forbids any of the changes, and with it all of them.
    pub fn is_blocked(&self) -> bool {
        match self {
            Self::One(plan) => plan.is_blocked(),
            Self::Many(plans) => plans.iter().any(Plan::is_blocked),
            Self::Service(plan) => !plan.blockers.is_empty(),
        }
    }

    /// Returns the digest that fixes all of them.
    pub fn digest(&self) -> String {
        match self {
            Self::One(plan) => plan.digest.clone(),
            Self::Many(plans) => joint_digest(plans),
            Self::Service(plan) => plan.digest.clone(),
        }
    }

    /// Returns all blockers as one text; of several plans each with the name of its set.
    pub fn blockers_text(&self) -> String {
        match self {
            Self::One(plan) => plan.blockers_text(),
            Self::Service(plan) => plan.blockers_text(),
            Self::Many(plans) => {
                let blocked = plans.iter().filter(|plan| plan.is_blocked());
                let text = |plan: &Plan| {
                    format!(
                        "service {}, `{}`: {}",
                        plan.service_id,
                        plan.target.name,
                        plan.blockers_text()
                    )
                };
                blocked.map(text).collect::<Vec<_>>().join("; ")
            }
        }
    }
}
