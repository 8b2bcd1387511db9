// ISA-L, used for gzip: a macro as a function. No logic.
#pragma once
#include <isa-l/igzip_lib.h>

static inline uint32_t isal_buffer_size_of_level_1(void) { return ISAL_DEF_LVL1_DEFAULT; }
