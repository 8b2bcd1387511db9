import COpenSSL
package import Reactor

/// What has come of received bytes.
package enum RecordProgress: Equatable, Sendable {
    case open
    /// The peer has sent close_notify (RFC 8446 section 6.1).
    case closed
    /// The connection is over: the peer is told why by an alert, or has told us.
    case failed
}

/// Decrypts and encrypts the records of TLS 1.3 connections of one worker (RFC 8446 section 5), with AEAD ciphers of OpenSSL.
///
/// What is received is decrypted into the caller's buffer, and counts there only when its tag is right. Everything that a server need not
/// accept after a handshake ends the connection with the alert that the RFC names.
package struct RecordLayer: ~Copyable {
    let contexts = CipherContexts()
    /// Why the last connection failed that did.
    package private(set) var lastReason = ""

    package init() {}

    /// Bytes of a record's header.
    static let headerBytes = 5
    /// Plaintext of a record (RFC 8446 section 5.1).
    private static let plaintextLimit = 16_384
    private static let tagBytes = 16
    /// Bytes of a record, header and all (RFC 8446 section 5.2).
    static let longestRecord = headerBytes + plaintextLimit + 256
    /// Bytes that a record adds to its data: header, type, tag.
    private static let overhead = 22
    /// Records in a row without data, and KeyUpdates among them, that are borne.
    private static let emptyLimit: UInt8 = 32

    private enum ContentType {
        static let changeCipherSpec: UInt8 = 20
        static let alert: UInt8 = 21
        static let handshake: UInt8 = 22
        static let applicationData: UInt8 = 23
    }

    // MARK: - Receiving

    /// Opens all whole records of `input` and of what came before; data goes to `plaintext`, what the peer is to get to `outgoing`.
    package mutating func receive(
        _ connection: UnsafeMutablePointer<RecordConnection>, _ input: UnsafeRawBufferPointer,
        plaintext: inout ByteBuffer, outgoing: inout ByteBuffer
    ) -> RecordProgress {
        var rest = input
        if connection.pointee.partialCount > 0 {
            switch complete(connection, &rest, &plaintext, &outgoing) {
            case .open?: break
            case nil: return .open
            case let progress?: return progress
            }
        }
        while rest.count >= Self.headerBytes {
            guard let length = recordLength(rest) else { return fail(connection, headerAlert(rest), &outgoing) }
            guard rest.count >= length else { break }
            let record = UnsafeRawBufferPointer(rebasing: rest[0..<length])
            let progress = open(connection, record, &plaintext, &outgoing)
            guard progress == .open else { return progress }
            rest = UnsafeRawBufferPointer(rebasing: rest[length...])
        }
        // The type can be told before the record has come.
        if let first = rest.first, first != ContentType.applicationData {
            return fail(connection, .unexpectedMessage, &outgoing)
        }
        connection.pointee.keep(rest)
        return .open
    }

    /// Completes the record whose beginning was kept, and opens it. Nil: its rest has not come.
    private mutating func complete(
        _ connection: UnsafeMutablePointer<RecordConnection>, _ rest: inout UnsafeRawBufferPointer,
        _ plaintext: inout ByteBuffer, _ outgoing: inout ByteBuffer
    ) -> RecordProgress? {
        func take(upTo count: Int) -> Bool {
            let missing = count - Int(connection.pointee.partialCount)
            let taken = min(max(0, missing), rest.count)
            connection.pointee.keep(UnsafeRawBufferPointer(rebasing: rest[0..<taken]))
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
            return taken == max(0, missing)
        }
        func kept() -> UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(start: connection.pointee.partial, count: Int(connection.pointee.partialCount))
        }
        guard take(upTo: Self.headerBytes) else { return nil }
        guard let length = recordLength(kept()) else { return fail(connection, headerAlert(kept()), &outgoing) }
        guard take(upTo: length) else { return nil }
        let progress = open(connection, kept(), &plaintext, &outgoing)
        connection.pointee.releasePartial()
        return progress
    }

    /// Bytes of the record that begins here, header included; nil if it may not be received.
    private func recordLength(_ bytes: UnsafeRawBufferPointer) -> Int? {
        let length = Int(bytes[3]) << 8 | Int(bytes[4])
        guard bytes[0] == ContentType.applicationData, bytes[1] == 3, bytes[2] == 3,
            length <= Self.plaintextLimit + 256, length > Self.tagBytes
        else { return nil }
        return Self.headerBytes + length
    }

    /// What is wrong with the header of a record, in the order in which OpenSSL looks. The version of a record says nothing
    /// (RFC 8446 section 5.1), but is authenticated with it: another than 3.3 would not be decrypted.
    private func headerAlert(_ bytes: UnsafeRawBufferPointer) -> RecordAlert {
        if bytes[1] != 3 { return .protocolVersion }
        if bytes[0] != ContentType.applicationData { return .unexpectedMessage }
        if bytes[2] != 3 { return .decodeError }
        return Int(bytes[3]) << 8 | Int(bytes[4]) > Self.plaintextLimit + 256 ? .recordOverflow : .badRecordMAC
    }

    private mutating func open(
        _ connection: UnsafeMutablePointer<RecordConnection>, _ record: UnsafeRawBufferPointer,
        _ plaintext: inout ByteBuffer, _ outgoing: inout ByteBuffer
    ) -> RecordProgress {
        let count = record.count - Self.headerBytes - Self.tagBytes
        plaintext.reserve(count)
        guard
            let context = contexts.context(
                connection.pointee.facts.suite, &connection.pointee.reading, of: connection.pointee.number,
                encrypting: false)
        else { return fail(connection, .internalError, &outgoing) }
        var space = plaintext.space
        let inner = space.withUnsafeMutableBytes { space -> Inner? in
            guard Self.decrypt(context, record, into: space, count: count) else {
                OPENSSL_cleanse(space.baseAddress, count)
                return nil
            }
            // Zeros behind the type are padding (RFC 8446 section 5.4).
            var end = count - 1
            while end > 0, space[end] == 0 { end -= 1 }
            return Inner(type: space[end], count: end, bytes: (space[0], end > 1 ? space[1] : 0))
        }
        guard let inner else { return fail(connection, .badRecordMAC, &outgoing) }
        guard inner.count <= Self.plaintextLimit else { return fail(connection, .recordOverflow, &outgoing) }
        if connection.pointee.messageCount > 0, inner.type != ContentType.handshake {
            return fail(connection, .unexpectedMessage, &outgoing)
        }
        switch inner.type {
        case ContentType.applicationData:
            guard inner.count > 0 else { return noteEmpty(connection, &outgoing) }
            connection.pointee.emptyCount = 0
            plaintext.commit(inner.count)
            return .open
        case ContentType.alert: return take(alert: inner, connection, &outgoing)
        case ContentType.handshake:
            var message = InlineArray<5, UInt8>(repeating: 0)
            guard inner.count > 0 else { return fail(connection, .unexpectedMessage, &outgoing) }
            var bytes = plaintext.space
            bytes.withUnsafeMutableBytes { for index in 0..<min(5, inner.count) { message[index] = $0[index] } }
            return take(message, count: inner.count, connection, &outgoing)
        default: return fail(connection, .unexpectedMessage, &outgoing)
        }
    }

    /// What is in a record.
    private struct Inner {
        let type: UInt8
        /// Bytes before the type.
        let count: Int
        /// The first two of them.
        let bytes: (UInt8, UInt8)
    }

    private static func decrypt(
        _ context: OpaquePointer, _ record: UnsafeRawBufferPointer, into space: UnsafeMutableRawBufferPointer,
        count: Int
    ) -> Bool {
        guard space.count >= count, let source = record.baseAddress?.assumingMemoryBound(to: UInt8.self),
            let target = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
        else { return false }
        var written: CInt = 0
        var final: CInt = 0
        let body = source + headerBytes
        let tag = UnsafeMutableRawPointer(mutating: body + count)
        return EVP_DecryptUpdate(context, nil, &written, source, CInt(headerBytes)) == 1
            && EVP_DecryptUpdate(context, target, &written, body, CInt(count)) == 1
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, CInt(tagBytes), tag) == 1
            && EVP_DecryptFinal_ex(context, target + Int(written), &final) == 1
            && Int(written + final) == count
    }

    // MARK: - What is no data

    /// A record without data is allowed, and so is padding by it; a flood of them is not.
    private mutating func noteEmpty(
        _ connection: UnsafeMutablePointer<RecordConnection>, _ outgoing: inout ByteBuffer
    ) -> RecordProgress {
        connection.pointee.emptyCount += 1
        guard connection.pointee.emptyCount <= Self.emptyLimit else {
            return fail(connection, .unexpectedMessage, &outgoing)
        }
        return .open
    }

    private mutating func take(
        alert: Inner, _ connection: UnsafeMutablePointer<RecordConnection>, _ outgoing: inout ByteBuffer
    ) -> RecordProgress {
        guard alert.count == 2 else { return fail(connection, .unexpectedMessage, &outgoing) }
        switch alert.bytes.1 {
        case 0: return .closed
        // user_canceled says that close_notify follows.
        case 90: return noteEmpty(connection, &outgoing)
        default:
            lastReason = "alert \(alert.bytes.1) of the peer"
            return .failed
        }
    }

    /// The first bytes, at most five, of `count` of the handshake protocol. A client may send KeyUpdate (RFC 8446 section 4.6.3), and
    /// nothing else: it is not asked for a certificate afterwards.
    private mutating func take(
        _ bytes: InlineArray<5, UInt8>, count: Int, _ connection: UnsafeMutablePointer<RecordConnection>,
        _ outgoing: inout ByteBuffer
    ) -> RecordProgress {
        let before = Int(connection.pointee.messageCount)
        for index in 0..<min(count, 5 - before) {
            connection.pointee.message[before + index] = bytes[index]
            connection.pointee.messageCount += 1
        }
        let message = connection.pointee.message
        guard message[0] == 24 else { return fail(connection, .unexpectedMessage, &outgoing) }
        guard before + count >= 4 else { return noteEmpty(connection, &outgoing) }
        guard message[1] == 0, message[2] == 0, message[3] <= 1 else {
            return fail(connection, .illegalParameter, &outgoing)
        }
        guard message[3] == 1 else { return fail(connection, .decodeError, &outgoing) }
        guard before + count >= 5 else { return noteEmpty(connection, &outgoing) }
        guard before + count == 5 else { return fail(connection, .unexpectedMessage, &outgoing) }
        connection.pointee.messageCount = 0
        guard message[4] <= 1 else { return fail(connection, .illegalParameter, &outgoing) }
        guard connection.pointee.reading.update(connection.pointee.facts.suite) else {
            return fail(connection, .internalError, &outgoing)
        }
        let progress = noteEmpty(connection, &outgoing)
        guard progress == .open, message[4] == 1 else { return progress }
        return updateKey(connection, &outgoing) ? .open : fail(connection, .internalError, &outgoing)
    }

    // MARK: - Sending

    /// Encrypts all of `plaintext` and appends the records to `outgoing`. False if that cannot be done: the connection is over.
    package mutating func send(
        _ connection: UnsafeMutablePointer<RecordConnection>, _ plaintext: UnsafeRawBufferPointer,
        outgoing: inout ByteBuffer
    ) -> Bool {
        var rest = plaintext
        outgoing.reserve(rest.count + (rest.count / Self.plaintextLimit + 1) * Self.overhead)
        while rest.count > 0 {
            let count = min(rest.count, Self.plaintextLimit)
            if connection.pointee.writing.sequence >= TrafficKeys.recordsPerKey, !updateKey(connection, &outgoing) {
                return false
            }
            let piece = UnsafeRawBufferPointer(rebasing: rest[0..<count])
            guard encrypt(connection, ContentType.applicationData, piece, &outgoing) else { return false }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        return true
    }

    /// Appends close_notify.
    package mutating func appendCloseNotify(
        _ connection: UnsafeMutablePointer<RecordConnection>, outgoing: inout ByteBuffer
    ) {
        append([1, 0], ContentType.alert, connection, &outgoing)
    }

    /// Tells the peer that our key changes, and changes it.
    private mutating func updateKey(
        _ connection: UnsafeMutablePointer<RecordConnection>, _ outgoing: inout ByteBuffer
    ) -> Bool {
        append([24, 0, 0, 1, 0], ContentType.handshake, connection, &outgoing)
            && connection.pointee.writing.update(connection.pointee.facts.suite)
    }

    private mutating func fail(
        _ connection: UnsafeMutablePointer<RecordConnection>, _ alert: RecordAlert, _ outgoing: inout ByteBuffer
    ) -> RecordProgress {
        lastReason = alert.reason
        append([2, alert.rawValue], ContentType.alert, connection, &outgoing)
        return .failed
    }

    @discardableResult
    private mutating func append(
        _ message: [UInt8], _ type: UInt8, _ connection: UnsafeMutablePointer<RecordConnection>,
        _ outgoing: inout ByteBuffer
    ) -> Bool {
        message.withUnsafeBytes { encrypt(connection, type, $0, &outgoing) }
    }

    mutating func encrypt(
        _ connection: UnsafeMutablePointer<RecordConnection>, _ type: UInt8, _ plaintext: UnsafeRawBufferPointer,
        _ outgoing: inout ByteBuffer
    ) -> Bool {
        let length = plaintext.count + 1 + Self.tagBytes
        outgoing.reserve(Self.headerBytes + length)
        guard
            let context = contexts.context(
                connection.pointee.facts.suite, &connection.pointee.writing, of: connection.pointee.number,
                encrypting: true)
        else { return false }
        var space = outgoing.space
        let isEncrypted = space.withUnsafeMutableBytes { Self.fill(context, type, plaintext, into: $0) }
        guard isEncrypted else { return false }
        outgoing.commit(Self.headerBytes + length)
        return true
    }

    private static func fill(
        _ context: OpaquePointer, _ type: UInt8, _ plaintext: UnsafeRawBufferPointer,
        into space: UnsafeMutableRawBufferPointer
    ) -> Bool {
        let length = plaintext.count + 1 + tagBytes
        guard space.count >= headerBytes + length, let target = space.baseAddress?.assumingMemoryBound(to: UInt8.self),
            let source = plaintext.baseAddress?.assumingMemoryBound(to: UInt8.self)
        else { return false }
        target[0] = ContentType.applicationData
        target[1] = 3
        target[2] = 3
        target[3] = UInt8(truncatingIfNeeded: length >> 8)
        target[4] = UInt8(truncatingIfNeeded: length)
        let body = target + headerBytes
        var written: CInt = 0
        var last: CInt = 0
        var final: CInt = 0
        var type = type
        return EVP_EncryptUpdate(context, nil, &written, target, CInt(headerBytes)) == 1
            && EVP_EncryptUpdate(context, body, &written, source, CInt(plaintext.count)) == 1
            && EVP_EncryptUpdate(context, body + Int(written), &last, &type, 1) == 1
            && EVP_EncryptFinal_ex(context, body + Int(written + last), &final) == 1
            && Int(written + last + final) == plaintext.count + 1
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, CInt(tagBytes), body + plaintext.count + 1) == 1
    }
}
