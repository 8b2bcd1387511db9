import COpenSSL
package import Reactor
import TLSRecords

/// The state of a session after `TLSEngine.receive`.
package enum TLSProgress: Equatable, Sendable {
    /// The handshake needs more bytes from the peer.
    case handshaking
    /// The handshake is complete: application data may be sent and received.
    case established
    /// The peer sent close_notify (RFC 8446 section 6.1). All data before it has been delivered. Sending is still
    /// possible.
    case closed
    /// A fatal error or alert. The caller writes the bytes in `outgoing`, then closes the connection.
    case failed
}

/// Runs the TLS sessions of one worker. It owns the BIO that all of them share, through which OpenSSL reads and writes
/// the bytes of the current call. No call keeps a pointer to its arguments.
package struct TLSEngine: ~Copyable {
    private let bio: OpaquePointer
    private let memoryBIO: UnsafeMutablePointer<MemoryBIO>
    private var failureCode: UInt = 0
    /// Of connections that have left OpenSSL.
    private var layer = RecordLayer()
    /// Why the last failed session failed, if that was in `layer`.
    private var layerFailure: String?

    /// Makes the shared BIO. Throws if memory runs out.
    package init() throws(TLSError) {
        guard let bio = BIO_new(MemoryBIO.method) else { throw .last("making the TLS transport") }
        let memoryBIO = UnsafeMutablePointer<MemoryBIO>.allocate(capacity: 1)
        memoryBIO.initialize(to: MemoryBIO())
        BIO_set_data(bio, memoryBIO)
        BIO_set_init(bio, 1)
        self.memoryBIO = memoryBIO
        self.bio = bio
    }

    // Sessions have references to the BIO: OpenSSL frees it, and the `MemoryBIO` with it, after the last of them.
    deinit { BIO_free(bio) }

    /// Why the last failed session failed. The text is made at the call, so that a flood of bad handshakes makes no
    /// strings.
    package var lastFailure: TLSError {
        TLSError(action: "speaking TLS", reason: layerFailure ?? TLSError.reason(failureCode))
    }

    /// Whether the last failed session failed because its peer sent plaintext HTTP.
    package var lastFailureWasPlainHTTP: Bool {
        ERR_GET_LIB(failureCode) == ERR_LIB_SSL && ERR_GET_REASON(failureCode) == SSL_R_HTTP_REQUEST
    }

    /// Makes the server's side of a session, which sends nothing before the peer's ClientHello. Throws if memory runs
    /// out.
    package mutating func accept(_ context: TLSContext) throws(TLSError) -> TLSSession {
        let session = try makeSession(context.pointer)
        SSL_set_accept_state(session.ssl)
        if context.handsOver { SessionSecrets.attach(to: session.ssl) }
        return session
    }

    /// Makes the client's side of a session with `serverName`, a DNS name or an IP address. A first `receive` without
    /// bytes appends the ClientHello to `outgoing`. Throws if the name or the ticket cannot be used.
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

    /// Processes all of the ciphertext received from the peer. Decrypted bytes are appended to `plaintext`, bytes to
    /// send to the peer (handshake, tickets, alerts) to `outgoing`. The plaintext is at most as long as the ciphertext,
    /// plus 16 KiB if the ciphertext completes a record.
    ///
    /// A connection that ends without `.closed` may have been truncated by an attacker (RFC 8446 section 6.1). The
    /// caller, who reads the socket, must check that.
    package mutating func receive(
        _ session: inout TLSSession, _ ciphertext: Span<UInt8>, plaintext: inout ByteBuffer, outgoing: inout ByteBuffer
    ) -> TLSProgress {
        if session.has(.failed) { return .failed }
        if session.has(.receivedCloseNotify) { return .closed }
        if session.records != nil {
            return ciphertext.withUnsafeBytes { receiveRecords(&session, $0, &plaintext, &outgoing) }
        }
        let code = ciphertext.withUnsafeBytes { input in
            withUnsafeMutablePointer(to: &outgoing) { outgoing in
                memoryBIO.pointee = MemoryBIO(input: input.baseAddress, remaining: input.count, outgoing: outgoing)
                defer { memoryBIO.pointee = MemoryBIO() }
                return advance(&session, &plaintext)
            }
        }
        if session.records != nil { return progress(of: session) }
        switch code {
        case SSL_ERROR_NONE, SSL_ERROR_WANT_READ:
            return session.has(.established) ? .established : .handshaking
        case SSL_ERROR_ZERO_RETURN:
            session.set(.receivedCloseNotify)
            return .closed
        default:
            fail(&session)
            return .failed
        }
    }

    /// Encrypts all of `plaintext` and appends the records to `outgoing`. False if the session cannot send: it is not
    /// established, has failed, or has sent close_notify. It also fails while a post-handshake message of the peer is
    /// incomplete; no known peer splits those over records.
    package mutating func send(
        _ session: inout TLSSession, _ plaintext: Span<UInt8>, outgoing: inout ByteBuffer
    ) -> Bool {
        guard session.isEstablished, !session.has(.sentCloseNotify) else { return false }
        let count = plaintext.count
        guard count > 0 else { return true }
        if let records = session.records {
            let isSent = plaintext.withUnsafeBytes { layer.send(records, $0, outgoing: &outgoing) }
            if !isSent { failRecords(&session) }
            return isSent
        }
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

    /// Appends close_notify (RFC 8446 section 6.1) to `outgoing`, once; nothing if the session is not established.
    /// Receiving is still possible.
    package mutating func appendCloseNotify(_ session: inout TLSSession, outgoing: inout ByteBuffer) {
        guard session.isEstablished, !session.has(.sentCloseNotify) else { return }
        session.set(.sentCloseNotify)
        if let records = session.records {
            layer.appendCloseNotify(records, outgoing: &outgoing)
            return
        }
        clearErrors()
        let ssl = session.ssl
        withUnsafeMutablePointer(to: &outgoing) { outgoing in
            memoryBIO.pointee.outgoing = outgoing
            defer { memoryBIO.pointee.outgoing = nil }
            // 0 means that the peer's close_notify has not arrived yet, which is no error.
            if SSL_shutdown(ssl) < 0 { ERR_clear_error() }
        }
    }

    /// The most plaintext in one record, in bytes (RFC 8446 section 5.1).
    private static let recordLimit = 16_384
    /// An upper bound of the bytes that a record adds: header 5, nonce 8 (TLS 1.2) or type 1 (TLS 1.3), tag 16.
    private static let recordOverhead = 32

    /// Lets OpenSSL process the `MemoryBIO`'s input until it needs more. Returns OpenSSL's SSL_ERROR code.
    private mutating func advance(_ session: inout TLSSession, _ plaintext: inout ByteBuffer) -> CInt {
        let ssl = session.ssl
        clearErrors()
        if !session.has(.established) {
            let sent = memoryBIO.pointee.outgoing?.pointee.count ?? 0
            let outcome = HandshakeSecrets.capture(into: SessionSecrets.of(ssl)) { SSL_do_handshake(ssl) }
            guard outcome == 1 else { return SSL_get_error(ssl, outcome) }
            session.set(.established)
            if handOver(&session, sentFrom: sent) { return receiveRest(&session, &plaintext) }
        }
        // The loop ends without a last SSL_read, which would allocate a record buffer only to free it. Without
        // read-ahead OpenSSL has buffered either plaintext, which SSL_pending counts, or part of a record.
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
        session.set(.failed)
        // The newest entry is libssl's own reason; older entries come from libcrypto.
        failureCode = ERR_peek_last_error()
        layerFailure = nil
        ERR_clear_error()
    }

    /// Empties the thread's error queue, which outlives sessions: SSL_get_error would attribute a stale entry to the
    /// next call. Checking first is cheaper than clearing sixteen empty entries.
    private func clearErrors() {
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    // MARK: - Connections that have left OpenSSL

    /// Leaves OpenSSL, if the handshake was one after which that can be done. What was sent in this turn of the handshake begins at
    /// `start` of the caller's buffer: tickets, which are records under the new keys.
    private mutating func handOver(_ session: inout TLSSession, sentFrom start: Int) -> Bool {
        guard let ssl = session.ssl, let secrets = SessionSecrets.of(ssl), let facts = HandshakeFacts(ssl),
            let outgoing = memoryBIO.pointee.outgoing,
            let tickets = HandshakeFacts.records(in: outgoing.pointee, from: start),
            let records = RecordConnection.make(facts.facts, secrets.pointee, recordsSent: tickets, in: layer)
        else {
            SessionSecrets.detach(from: session.ssl)
            return false
        }
        session.handOver(to: records)
        return true
    }

    /// What came behind the handshake. Returns OpenSSL's code for success: `progress` says how it went.
    private mutating func receiveRest(_ session: inout TLSSession, _ plaintext: inout ByteBuffer) -> CInt {
        let input = UnsafeRawBufferPointer(start: memoryBIO.pointee.input, count: memoryBIO.pointee.remaining)
        guard let outgoing = memoryBIO.pointee.outgoing else { return SSL_ERROR_NONE }
        _ = receiveRecords(&session, input, &plaintext, &outgoing.pointee)
        return SSL_ERROR_NONE
    }

    private mutating func receiveRecords(
        _ session: inout TLSSession, _ input: UnsafeRawBufferPointer, _ plaintext: inout ByteBuffer,
        _ outgoing: inout ByteBuffer
    ) -> TLSProgress {
        guard let records = session.records else { return .failed }
        switch layer.receive(records, input, plaintext: &plaintext, outgoing: &outgoing) {
        case .open: break
        case .closed: session.set(.receivedCloseNotify)
        case .failed: failRecords(&session)
        }
        return progress(of: session)
    }

    private func progress(of session: borrowing TLSSession) -> TLSProgress {
        if session.has(.failed) { return .failed }
        return session.has(.receivedCloseNotify) ? .closed : .established
    }

    private mutating func failRecords(_ session: inout TLSSession) {
        session.set(.failed)
        failureCode = 0
        layerFailure = layer.lastReason
    }
}
