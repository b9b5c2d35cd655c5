//! The model files this release was proven on.

/// A pair of model files, known by what is in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownModel {
    /// The name of the model, as it enters the identity of an embedding space.
    pub name: &'static str,
    /// The release of the package that ships the files.
    pub revision: &'static str,
    /// BLAKE3 over the weight file followed by the tokeniser file.
    pub hash: [u8; 32],
}

/// Every model that [`StaticModel::load`](crate::StaticModel::load) accepts.
pub const KNOWN: &[KnownModel] = &[KnownModel {
    name: "wordllama-l2-supercat-256",
    revision: "0.4.0",
    hash: [
        0x96, 0xD3, 0x28, 0x17, 0x19, 0xC0, 0x17, 0x5A, 0x2B, 0x6E, 0x50, 0xCF, 0xE1, 0x22, 0x8E, 0xB0, 0xF4, 0x33,
        0x7D, 0x77, 0x1C, 0x59, 0x4C, 0x9F, 0x83, 0x90, 0x6E, 0x65, 0xC0, 0x79, 0xF1, 0x94,
    ],
}];

/// The known model whose files have this hash.
pub(crate) fn find(hash: &[u8; 32]) -> Option<&'static KnownModel> {
    KNOWN.iter().find(|known| known.hash == *hash)
}
