//! Letters as files in a folder, one `.eml` each: nobody is written to while the platform is tried
//! out.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use tenkoku_domain::notice::MailProblem;

use crate::{Letter, MailError, Mailer};

/// A folder of letters.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at a path; it is made when the first letter comes.
    pub const fn at(path: PathBuf) -> Self {
        Self(path)
    }
}

impl Mailer for Folder {
    /// Writes `{id}.eml`; a letter that is sent again takes the place of the first.
    fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let message = letter.message()?.formatted();
        let told = |error: std::io::Error| {
            MailError::new(MailProblem::Unwritable, format!("{}: {error}", self.0.display()))
        };
        fs::create_dir_all(&self.0).map_err(told)?;
        let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
        let name: String = letter.id.chars().map(safe).collect();
        // Whole or not at all: the name is given when the content is there.
        let draft = self.0.join(format!("{name}.part"));
        let mut file = File::create(&draft).map_err(told)?;
        file.write_all(&message).and_then(|()| file.sync_all()).map_err(told)?;
        fs::rename(&draft, self.0.join(format!("{name}.eml"))).map_err(told)
    }

    fn check(&self) -> Result<String, MailError> {
        Ok(format!("letters become files in {}", self.0.display()))
    }
}
