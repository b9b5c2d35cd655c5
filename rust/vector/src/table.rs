//! The table of normalised vectors.

use recollect_model::{Error, Result};

use crate::block::{Block, Layout};
use crate::kernels::{Kernel, Lane, floats_mut};
use crate::normalise::{check_dimension, normalise};

/// Normalised vectors of one dimension in memory, each with an id of its own and with an owner.
///
/// Rows are only ever added, with ascending ids; a row can be marked as removed, and the mark taken back. A clone costs
/// one reference count for each block of about 256 KiB and is a value of its own: what is done to the one is not seen
/// by the other.
#[derive(Debug, Clone)]
pub struct Table {
    layout: Layout,
    kernel: Kernel,
    blocks: Vec<Block>,
    len: usize,
    live: usize,
}

impl Table {
    /// An empty table for vectors of `dimension` components, searched with the best kernel.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the dimension is outside [`MIN_DIMENSION`](crate::MIN_DIMENSION) to
    /// [`MAX_DIMENSION`](crate::MAX_DIMENSION).
    pub fn new(dimension: usize) -> Result<Self> {
        Self::with_kernel(dimension, Kernel::best())
    }

    /// An empty table that is searched with the given kernel.
    ///
    /// # Errors
    ///
    /// As [`Self::new`].
    pub fn with_kernel(dimension: usize, kernel: Kernel) -> Result<Self> {
        check_dimension(dimension)?;
        Ok(Self { layout: Layout::new(dimension), kernel, blocks: Vec::new(), len: 0, live: 0 })
    }

    /// Normalises a vector and adds it.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a vector of another dimension, with a component that is not finite, or of zeros; `Internal`
    /// for an id that is not above all earlier ones. The table is then as it was.
    pub fn push(&mut self, id: u32, owner: u32, vector: &[f32]) -> Result<()> {
        if let Some(last) = self.blocks.last().and_then(Block::last_id)
            && id <= last
        {
            return Err(Error::internal(format!("row {id} was added to a table that holds row {last}")));
        }
        let mut lanes = vec![Lane::ZERO; self.layout.lanes];
        let (row, _padding) = floats_mut(&mut lanes).split_at_mut(self.layout.dimension);
        normalise(vector, row)?;
        if self.blocks.last().is_none_or(Block::is_full) {
            self.blocks.push(Block::empty(self.layout));
        }
        if let Some(block) = self.blocks.last_mut() {
            block.push(id, owner, &lanes);
        }
        self.len += 1;
        self.live += 1;
        Ok(())
    }

    /// Marks the row of that id as removed; returns whether it was there and live. Its memory stays in use.
    pub fn remove(&mut self, id: u32) -> bool {
        let was_live = self.set_live(id, false);
        self.live -= usize::from(was_live);
        was_live
    }

    /// Takes back [`Self::remove`]; returns whether the row is there and was removed.
    pub fn restore(&mut self, id: u32) -> bool {
        let was_removed = self.set_live(id, true);
        self.live += usize::from(was_removed);
        was_removed
    }

    fn set_live(&mut self, id: u32, is_live: bool) -> bool {
        let index = self.block_of(id);
        let Some(block) = self.blocks.get_mut(index) else { return false };
        block.find(id).is_some_and(|row| block.set_live(row, is_live))
    }

    /// The normalised vector of a live row.
    pub fn get(&self, id: u32) -> Option<&[f32]> {
        let (block, index) = self.find_live(id)?;
        block.row(index)?.get(..self.layout.dimension)
    }

    /// The owner of a live row.
    pub fn owner(&self, id: u32) -> Option<u32> {
        let (block, index) = self.find_live(id)?;
        block.owner(index)
    }

    fn find_live(&self, id: u32) -> Option<(&Block, usize)> {
        let block = self.blocks.get(self.block_of(id))?;
        let index = block.find(id)?;
        block.is_live(index).then_some((block, index))
    }

    /// The only block that can hold the id.
    fn block_of(&self, id: u32) -> usize {
        self.blocks.partition_point(|block| block.last_id().is_some_and(|last| last < id))
    }

    /// The id of the row that was added last.
    pub fn last_id(&self) -> Option<u32> {
        self.blocks.last().and_then(Block::last_id)
    }

    /// Components of a vector.
    pub const fn dimension(&self) -> usize {
        self.layout.dimension
    }

    /// The kernel that searches.
    pub const fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Rows, the removed ones included.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no row was ever added.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Rows that are not removed.
    pub const fn live(&self) -> usize {
        self.live
    }

    /// The memory of the table in bytes. Blocks that clones share are counted in each.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.blocks.iter().map(Block::bytes).sum::<usize>()
    }

    /// The sum of all components, removed rows included. It reads the memory of every vector once, as fast as the
    /// kernel can: what a search is to be measured against.
    pub fn sum(&self) -> f32 {
        self.blocks.iter().map(|block| self.kernel.sum(block.floats())).sum()
    }

    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    pub(crate) const fn lanes_of_row(&self) -> usize {
        self.layout.lanes
    }
}
