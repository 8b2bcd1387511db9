import COpenSSL
import TLSRecords

/// The TLS state of one connection, of a server or a client. The `TLSEngine` of one worker makes it and runs it; it
/// must not move to another worker. It has the size of one pointer and frees what it owns: an SSL, or the record layer of a connection
/// that has left it.
package struct TLSSession: ~Copyable {
    /// The address of the SSL, or of the record layer, with the flags in its low four bits, which are zero in every address from
    /// malloc, and in its highest, which is that of the kernel's addresses only, the word which of the two it is.
    private var word: UInt

    private static var isRecords: UInt { 1 << 63 }

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

    deinit {
        if let records { RecordConnection.destroy(records) } else { SSL_free(ssl) }
    }

    /// The SSL; nil if the connection has left it.
    var ssl: OpaquePointer? { word & Self.isRecords == 0 ? OpaquePointer(bitPattern: word & ~15) : nil }

    /// The record layer of a connection that has left OpenSSL; nil before that.
    var records: UnsafeMutablePointer<RecordConnection>? {
        guard word & Self.isRecords != 0 else { return nil }
        return UnsafeMutablePointer(bitPattern: word & ~(15 | Self.isRecords))
    }

    /// Leaves OpenSSL: from here on the connection has this record layer, which the session owns. The SSL is freed.
    mutating func handOver(to records: UnsafeMutablePointer<RecordConnection>) {
        let address = UInt(bitPattern: records)
        precondition(address & 15 == 0 && address & Self.isRecords == 0, "malloc aligns to 16")
        // Else OpenSSL takes the TLS session for one that broke.
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        SSL_free(ssl)
        word = address | Self.isRecords | (word & 15)
    }

    func has(_ flag: Flag) -> Bool { word & flag.bit != 0 }

    mutating func set(_ flag: Flag) { word |= flag.bit }

    /// Whether the handshake is complete and the session has not failed since.
    package var isEstablished: Bool { word & 3 == Flag.established.bit }

    /// The protocol negotiated with ALPN (RFC 7301). Final once the session is established.
    package var applicationProtocol: ApplicationProtocol {
        if let records { return ApplicationProtocol(number: records.pointee.facts.applicationProtocol) }
        var name: UnsafePointer<UInt8>?
        var count: CUnsignedInt = 0
        SSL_get0_alpn_selected(ssl, &name, &count)
        return ApplicationProtocol(UnsafeBufferPointer(start: name, count: Int(count)))
    }

    /// Whether the session was made with that context.
    package func isMade(with context: TLSClientContext) -> Bool {
        ssl.map { SSL_get_SSL_CTX($0) == context.pointer } ?? false
    }

    /// Whether the session was resumed with a ticket (RFC 8446 section 2.2), without a full handshake.
    package var wasResumed: Bool { records?.pointee.facts.wasResumed ?? (SSL_session_reused(ssl) == 1) }

    /// The negotiated version, as in "TLSv1.3".
    package var version: String { records == nil ? String(cString: SSL_get_version(ssl)) : "TLSv1.3" }

    /// The negotiated cipher suite, as in "TLS_AES_256_GCM_SHA384"; "(NONE)" before there is one.
    package var cipher: String {
        records?.pointee.facts.suite.name ?? String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)))
    }

    /// The subject of the peer's certificate, as in "CN = mcp.example.org"; nil if the peer sent none.
    package var peerSubject: String? {
        guard let ssl, let certificate = SSL_get0_peer_certificate(ssl) else { return nil }
        return CertificateFacts.subject(of: certificate)
    }

    /// Why the peer's certificate was rejected; nil if it was accepted, or none was requested.
    package var verificationProblem: String? {
        guard let ssl else { return nil }
        let code = SSL_get_verify_result(ssl)
        return code == CLong(X509_V_OK) ? nil : String(cString: X509_verify_cert_error_string(code))
    }

    /// The newest ticket a server sent, for `TLSEngine.connect`; nil if there is none. Clients only.
    package var ticket: TLSTicket? {
        guard let ssl, let current = SSL_get_session(ssl), SSL_SESSION_is_resumable(current) == 1 else { return nil }
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

    /// The one with this number.
    init(number: UInt8) {
        switch number {
        case 1: self = .http1
        case 2: self = .http2
        case 3: self = .other
        default: self = .none
        }
    }

    var number: UInt8 {
        switch self {
        case .none: 0
        case .http1: 1
        case .http2: 2
        case .other: 3
        }
    }

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
