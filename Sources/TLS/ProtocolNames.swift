import COpenSSL

/// ALPN names in their wire format (RFC 7301 section 3.1): each is preceded by its length in one byte.
struct ProtocolNames {
    let bytes: [UInt8]

    init(_ names: [String]) throws(TLSError) {
        var bytes: [UInt8] = []
        for name in names {
            guard (1...255).contains(name.utf8.count) else {
                throw TLSError(action: "naming application protocols", reason: "\"\(name)\" is not of 1 to 255 bytes")
            }
            bytes.append(UInt8(name.utf8.count))
            bytes.append(contentsOf: name.utf8)
        }
        self.bytes = bytes
    }

    /// Makes a server context select among these names, in the server's order of preference.
    ///
    /// The names are stored in the SSL_CTX's extra data rather than in its `TLSContext`, because sessions still in
    /// their handshake keep the SSL_CTX alive after a reload has dropped the `TLSContext`.
    func install(in context: OpaquePointer) throws(TLSError) {
        guard !bytes.isEmpty else { return }
        let list = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count + 2)
        list[0] = UInt8(truncatingIfNeeded: bytes.count >> 8)
        list[1] = UInt8(truncatingIfNeeded: bytes.count)
        for (index, byte) in bytes.enumerated() { list[index + 2] = byte }
        guard Self.index >= 0, SSL_CTX_set_ex_data(context, Self.index, list) == 1 else {
            list.deallocate()
            throw .last("storing the application protocols")
        }
        SSL_CTX_set_alpn_select_cb(
            context,
            { _, chosen, chosenCount, offered, offeredCount, list in
                guard let list = list?.assumingMemoryBound(to: UInt8.self) else { return SSL_TLSEXT_ERR_NOACK }
                let count = CUnsignedInt(list[0]) << 8 | CUnsignedInt(list[1])
                var match: UnsafeMutablePointer<UInt8>?
                let outcome = SSL_select_next_proto(&match, chosenCount, list + 2, count, offered, offeredCount)
                // RFC 7301 section 3.2: a fatal no_application_protocol.
                guard outcome == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                chosen?.pointee = UnsafePointer(match)
                return SSL_TLSEXT_ERR_OK
            }, list)
    }

    /// The index of the names in an SSL_CTX's extra data; they are freed with the SSL_CTX.
    private static let index: CInt = berth_SSL_CTX_get_ex_new_index { _, list, _, _, _, _ in
        list?.assumingMemoryBound(to: UInt8.self).deallocate()
    }
}
