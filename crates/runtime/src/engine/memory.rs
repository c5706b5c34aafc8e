//! What the agent looks up of the user: in recall states, and before it acts.

use forge_domain::context_graph::RecallState;
use forge_domain::conversation::{AgentAction, TransitionCause, WorkingMemory};
use serde::Deserialize;

use super::{Place, Walk, hints, keep_latest};
use crate::RuntimeError;
use crate::models::Request;
use crate::prompt;

/// How many questions are made up at a time.
const MOST_QUERIES: usize = 5;
/// What is said of a question that the facts do not answer.
const UNKNOWN: &str = "Nothing is known about this.";

impl<'a> Walk<'a> {
    /// Looks up what a recall state asks for, and goes on.
    pub(super) async fn recall(
        &mut self,
        place: Place<'a>,
        state: &'a RecallState,
    ) -> Result<(), RuntimeError> {
        let queries = match (&state.queries, &state.requested_information) {
            (Some(queries), _) => {
                let action = AgentAction::NavigateStateMachineRecallStateStaticQueriesRetrieved {
                    static_queries: queries.clone(),
                };
                self.tell(action).await;
                queries.clone()
            }
            (None, wanted) => {
                let wanted = wanted.as_deref().unwrap_or_default();
                let queries = self.generate_queries(place, wanted).await?;
                self.tell(
                    AgentAction::NavigateStateMachineRecallStateDynamicQueriesGenerated {
                        dynamic_queries: queries.clone(),
                        requested_information: wanted.to_owned(),
                    },
                )
                .await;
                queries
            }
        };
        let (performed_queries, queries_and_responses) = self.answer(place, queries).await?;
        let action = AgentAction::NavigateStateMachineRecallStateActiveMemoryRetrieved {
            queries_and_responses,
        };
        self.tell(action).await;
        self.go(place, &state.next_state)?;
        self.moved(place, TransitionCause::Recall { performed_queries })
            .await
    }

    /// Looks up what the agent should know before it acts, if anything is known of the user at all.
    pub(super) async fn retrieve_active_memory(
        &mut self,
        place: Place<'a>,
        objective: &str,
    ) -> Result<(), RuntimeError> {
        if self.person.facts.is_empty() || !self.has_begun() {
            return Ok(());
        }
        let queries = self.generate_queries(place, objective).await?;
        self.tell(AgentAction::CheckIfActiveMemoryNeededCompleted {
            queries: queries.clone(),
        })
        .await;
        if !queries.is_empty() {
            let (_, queries_and_responses) = self.answer(place, queries).await?;
            self.tell(AgentAction::ExtractActiveMemoriesCompleted {
                queries_and_responses,
            })
            .await;
        }
        Ok(())
    }

    /// Makes up questions; none where nothing is known that could answer them.
    async fn generate_queries(
        &mut self,
        place: Place<'a>,
        wanted: &str,
    ) -> Result<Vec<String>, RuntimeError> {
        #[derive(Deserialize)]
        struct Generated {
            queries: Vec<String>,
        }
        if self.person.facts.is_empty() {
            return Ok(Vec::new());
        }
        let data = self.knowledge(&[]);
        let request = Request {
            llm_interaction: "generate-queries",
            prompt: prompt::generate_queries(self.agent(), wanted, MOST_QUERIES, data),
            hints: hints(&self.said, self.number, place),
        };
        let read = |text: &str| {
            let Generated { queries } = crate::answer::object(text)?;
            let queries = queries
                .iter()
                .map(|query| query.trim())
                .filter(|query| !query.is_empty());
            Ok(queries.take(MOST_QUERIES).map(str::to_owned).collect())
        };
        self.client.ask(request, read).await
    }

    /// Answers questions that were not asked before, from what is known of the user.
    ///
    /// Returns them, and each with its answer.
    async fn answer(
        &mut self,
        place: Place<'a>,
        queries: Vec<String>,
    ) -> Result<(Vec<String>, Vec<(String, String)>), RuntimeError> {
        #[derive(Deserialize)]
        struct Recalled {
            answers: Vec<Option<String>>,
        }
        let mut open: Vec<String> = Vec::new();
        for query in queries {
            if !self.position.performed_queries.contains(&query) && !open.contains(&query) {
                open.push(query);
            }
        }
        let mut answers = Vec::new();
        if !open.is_empty() && !self.person.facts.is_empty() {
            let request = Request {
                llm_interaction: "recall",
                prompt: prompt::recall(&open, &self.person.facts, self.limits.prompt_bytes / 2),
                hints: hints(&self.said, self.number, place),
            };
            let count = open.len();
            let read = |text: &str| {
                let Recalled { answers } = crate::answer::object(text)?;
                // Those that are missing at the end are taken to be unknown.
                if answers.len() > count {
                    return Err(format!(
                        "`answers` must have {count} entries, not {}",
                        answers.len()
                    ));
                }
                Ok(answers)
            };
            answers = self.client.ask(request, read).await?;
        }
        answers.resize(open.len(), None);
        let mut answered = Vec::new();
        for (query, answer) in open.iter().zip(answers) {
            let answer = answer
                .map(|answer| answer.trim().to_owned())
                .filter(|answer| !answer.is_empty());
            if let Some(content) = &answer {
                self.position.working_memory.push(WorkingMemory {
                    content: content.clone(),
                    context: query.clone(),
                });
            }
            answered.push((query.clone(), answer.unwrap_or_else(|| UNKNOWN.to_owned())));
        }
        self.position.performed_queries.extend(open.iter().cloned());
        let room = self.limits.prompt_bytes / 8;
        keep_latest(&mut self.position.working_memory, room, |memory| {
            memory.content.len() + memory.context.len()
        });
        keep_latest(&mut self.position.performed_queries, room, String::len);
        Ok((open, answered))
    }
}
