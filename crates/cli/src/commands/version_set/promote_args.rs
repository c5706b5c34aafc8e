//! What `forge version-set promote` is told, for one service or for all.

use crate::set_change::SetChangeArgs;

/// Copy what one set pins onto another, as one checked step.
///
/// What floats is written as the numbers that it means now, so that the target does not move by itself.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "forge version-set promote [OPTIONS] <SERVICE> <SOURCE[@REVISION]> <TARGET>\n       \
        forge version-set promote [OPTIONS] --all-services <SOURCE> <TARGET>",
    after_help = "Examples:\n  forge version-set promote 'Dental care' preview release\n  \
        forge version-set promote 'Dental care' preview release --apply --message 'Tried with five patients.'\n  \
        forge version-set promote --all-services preview release"
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are options, independent of each other"
)]
pub(crate) struct Args {
    /// Name or id of the service; left out with `--all-services`.
    pub(super) service: String,
    /// The set to copy, as it is now or was at a revision.
    #[arg(value_name = "SOURCE[@REVISION]")]
    pub(super) source: String,
    /// The set to copy it to.
    pub(super) target: Option<String>,
    /// Promote in every active service that has SOURCE: all of them or none.
    #[arg(long, conflicts_with_all = ["no_freeze", "expect_revision"])]
    pub(super) all_services: bool,
    /// Create TARGET although it is called nearly like another set.
    #[arg(long)]
    pub(super) create: bool,
    /// Keep floating what floats.
    #[arg(long)]
    pub(super) no_freeze: bool,
    /// Lift the hold on the target, if a rollback left one.
    #[arg(long)]
    pub(super) lift_hold: bool,
    #[command(flatten)]
    pub(super) change: SetChangeArgs,
}
