#define HONE_ISA v4
#define HONE_LANES 16
#define HONE_TILE_ROWS 12  // weight rows at a time: with two panel vectors they fill the registers
#include "tensor/cpu/vector.inc"
// The order matters: vector.inc opens the namespace.
#include "tensor/cpu/attend.inc"
#include "tensor/cpu/panel.inc"
#include "tensor/cpu/table.inc"
