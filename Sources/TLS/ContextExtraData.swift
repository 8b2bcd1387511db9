import COpenSSL

/// The objects that an SSL_CTX's callbacks use. They are stored in the SSL_CTX's extra data rather than in its
/// `TLSContext`, because sessions still in their handshake keep the SSL_CTX alive after a reload has dropped the
/// `TLSContext`.
final class ContextExtraData {
    var names: ServerNames?
    var tickets: TicketKeys?
    var staples = OCSPStaples()

    /// The extra data of `context`, if `make(for:)` was called for it.
    static func of(_ context: OpaquePointer?) -> ContextExtraData? {
        guard let context, let kept = SSL_CTX_get_ex_data(context, index) else { return nil }
        return Unmanaged<ContextExtraData>.fromOpaque(kept).takeUnretainedValue()
    }

    /// Attaches new extra data to `context`, which owns it and frees it.
    static func make(for context: OpaquePointer) throws(TLSError) -> ContextExtraData {
        let extraData = ContextExtraData()
        let kept = Unmanaged.passRetained(extraData)
        guard index >= 0, SSL_CTX_set_ex_data(context, index, kept.toOpaque()) == 1 else {
            kept.release()
            throw .last("storing a TLS context's extra data")
        }
        return extraData
    }

    private static let index: CInt = berth_SSL_CTX_get_ex_new_index { _, kept, _, _, _, _ in
        if let kept { Unmanaged<ContextExtraData>.fromOpaque(kept).release() }
    }
}
