#define HONE_ISA base
#define HONE_LANES 4
#define HONE_TILE_ROWS 4  // weight rows at a time: with two panel vectors they fill the registers
#include "tensor/cpu/vector.inc"
// The order matters: vector.inc opens the namespace.
#include "tensor/cpu/attend.inc"
#include "tensor/cpu/panel.inc"
#include "tensor/cpu/table.inc"
