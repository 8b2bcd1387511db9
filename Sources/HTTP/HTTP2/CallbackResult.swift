import CNghttp2

/// The result of a callback, as nghttp2 defines it.
enum CallbackResult {
    static var proceed: CInt { 0 }
    /// The call into nghttp2 fails, and the connection ends.
    static var stop: CInt { NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
    /// The frame is kept and offered again in the next call.
    static var wouldBlock: CInt { NGHTTP2_ERR_WOULDBLOCK.rawValue }
    /// nghttp2 resets the stream with INTERNAL_ERROR, unless a reset was submitted.
    static var resetStream: CInt { NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue }
}
