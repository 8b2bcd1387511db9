// nghttp2, used for HTTP/2 framing and HPACK. No logic.
#pragma once
#include <nghttp2/nghttp2.h>
