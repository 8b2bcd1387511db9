import Kernel
import Reactor
import TLS

/// What came of sending bytes.
enum WriteResult {
    /// The socket took all of them.
    case written
    /// Some wait in the transport for a writable event.
    case blocked
    /// The socket refused them: the peer cannot have read any.
    case refused
    /// TLS cannot send any more.
    case failed
}

/// What came of sending what had waited.
enum FlushResult {
    case flushed
    /// The socket is full: a writable event follows.
    case blocked
    /// The socket takes little at a time, and others want their turn.
    case unfinished
    case failed
}

/// Reading and writing, the same for clients and for servers.
extension ConnectionIO where Outside: ~Copyable {
    /// Appends one read of at least `Scratch.readBytes` to `received`, as far as the socket has so much.
    mutating func receive(_ transport: inout Transport) -> Transfer {
        let (outcome, isShort) = world.receive(transport.descriptor, into: &received, atLeast: Scratch.readBytes)
        if case .moved = outcome { transport.noteRead(isShort: isShort) } else { transport.mayRead = false }
        return outcome
    }

    /// The same with at most `limit` bytes.
    mutating func receive(_ transport: inout Transport, atMost limit: Int) -> Transfer {
        let (outcome, isShort) = world.receive(transport.descriptor, into: &received, atMost: limit)
        if case .moved = outcome { transport.noteRead(isShort: isShort) } else { transport.mayRead = false }
        return outcome
    }

    /// Puts one read of TLS records into `ciphertext`.
    mutating func receiveRecords(
        _ transport: inout Transport, atMost limit: Int
    ) -> (outcome: Transfer, isShort: Bool) {
        ciphertext.clear()
        return limit >= Scratch.readBytes
            ? world.receive(transport.descriptor, into: &ciphertext, atLeast: Scratch.readBytes)
            : world.receive(transport.descriptor, into: &ciphertext, atMost: limit)
    }

    /// Decrypts `ciphertext` to the end of `received`. What TLS itself has to say stands in `outgoing` then.
    mutating func decrypt(_ transport: inout Transport) -> TLSProgress {
        guard var session = transport.tls.take() else { return .failed }
        let progress = engine.receive(&session, ciphertext, plaintext: &received, outgoing: &outgoing)
        transport.tls = consume session
        return progress
    }

    /// Sends `composed`, through TLS if there is any; what the socket does not take waits in the transport.
    mutating func write(_ transport: inout Transport) -> WriteResult {
        guard !composed.isEmpty else { return .written }
        defer { composed.clear() }
        guard var session = transport.tls.take() else {
            // In clear, what was composed is what goes out.
            swap(&composed, &outgoing)
            return writeOutgoing(&transport)
        }
        let isEncrypted = engine.send(&session, composed, outgoing: &outgoing)
        transport.tls = consume session
        guard isEncrypted else {
            outgoing.clear()
            return .failed
        }
        return writeOutgoing(&transport)
    }

    /// Sends `outgoing` as it is; what the socket does not take waits in the transport.
    mutating func writeOutgoing(_ transport: inout Transport) -> WriteResult {
        guard !outgoing.isEmpty else { return .written }
        defer { outgoing.clear() }
        if transport.output.isEmpty, transport.mayWrite {
            switch world.send(transport.descriptor, outgoing) {
            case .moved(let count):
                outgoing.consume(count)
                if outgoing.isEmpty { return .written }
                transport.mayWrite = false
            case .wouldBlock, .ended:
                transport.mayWrite = false
            case .failed:
                return .refused
            }
        }
        bufferPool.acquire(for: &transport.output)
        transport.output.append(outgoing)
        return .blocked
    }

    /// Sends a piece of `received` as it is: big bodies in clear are not copied on their way. The transport must be
    /// writable, without TLS and without output that waits.
    mutating func writeReceived(_ transport: inout Transport, _ range: ByteRange) -> WriteResult {
        var sent = 0
        switch world.send(transport.descriptor, received, range.range) {
        case .moved(let count): sent = count
        case .wouldBlock, .ended: break
        case .failed: return .refused
        }
        guard sent < Int(range.count) else { return .written }
        transport.mayWrite = false
        bufferPool.acquire(for: &transport.output)
        transport.output.append(received, (range.lowerBound + sent)..<range.upperBound)
        return .blocked
    }

    /// Sends what has waited, now that the socket takes bytes again.
    mutating func flush(_ transport: inout Transport) -> FlushResult {
        for _ in 0..<Scratch.transfersPerTurn where !transport.output.isEmpty {
            switch world.send(transport.descriptor, transport.output) {
            case .moved(let count):
                transport.output.consume(count)
            case .wouldBlock, .ended:
                transport.mayWrite = false
                return .blocked
            case .failed:
                return .failed
            }
        }
        guard transport.output.isEmpty else { return .unfinished }
        bufferPool.release(&transport.output)
        return .flushed
    }

    /// Keeps what is left in `received` with the transport for the next read.
    mutating func saveInput(_ transport: inout Transport) {
        guard !received.isEmpty else {
            bufferPool.release(&transport.input)
            return
        }
        bufferPool.acquire(for: &transport.input)
        transport.input.append(received)
        received.clear()
    }

    /// Moves the bytes that earlier reads had left to the end of `received`.
    mutating func restoreInput(_ transport: inout Transport) {
        guard !transport.input.isEmpty else { return }
        received.append(transport.input)
        transport.input.clear()
    }

    /// Forgets the transport's bytes and takes its memory back.
    mutating func releaseBuffers(_ transport: inout Transport) {
        transport.input.clear()
        transport.output.clear()
        bufferPool.release(&transport.input)
        bufferPool.release(&transport.output)
    }

    /// Sends close_notify, once, if there is TLS and nothing else waits to be sent (RFC 8446 section 6.1).
    mutating func sendCloseNotify(_ transport: inout Transport) {
        guard transport.output.isEmpty, var session = transport.tls.take() else { return }
        outgoing.clear()
        engine.appendCloseNotify(&session, outgoing: &outgoing)
        transport.tls = consume session
        if !outgoing.isEmpty { _ = world.send(transport.descriptor, outgoing) }
        outgoing.clear()
    }

    /// Closes the socket and takes the memory back. With `reset`, the peer gets RST in place of FIN.
    mutating func close(_ transport: inout Transport, reset: Bool) {
        if !reset { sendCloseNotify(&transport) }
        world.close(transport.descriptor, reset: reset)
        releaseBuffers(&transport)
    }
}
