//! The model: files in, vectors out.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use recollect_model::{Call, Error, Result};

use crate::registry::{self, KnownModel};
use crate::table::Table;
use crate::tokenizer::{Tokenizer, Workspace};
use crate::tokenizer_file::TokenizerFile;

/// A static embedding model: each token has a vector, and a text has the mean of its tokens' vectors.
///
/// The vectors are not normalised. A model may be used from many threads at once; each running call has its own
/// memory of words (2 MiB), of which a few are kept for the next calls.
#[derive(Debug)]
pub struct StaticModel {
    tokenizer: Tokenizer,
    table: Table,
    hash: [u8; 32],
    known: Option<&'static KnownModel>,
    idle: Mutex<Vec<Work>>,
}

/// What one running call needs.
#[derive(Debug)]
struct Work {
    workspace: Workspace,
    ids: Vec<u16>,
}

/// How many idle [`Work`]s are kept.
const IDLE_LIMIT: usize = 8;
/// How many texts may pass between two looks at the call's limits.
const CHECK_TEXTS: usize = 256;
/// How much text may pass between two looks at the call's limits, in bytes.
const CHECK_BYTES: usize = 1 << 16;
/// How much room for ids is kept after a long text.
const KEPT_IDS: usize = 1 << 16;

impl StaticModel {
    /// Loads a model whose files are known to this release, from a `tokenizer.json` and a safetensors file.
    ///
    /// # Errors
    ///
    /// `NotFound` if a file is missing, `Io` or `PermissionDenied` if it cannot be read, `Conflict` if the files are
    /// none of [`KNOWN`](crate::KNOWN).
    pub fn load(tokenizer_json: &Path, weights: &Path) -> Result<Self> {
        let files = Files::read(tokenizer_json, weights)?;
        let known = registry::find(&files.hash).ok_or_else(|| {
            Error::conflict(format!("{} and {} are no model known here", tokenizer_json.display(), weights.display()))
                .with_hint("install the release of the model's package that the documentation names")
        })?;
        Self::build(files, Some(known))
    }

    /// As [`Self::load`], for files that are not known to this release.
    ///
    /// # Errors
    ///
    /// As [`Self::load`]; `Corrupt` if a file is malformed, `Unsupported` if the model is of a kind that this crate
    /// would run wrongly.
    pub fn load_any(tokenizer_json: &Path, weights: &Path) -> Result<Self> {
        let files = Files::read(tokenizer_json, weights)?;
        let known = registry::find(&files.hash);
        Self::build(files, known)
    }

    fn build(files: Files, known: Option<&'static KnownModel>) -> Result<Self> {
        let Files { tokenizer, weights, hash } = files;
        let table = Table::parse(weights)?;
        // The hash of known files vouches for their values.
        if known.is_none() && !table.is_finite() {
            return Err(Error::corrupt("the weight file holds a value that is not finite"));
        }
        let tokenizer = TokenizerFile::parse(&tokenizer)?;
        if tokenizer.vocabulary_len != table.row_count() {
            return Err(Error::corrupt(format!(
                "the tokeniser has {} tokens, but the weight file {} rows",
                tokenizer.vocabulary_len,
                table.row_count()
            )));
        }
        Ok(Self { tokenizer: Tokenizer::new(tokenizer), table, hash, known, idle: Mutex::default() })
    }

    /// The model's name and revision, if its files are known to this release.
    pub fn known(&self) -> Option<&'static KnownModel> {
        self.known
    }

    /// The model's name; `"unlisted"` for files that are not known to this release.
    pub fn name(&self) -> &'static str {
        self.known.map_or("unlisted", |known| known.name)
    }

    /// The release of the model; empty for files that are not known to this release.
    pub fn revision(&self) -> &'static str {
        self.known.map_or("", |known| known.revision)
    }

    /// How many values a vector has.
    pub fn dimension(&self) -> usize {
        self.table.dimension()
    }

    /// BLAKE3 over the weight file followed by the tokeniser file.
    pub fn weights_hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Writes the vectors of `texts` to `out`, `texts.len()` rows of [`Self::dimension`] values.
    ///
    /// A row depends on its text alone. An empty text has a row of zeros, which has no direction: whether that is
    /// an error is for the caller to say.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if `out` is of another length; `Timeout` or `Cancelled` by the limits of the call, after which
    /// `out` is partly written.
    pub fn embed(&self, texts: &[&str], out: &mut [f32], call: &Call) -> Result<()> {
        let dimension = self.dimension();
        if texts.len().checked_mul(dimension) != Some(out.len()) {
            return Err(Error::invalid(format!(
                "{} texts need room for {dimension} values each, but there is room for {}",
                texts.len(),
                out.len()
            )));
        }
        let mut pace = Pace::new(call)?;
        let mut work = self.take_work();
        for (text, row) in texts.iter().zip(out.chunks_exact_mut(dimension)) {
            work.ids.clear();
            self.tokenizer.encode(text, &mut work.workspace, &mut work.ids);
            self.table.mean(&work.ids, row);
            pace.step(text.len())?;
        }
        self.give_back(work);
        Ok(())
    }

    /// The ids of a text's tokens, in order.
    pub fn token_ids(&self, text: &str) -> Vec<u32> {
        self.with_ids(text, |ids| ids.iter().copied().map(u32::from).collect())
    }

    /// How many tokens a text has.
    pub fn token_count(&self, text: &str) -> usize {
        self.with_ids(text, <[u16]>::len)
    }

    fn with_ids<T>(&self, text: &str, read: impl FnOnce(&[u16]) -> T) -> T {
        let mut work = self.take_work();
        work.ids.clear();
        self.tokenizer.encode(text, &mut work.workspace, &mut work.ids);
        let answer = read(&work.ids);
        self.give_back(work);
        answer
    }

    fn take_work(&self) -> Work {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| Work { workspace: Workspace::new(), ids: Vec::new() })
    }

    fn give_back(&self, mut work: Work) {
        work.ids.truncate(KEPT_IDS);
        work.ids.shrink_to(KEPT_IDS);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_LIMIT {
            idle.push(work);
        }
    }
}

/// Looks at the limits of a call now and then.
struct Pace<'a> {
    call: &'a Call,
    texts: usize,
    bytes: usize,
    asked: Instant,
}

impl<'a> Pace<'a> {
    fn new(call: &'a Call) -> Result<Self> {
        call.check()?;
        Ok(Self { call, texts: 0, bytes: 0, asked: Instant::now() })
    }

    fn step(&mut self, text_bytes: usize) -> Result<()> {
        self.texts += 1;
        self.bytes += text_bytes;
        if self.texts < CHECK_TEXTS && self.bytes < CHECK_BYTES {
            return Ok(());
        }
        (self.texts, self.bytes) = (0, 0);
        if self.asked.elapsed() < Call::INTERRUPT_INTERVAL {
            return self.call.check();
        }
        self.asked = Instant::now();
        self.call.check_interrupt()
    }
}

/// The two files of a model, as read.
struct Files {
    tokenizer: Vec<u8>,
    weights: Vec<u8>,
    hash: [u8; 32],
}

impl Files {
    fn read(tokenizer_json: &Path, weights: &Path) -> Result<Self> {
        let (tokenizer, weights) = (read_file(tokenizer_json)?, read_file(weights)?);
        let hash = *blake3::Hasher::new().update(&weights).update(&tokenizer).finalize().as_bytes();
        Ok(Self { tokenizer, weights, hash })
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| {
        let message = format!("the model file {} cannot be read", path.display());
        let failure = match error.kind() {
            ErrorKind::NotFound => Error::not_found(format!("there is no model file {}", path.display()))
                .with_hint("install the package that ships the model, or give the path to its files"),
            ErrorKind::PermissionDenied => Error::permission_denied(message),
            _ => Error::io(message),
        };
        failure.with_source(error)
    })
}
