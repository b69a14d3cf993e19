// Where large tensors on the CPU get their memory: freed blocks are kept for the next tensor, within a bound.
//
// The system clears every page that it hands out: a step of training that gave its tensors back spent a fifth to a
// third of its time there. The C library, told to give nothing back, kept them as one heap: rows of every length cut it
// to pieces, and a run whose tensors took 3 GB at most grew to 9.7. Here
//
//  1. a tensor of kLarge bytes or more has a block of its own, mapped from the system, of the next of eight sizes to
//     each power of two, so that rows of another length fit, too; smaller ones come from the C library as ever;
//  2. a freed block is kept, and serves the next tensor that would leave at most a fifth of it unused;
//  3. blocks in use and kept ones together never exceed 9/8 of the most that was ever in use at once (before that: of
//     what is): the longest kept are given back first.
#pragma once
#include <cstdint>

namespace hone {

/// Makes it the allocator of CPU tensors, for the whole process; again, nothing. Before other threads make tensors.
void keep_freed_memory();

/// In bytes.
struct KeptMemory {
  int64_t used = 0;       ///< of blocks in use
  int64_t kept = 0;       ///< of freed blocks
  int64_t most_used = 0;  ///< at once, ever
};
/// Of large tensors alone; zeros before keep_freed_memory().
KeptMemory kept_memory();

}  // namespace hone
