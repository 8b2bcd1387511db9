import COpenSSL
package import Reactor

/// How far a session has come, as `TLSEngine.receive` leaves it.
package enum TLSProgress: Equatable, Sendable {
    /// More of the peer's handshake is wanted.
    case handshaking
    /// Data may flow both ways.
    case established
    /// The peer sent close_notify (RFC 8446 section 6.1). What came before it has been delivered; sending may go on.
    case closed
    /// A fatal error or alert. Send what is in the wire buffer, then close.
    case failed
}

/// One worker's TLS machinery: the BIO all its sessions share, through which OpenSSL sees the bytes of the current
/// call. No call keeps a pointer to its arguments.
package struct TLSEngine: ~Copyable {
    private let bio: OpaquePointer
    private let memoryBIO: UnsafeMutablePointer<MemoryBIO>
    private var failureCode: UInt = 0

    package init() throws(TLSError) {
        guard let bio = BIO_new(MemoryBIO.method) else { throw .last("making the TLS transport") }
        let memoryBIO = UnsafeMutablePointer<MemoryBIO>.allocate(capacity: 1)
        memoryBIO.initialize(to: MemoryBIO())
        BIO_set_data(bio, memoryBIO)
        BIO_set_init(bio, 1)
        self.memoryBIO = memoryBIO
        self.bio = bio
    }

    // Sessions hold references of their own: the BIO, and the transit with it, goes with the last of them.
    deinit { BIO_free(bio) }

    /// Why the last session that failed did so. Texts are made here, when asked for: a flood of bad handshakes costs
    /// no strings.
    package var lastFailure: TLSError {
        TLSError(action: "speaking TLS", reason: TLSError.reason(failureCode))
    }

    /// True if the last session failed because its peer spoke HTTP in clear.
    package var lastFailureWasPlainHTTP: Bool {
        ERR_GET_LIB(failureCode) == ERR_LIB_SSL && ERR_GET_REASON(failureCode) == SSL_R_HTTP_REQUEST
    }

    /// Makes the server's side of a session. It says nothing until the peer has been heard.
    package mutating func accept(_ context: TLSContext) throws(TLSError) -> TLSSession {
        let session = try makeSession(context.pointer)
        SSL_set_accept_state(session.ssl)
        return session
    }

    /// Makes the client's side of a session with `serverName`, a DNS name or an IP address. A first `receive` of no
    /// bytes puts the ClientHello on the wire.
    package mutating func connect(
        _ context: TLSClientContext, serverName: String, resuming ticket: TLSTicket? = nil
    ) throws(TLSError) -> TLSSession {
        let session = try makeSession(context.pointer)
        let action: StaticString = "preparing a TLS connection"
        let parameters = SSL_get0_param(session.ssl)
        let isAddress = X509_VERIFY_PARAM_set1_ip_asc(parameters, serverName) == 1
        ERR_clear_error()
        if !isAddress {
            // Server Name Indication is for DNS names only (RFC 6066 section 3).
            guard berth_SSL_set_tlsext_host_name(session.ssl, serverName) == 1 else { throw .last(action) }
            guard X509_VERIFY_PARAM_set1_host(parameters, serverName, serverName.utf8.count) == 1 else {
                throw .last(action)
            }
        }
        if let ticket {
            guard SSL_set_session(session.ssl, ticket.pointer) == 1 else { throw .last(action) }
        }
        SSL_set_connect_state(session.ssl)
        return session
    }

    private func makeSession(_ context: OpaquePointer) throws(TLSError) -> TLSSession {
        ERR_clear_error()
        guard let ssl = SSL_new(context) else { throw .last("making a TLS session") }
        BIO_up_ref(bio)
        SSL_set_bio(ssl, bio, bio)
        return TLSSession(ssl)
    }

    /// Feeds ciphertext received from the peer, all of it: decrypted bytes are appended to `plaintext`, bytes to send
    /// to the peer (handshake, tickets, alerts) to `outgoing`. No more plaintext comes of it than ciphertext went in, save
    /// the 16 KiB of a record whose end this was.
    ///
    /// An end of the connection that no `.closed` came before may be an attacker's cut (RFC 8446 section 6.1): that
    /// is for whoever reads the socket to notice.
    package mutating func receive(
        _ session: inout TLSSession, _ ciphertext: Span<UInt8>, plaintext: inout ByteBuffer, outgoing: inout ByteBuffer
    ) -> TLSProgress {
        if session.has(.failed) { return .failed }
        if session.has(.closed) { return .closed }
        let code = ciphertext.withUnsafeBytes { input in
            withUnsafeMutablePointer(to: &outgoing) { outgoing in
                memoryBIO.pointee = MemoryBIO(input: input.baseAddress, remaining: input.count, outgoing: outgoing)
                defer { memoryBIO.pointee = MemoryBIO() }
                return advance(&session, &plaintext)
            }
        }
        switch code {
        case SSL_ERROR_NONE, SSL_ERROR_WANT_READ:
            return session.has(.established) ? .established : .handshaking
        case SSL_ERROR_ZERO_RETURN:
            session.add(.closed)
            return .closed
        default:
            fail(&session)
            return .failed
        }
    }

    /// Encrypts all of `plaintext`; the records are appended to `outgoing`. False if the session cannot send: it is not
    /// established, has failed or was finished. It fails, too, in the middle of a post-handshake message that the peer
    /// has sent half of: none is known that splits those.
    package mutating func send(
        _ session: inout TLSSession, _ plaintext: Span<UInt8>, outgoing: inout ByteBuffer
    ) -> Bool {
        guard session.isEstablished, !session.has(.finished) else { return false }
        let count = plaintext.count
        guard count > 0 else { return true }
        outgoing.reserve(count + (count / Self.recordLimit + 1) * Self.recordOverhead)
        clearErrors()
        let ssl = session.ssl
        var written = 0
        let outcome = plaintext.withUnsafeBytes { bytes in
            withUnsafeMutablePointer(to: &outgoing) { outgoing in
                memoryBIO.pointee.outgoing = outgoing
                defer { memoryBIO.pointee.outgoing = nil }
                return SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &written)
            }
        }
        guard outcome == 1 else {
            fail(&session)
            return false
        }
        return true
    }

    /// Appends close_notify to `outgoing`, once; nothing if the session is not established. Receiving may go on.
    package mutating func finish(_ session: inout TLSSession, outgoing: inout ByteBuffer) {
        guard session.isEstablished, !session.has(.finished) else { return }
        session.add(.finished)
        clearErrors()
        let ssl = session.ssl
        withUnsafeMutablePointer(to: &outgoing) { outgoing in
            memoryBIO.pointee.outgoing = outgoing
            defer { memoryBIO.pointee.outgoing = nil }
            // 0 says that the peer's close_notify is still out: no error.
            if SSL_shutdown(ssl) < 0 { ERR_clear_error() }
        }
    }

    /// The most plaintext a record may hold (RFC 8446 section 5.1).
    private static let recordLimit = 16_384
    /// At least what a record adds: header 5, nonce 8 (TLS 1.2) or type 1 (TLS 1.3), tag 16.
    private static let recordOverhead = 32

    /// Lets OpenSSL work through the transit's input until it wants more. Returns its SSL_ERROR code.
    private mutating func advance(_ session: inout TLSSession, _ plaintext: inout ByteBuffer) -> CInt {
        let ssl = session.ssl
        clearErrors()
        if !session.has(.established) {
            let outcome = SSL_do_handshake(ssl)
            guard outcome == 1 else { return SSL_get_error(ssl, outcome) }
            session.add(.established)
        }
        // The end is seen without a last SSL_read, which would take a record buffer only to give it back: there is no
        // read-ahead, so OpenSSL holds either plaintext, which SSL_pending counts, or part of a record.
        while true {
            let wanted = max(memoryBIO.pointee.remaining, Int(SSL_pending(ssl)))
            if wanted == 0 { return SSL_ERROR_NONE }
            plaintext.reserve(wanted)
            var space = plaintext.space
            var count = 0
            let outcome = space.withUnsafeMutableBytes { SSL_read_ex(ssl, $0.baseAddress, $0.count, &count) }
            guard outcome == 1 else { return SSL_get_error(ssl, outcome) }
            plaintext.commit(count)
        }
    }

    private mutating func fail(_ session: inout TLSSession) {
        session.add(.failed)
        // The newest entry is the TLS library's own verdict; older ones come from the ciphers beneath it.
        failureCode = ERR_peek_last_error()
        ERR_clear_error()
    }

    /// The queue is the thread's and outlives sessions; SSL_get_error would blame a stale entry on this call. Looking
    /// first is cheaper than clearing sixteen empty places.
    private func clearErrors() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }
}
