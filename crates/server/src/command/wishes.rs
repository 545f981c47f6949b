//! What an application asks for beyond the ordinary seal of its branch.

use std::path::PathBuf;

use clap::Args;
use tenkoku_domain::accreditation::ClaimKind;
use tenkoku_domain::application::{ImprintWish, SealKind, SealTerm, Wishes};
use tenkoku_domain::identifier::Lei;
use tenkoku_ports::Env;

use super::certificate::find_certificate;
use super::registry::read;
use crate::failure::{Failure, exit};

/// Largest picture of an imprint, in octets.
const IMPRINT_OCTETS: usize = 256 * 1024;

/// What an application asks for beyond the ordinary seal of its branch.
#[derive(Debug, Default, Args)]
pub(crate) struct WishArgs {
    /// A witness-type seal of the service itself (levels 1 and 2)
    #[arg(long)]
    witness: bool,
    /// A short life: a day at most, without revocation information
    #[arg(long)]
    short: bool,
    /// What is claimed (level 3): accredited or eu-qualified; needs a recorded accreditation
    #[arg(long, value_name = "CLAIM")]
    claim: Option<String>,
    /// The organisation's LEI, which must have been looked up (tenkoku org lei)
    #[arg(long)]
    lei: Option<String>,
    /// The picture of the seal, SVG or PNG
    #[arg(long, value_name = "FILE", requires = "imprint_address")]
    imprint: Option<PathBuf>,
    /// The https address that the picture is published at
    #[arg(long, value_name = "URL", requires = "imprint")]
    imprint_address: Option<String>,
    /// Serial number of the certificate of the same seal under a key of another family
    #[arg(long, value_name = "SERIAL")]
    twin: Option<String>,
}

impl WishArgs {
    /// Reads the words, keeps the picture, finds the twin.
    pub(crate) fn read(&self, env: &Env) -> Result<Wishes, Failure> {
        let claim = match self.claim.as_deref() {
            None => ClaimKind::None,
            Some(word) => ClaimKind::from_word(word)
                .ok_or_else(|| Failure::word(word, &["accredited", "eu-qualified"]))?,
        };
        let twin = self.twin.as_deref().map(|serial| find_certificate(&env.store, serial, None));
        Ok(Wishes {
            kind: if self.witness { SealKind::Witness } else { SealKind::Party },
            term: if self.short { SealTerm::Short } else { SealTerm::Regular },
            claim,
            lei: self.lei.as_deref().map(Lei::parse).transpose()?,
            imprint: self.imprint(env)?,
            twin: twin.transpose()?.map(|certificate| certificate.id),
        })
    }

    fn imprint(&self, env: &Env) -> Result<Option<ImprintWish>, Failure> {
        let (Some(file), Some(address)) = (&self.imprint, &self.imprint_address) else {
            return Ok(None);
        };
        let picture = read(file)?;
        if picture.len() > IMPRINT_OCTETS {
            let large = Failure::problem("too-large", exit::REFUSED).with("limit", "256 KiB");
            return Err(large.at(file.display()));
        }
        let media_type =
            if picture.starts_with(b"\x89PNG\r\n") { "image/png" } else { "image/svg+xml" };
        let now = env.clock.now();
        let digest = env.store.write(|tx| tx.keep_imprint((media_type, &picture), now))?;
        Ok(Some(ImprintWish { digest, address: address.clone() }))
    }
}
