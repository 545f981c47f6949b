//! The preview of a branch office's imprint, or why none can be drawn.

use tenkoku_domain::branch::Branch;
use tenkoku_domain::organisation::Organisation;

use crate::imprint::{Imprint, NoImprint, of_branch};
use crate::text::Words;

/// The imprint of a branch office, or in words why there is none.
pub(super) type Preview = Result<Imprint, String>;

/// The imprint of a branch office; a character without a picture is named.
pub(super) fn preview(w: Words, organisation: &Organisation, branch: &Branch) -> Preview {
    of_branch(organisation, branch).map_err(|why| match why {
        NoImprint::Missing(character) => {
            w.say("admin.imprint.missing").with("character", character).text()
        }
        NoImprint::TooLong(count) => w.say("admin.imprint.too-long").with("n", count).text(),
    })
}
