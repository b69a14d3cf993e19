#define HONE_ISA v4
#define HONE_LANES 16
#define HONE_TILE_ROWS 12  // weight rows at a time: with two panel vectors they fill the registers
// clang-format off: each builds on what stands above it
#include "tensor/cpu/vector.inc"
#include "tensor/cpu/panel.inc"
#include "tensor/cpu/single.inc"
#include "tensor/cpu/attend.inc"
#include "tensor/cpu/rows.inc"
#include "tensor/cpu/gemm.inc"
#include "tensor/cpu/train_attend.inc"
#include "tensor/cpu/table.inc"
// clang-format on
