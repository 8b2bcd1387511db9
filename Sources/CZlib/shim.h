// zlib, used for gzip. No logic.
#pragma once
#include <zlib.h>
