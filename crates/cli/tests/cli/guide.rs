//! The guide, and other pages for users: every command in them is run, and prints what the page says.

use std::fmt::Write as _;

use crate::sim::add_tests;
use crate::world::World;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

/// A command of the guide, and what the guide says that it prints.
struct Step {
    command: String,
    printed: String,
}

/// Splits the guide at its `console` blocks: texts, and between them the steps of a block.
fn parts(guide: &str) -> (Vec<&str>, Vec<Vec<Step>>) {
    let mut texts = Vec::new();
    let mut blocks = Vec::new();
    let mut rest = guide;
    while let Some((text, after)) = rest.split_once("```console\n") {
        let (block, after) = after.split_once("```\n").unwrap();
        texts.push(text);
        blocks.push(steps(block));
        rest = after;
    }
    texts.push(rest);
    (texts, blocks)
}

fn steps(block: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut is_command = false;
    for line in block.lines() {
        let begins = line.strip_prefix("$ ");
        match (begins, is_command, steps.last_mut()) {
            (Some(command), ..) => steps.push(Step {
                command: command.to_owned(),
                printed: String::new(),
            }),
            // A command that goes on.
            (None, true, Some(step)) => {
                step.command.push('\n');
                step.command.push_str(line);
            }
            (None, false, Some(step)) => {
                step.printed.push_str(line);
                step.printed.push('\n');
            }
            (None, _, None) => panic!("a block begins with a command, not with `{line}`"),
        }
        is_command = (begins.is_some() || is_command) && line.ends_with('\\');
    }
    steps
}

#[test]
fn every_command_of_the_guide_prints_what_the_guide_says() {
    run_page(&format!("{DOCS}/version-sets.md"), 20);
}

#[test]
fn every_command_of_the_workflow_prints_what_it_says() {
    run_page(&format!("{DOCS}/workflow.md"), 15);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_about_simulations_prints_what_it_says() {
    let world = World::scripted().await;
    add_tests(&world.api, 2).await;
    run_page_in(world, &format!("{DOCS}/simulations.md"), 3);
}

/// Runs every command of a page, which has more than so many, and compares what they print.
///
/// `UPDATE_GOLDEN=1` writes it into the page instead.
pub(crate) fn run_page(path: &str, least: usize) {
    run_page_in(World::quickstart(), path, least);
}

fn run_page_in(mut world: World, path: &str, least: usize) {
    let page = std::fs::read_to_string(path).unwrap();
    let (texts, blocks) = parts(&page);
    world.set("NO_COLOR", "1");
    let mut written = String::new();
    for (text, steps) in texts.iter().zip(&blocks) {
        written.push_str(text);
        written.push_str("```console\n");
        for Step { command, printed } in steps {
            let seen = world
                .seen(command)
                .replace(&world.address, "http://127.0.0.1:8787")
                .replace(&world.home().display().to_string(), "/home/user");
            write!(written, "$ {command}\n{seen}").unwrap();
            if std::env::var_os("UPDATE_GOLDEN").is_none() {
                assert_eq!(world.aligned(&seen), world.aligned(printed), "$ {command}");
            }
        }
        written.push_str("```\n");
    }
    written.push_str(texts.last().unwrap());
    assert!(blocks.iter().flatten().count() > least);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, written).unwrap();
    }
}
