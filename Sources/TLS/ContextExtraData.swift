import COpenSSL

/// What an SSL_CTX's callbacks need. It lives in the SSL_CTX's extra data, not in the object that made it: sessions
/// still in their handshake keep the SSL_CTX alive after a reload has dropped its `TLSContext`.
final class ContextExtraData {
    var names: ServerNames?
    var tickets: TicketKeys?
    var staples = OCSPStaples()

    /// What was given to `context`, if anything.
    static func of(_ context: OpaquePointer?) -> ContextExtraData? {
        guard let context, let kept = SSL_CTX_get_ex_data(context, slot) else { return nil }
        return Unmanaged<ContextExtraData>.fromOpaque(kept).takeUnretainedValue()
    }

    /// Gives a new one to `context`, which keeps it as long as it lives.
    static func make(for context: OpaquePointer) throws(TLSError) -> ContextExtraData {
        let extraData = ContextExtraData()
        let kept = Unmanaged.passRetained(extraData)
        guard slot >= 0, SSL_CTX_set_ex_data(context, slot, kept.toOpaque()) == 1 else {
            kept.release()
            throw .last("keeping what a TLS context needs")
        }
        return extraData
    }

    private static let slot: CInt = berth_SSL_CTX_get_ex_new_index { _, kept, _, _, _, _ in
        if let kept { Unmanaged<ContextExtraData>.fromOpaque(kept).release() }
    }
}
