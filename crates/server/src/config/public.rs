//! `[public]`: the address that goes into certificates.

use serde::{Deserialize, Serialize};

use tenkoku_ports::settings::{AddressProblem, PublicAddress};

use super::ConfigProblem;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PublicToml {
    address: String,
}

impl PublicToml {
    pub(super) fn address(&self) -> Result<PublicAddress, ConfigProblem> {
        PublicAddress::parse(&self.address).map_err(|problem| {
            let text = match problem {
                AddressProblem::Scheme => {
                    "must begin with http:// (certificates name plain http addresses)"
                }
                AddressProblem::Shape => "must be http://HOST or http://HOST:PORT, without a path",
            };
            ConfigProblem::value("public.address", text)
        })
    }
}
