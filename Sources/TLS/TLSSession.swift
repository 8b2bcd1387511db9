import COpenSSL

/// The TLS state of one connection, of a server or a client. The `TLSEngine` of one worker makes it and runs it; it
/// must not move to another worker. It has the size of one pointer and frees the SSL it owns.
package struct TLSSession: ~Copyable {
    /// The SSL's address, with the flags in its low four bits, which are zero in every address from malloc.
    private var word: UInt

    /// A state that a session does not leave again.
    struct Flag {
        fileprivate let bit: UInt
        /// The handshake is complete.
        static let established = Flag(bit: 1)
        /// A fatal error or alert has happened; the SSL must not be used again.
        static let failed = Flag(bit: 2)
        /// close_notify was sent: no data may be sent after it.
        static let sentCloseNotify = Flag(bit: 4)
        /// The peer sent close_notify: no data is received after it.
        static let receivedCloseNotify = Flag(bit: 8)
    }

    init(_ ssl: OpaquePointer) {
        word = UInt(bitPattern: ssl)
        precondition(word & 15 == 0, "malloc aligns to 16")
    }

    deinit { SSL_free(ssl) }

    var ssl: OpaquePointer? { OpaquePointer(bitPattern: word & ~15) }

    func has(_ flag: Flag) -> Bool { word & flag.bit != 0 }

    mutating func set(_ flag: Flag) { word |= flag.bit }

    /// Whether the handshake is complete and the session has not failed since.
    package var isEstablished: Bool { word & 3 == Flag.established.bit }

    /// The protocol negotiated with ALPN (RFC 7301). Final once the session is established.
    package var applicationProtocol: ApplicationProtocol {
        var name: UnsafePointer<UInt8>?
        var count: CUnsignedInt = 0
        SSL_get0_alpn_selected(ssl, &name, &count)
        return ApplicationProtocol(UnsafeBufferPointer(start: name, count: Int(count)))
    }

    /// Whether the session was made with that context.
    package func isMade(with context: TLSClientContext) -> Bool { SSL_get_SSL_CTX(ssl) == context.pointer }

    /// Whether the session was resumed with a ticket (RFC 8446 section 2.2), without a full handshake.
    package var wasResumed: Bool { SSL_session_reused(ssl) == 1 }

    /// The negotiated version, as in "TLSv1.3".
    package var version: String { String(cString: SSL_get_version(ssl)) }

    /// The negotiated cipher suite, as in "TLS_AES_256_GCM_SHA384"; "(NONE)" before there is one.
    package var cipher: String { String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl))) }

    /// The subject of the peer's certificate, as in "CN = mcp.example.org"; nil if the peer sent none.
    package var peerSubject: String? {
        guard let certificate = SSL_get0_peer_certificate(ssl) else { return nil }
        return CertificateFacts.subject(of: certificate)
    }

    /// Why the peer's certificate was rejected; nil if it was accepted, or none was requested.
    package var verificationProblem: String? {
        let code = SSL_get_verify_result(ssl)
        return code == CLong(X509_V_OK) ? nil : String(cString: X509_verify_cert_error_string(code))
    }

    /// The newest ticket a server sent, for `TLSEngine.connect`; nil if there is none. Clients only.
    package var ticket: TLSTicket? {
        guard let current = SSL_get_session(ssl), SSL_SESSION_is_resumable(current) == 1 else { return nil }
        // A copy, because OpenSSL marks a session as not resumable if its connection ends without close_notify.
        guard let session = SSL_SESSION_dup(current) else { return nil }
        return TLSTicket(session)
    }
}

/// The application protocol of a TLS connection, negotiated with ALPN (RFC 7301).
package enum ApplicationProtocol: Equatable, Sendable {
    /// ALPN was not offered, or no offered name was supported.
    case none
    /// "http/1.1" (RFC 7301 section 6).
    case http1
    /// "h2" (RFC 9113 section 3.1).
    case http2
    /// Another name of the context's list.
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

/// The state with which a client resumes a session with a server. Owns its SSL_SESSION.
///
/// `@unchecked Sendable`: an SSL_SESSION counts its references atomically and is not changed once it has a ticket.
package final class TLSTicket: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ session: OpaquePointer) { pointer = session }

    deinit { SSL_SESSION_free(pointer) }
}
