//! Table `imprints`: the pictures of seals, by their digest.

use diesel::prelude::*;
use tenkoku_domain::canonical::Digest;
use tenkoku_domain::time::Timestamp;

use crate::error::StoreError;
use crate::schema::imprints;
use crate::tx::Tx;

impl Tx<'_> {
    /// An imprint with its media type, by the SHA-256 of the picture.
    pub fn find_imprint(
        &mut self,
        digest: &Digest,
    ) -> Result<Option<(String, Vec<u8>)>, StoreError> {
        Ok(imprints::table
            .find(digest.to_string())
            .select((imprints::media_type, imprints::picture))
            .first(self.conn)
            .optional()?)
    }

    /// Keeps an imprint under its digest; the same picture is kept once. It says nothing until an
    /// application names it, so it has no record of its own.
    pub fn keep_imprint(
        &mut self,
        (media_type, picture): (&str, &[u8]),
        at: Timestamp,
    ) -> Result<Digest, StoreError> {
        let digest = Digest::of(picture);
        if self.find_imprint(&digest)?.is_some() {
            return Ok(digest);
        }
        self.change(|tx| {
            diesel::insert_into(imprints::table)
                .values((
                    imprints::digest.eq(digest.to_string()),
                    imprints::media_type.eq(media_type),
                    imprints::picture.eq(picture),
                    imprints::kept_at.eq(at.millis()),
                ))
                .execute(tx.conn)?;
            Ok(())
        })?;
        Ok(digest)
    }
}
