import COpenSSL
import Reactor
import TLSRecords

/// What a handshake has settled, if the connection can leave OpenSSL after it: TLS 1.3 with a suite of `TLSRecords`, no certificate of
/// the client's, and nothing of what follows read yet.
struct HandshakeFacts {
    let facts: RecordConnection.Facts

    init?(_ ssl: OpaquePointer) {
        guard SSL_version(ssl) == TLS1_3_VERSION, SSL_is_server(ssl) == 1, SSL_has_pending(ssl) == 0,
            SSL_get0_peer_certificate(ssl) == nil, let cipher = SSL_get_current_cipher(ssl),
            let suite = RecordSuite(number: SSL_CIPHER_get_protocol_id(cipher))
        else { return nil }
        var name: UnsafePointer<UInt8>?
        var count: CUnsignedInt = 0
        SSL_get0_alpn_selected(ssl, &name, &count)
        let chosen = ApplicationProtocol(UnsafeBufferPointer(start: name, count: Int(count)))
        facts = RecordConnection.Facts(
            suite: suite, applicationProtocol: chosen.number, wasResumed: SSL_session_reused(ssl) == 1)
    }

    /// How many encrypted records there are in `buffer` from `start` on; nil if something else is.
    static func records(in buffer: borrowing ByteBuffer, from start: Int) -> UInt64? {
        let bytes = buffer.span
        var offset = start
        var count: UInt64 = 0
        while offset < bytes.count {
            guard bytes.count - offset >= 5, bytes[offset] == 23 else { return nil }
            offset += 5 + (Int(bytes[offset + 3]) << 8 | Int(bytes[offset + 4]))
            count += 1
        }
        return offset == bytes.count ? count : nil
    }
}
