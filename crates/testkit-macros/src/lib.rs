//! The attributes of the testkit. They hand an item to a macro of `forge-testkit`, where what they do is written.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// Runs a test on both engines, as `name::sqlite` and `name::postgres`.
///
/// The type of the test's only argument says what it needs: a `TestServer`, or a fresh `TestDatabase` of its own.
#[proc_macro_attribute]
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "the text is constant, and every test would fail to build"
)]
pub fn both_engines(_: TokenStream, test: TokenStream) -> TokenStream {
    let mut call: TokenStream = "::forge_testkit::on_both_engines!"
        .parse()
        .expect("a path and a mark");
    call.extend([TokenTree::Group(Group::new(Delimiter::Brace, test))]);
    call
}
