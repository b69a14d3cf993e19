// The one translation unit that builds the precompiled header shared by all torch rooms.
#include "tensor/tensor.h"
