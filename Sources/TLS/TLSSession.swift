import COpenSSL

/// One peer's TLS state, server or client: made, fed and emptied by the `TLSEngine` of one worker, which it must not
/// leave. One pointer wide; it frees what it owns.
package struct TLSSession: ~Copyable {
    /// The SSL's address. Its low bits, zero in any address malloc gives, hold the marks.
    private var word: UInt

    /// What has happened to the session for good.
    struct Mark {
        fileprivate let bit: UInt
        /// The handshake is complete.
        static let established = Mark(bit: 1)
        /// A fatal error or alert; the SSL must not be called again.
        static let failed = Mark(bit: 2)
        /// We sent close_notify: nothing may be sent after it.
        static let finished = Mark(bit: 4)
        /// The peer sent close_notify: nothing will be received after it.
        static let closed = Mark(bit: 8)
    }

    init(_ ssl: OpaquePointer) {
        word = UInt(bitPattern: ssl)
        precondition(word & 15 == 0, "malloc aligns to 16")
    }

    deinit { SSL_free(ssl) }

    var ssl: OpaquePointer? { OpaquePointer(bitPattern: word & ~15) }

    func has(_ mark: Mark) -> Bool { word & mark.bit != 0 }

    mutating func add(_ mark: Mark) { word |= mark.bit }

    /// The handshake is complete and nothing has failed since.
    package var isEstablished: Bool { word & 3 == Mark.established.bit }

    /// What ALPN (RFC 7301) came to. Settled once the session is established.
    package var applicationProtocol: ApplicationProtocol {
        var name: UnsafePointer<UInt8>?
        var count: CUnsignedInt = 0
        SSL_get0_alpn_selected(ssl, &name, &count)
        return ApplicationProtocol(UnsafeBufferPointer(start: name, count: Int(count)))
    }

    /// Whether the session is one of that client's.
    package func isMade(with context: TLSClientContext) -> Bool { SSL_get_SSL_CTX(ssl) == context.pointer }

    /// True if a ticket spared this session the full handshake.
    package var wasResumed: Bool { SSL_session_reused(ssl) == 1 }

    /// The version negotiated, as in "TLSv1.3".
    package var version: String { String(cString: SSL_get_version(ssl)) }

    /// The cipher suite negotiated, as in "TLS_AES_256_GCM_SHA384"; "(NONE)" before there is one.
    package var cipher: String { String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl))) }

    /// The subject of the peer's certificate, as in "CN = mcp.example.org"; nil if it showed none.
    package var peerSubject: String? {
        guard let certificate = SSL_get0_peer_certificate(ssl) else { return nil }
        return CertificateFacts.subject(of: certificate)
    }

    /// Why the peer's certificate was not accepted; nil if it was, or none was asked for.
    package var verificationProblem: String? {
        let code = SSL_get_verify_result(ssl)
        return code == CLong(X509_V_OK) ? nil : String(cString: X509_verify_cert_error_string(code))
    }

    /// The newest ticket a server sent, for `TLSEngine.connect`; nil if there is none. Clients only.
    package var ticket: TLSTicket? {
        guard let current = SSL_get_session(ssl), SSL_SESSION_is_resumable(current) == 1 else { return nil }
        // A copy: OpenSSL calls a session worthless once its connection is gone without a good-bye.
        guard let session = SSL_SESSION_dup(current) else { return nil }
        return TLSTicket(session)
    }
}

/// What a connection speaks above TLS.
package enum ApplicationProtocol: Equatable, Sendable {
    /// ALPN was not offered or had nothing in common.
    case none
    case http1
    case http2
    /// Another name of the list the context was made with.
    case other

    init(_ name: UnsafeBufferPointer<UInt8>) {
        if name.isEmpty {
            self = .none
        } else if name.elementsEqual("http/1.1".utf8) {
            self = .http1
        } else if name.elementsEqual("h2".utf8) {
            self = .http2
        } else {
            self = .other
        }
    }
}

/// What a client needs to resume a session with a server. `@unchecked Sendable`: an SSL_SESSION counts its
/// references atomically and is not changed once it has a ticket.
package final class TLSTicket: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ session: OpaquePointer) { pointer = session }

    deinit { SSL_SESSION_free(pointer) }
}
