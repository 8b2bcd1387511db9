import Kernel
import Reactor

/// JSON to be sent, perhaps with a long run of filler in it that is not in memory.
struct Payload: ~Copyable {
    var bytes = ByteBuffer()
    private(set) var fillOffset = 0
    private(set) var fillCount = 0

    /// Bytes it will take on the wire.
    var count: Int { bytes.count + fillCount }

    mutating func clear() {
        bytes.clear()
        fillCount = 0
    }

    /// Puts `count` letters here. Once per payload.
    mutating func fill(_ count: Int) {
        fillOffset = bytes.count
        fillCount = count
    }
}

/// What a connection has still to send, in order: bytes, and runs of filler that are made as the socket takes them,
/// so that an answer of a gigabyte costs no memory.
struct Outbox: ~Copyable {
    enum Outcome {
        case sent, blocked, failed
    }

    private struct Fill {
        /// Bytes of `bytes` that go first.
        var after: Int
        var rest: Int
        /// Letters sent so far: the alphabet goes on where it was.
        var sent = 0
    }

    private var bytes = ByteBuffer()
    private var fills: [Fill] = []

    /// The alphabet over and over, a multiple of its length: loss or repetition shows.
    private static let pattern: [UInt8] = (0..<26 * 10_000).map { UInt8(97 + $0 % 26) }

    var isEmpty: Bool { bytes.isEmpty && fills.isEmpty }
    /// No more answers fit. One that is already here may be of any size, so ask before appending the next.
    var isOverfull: Bool { bytes.count > 4_194_304 || fills.count > 64 }
    /// Enough is waiting: whoever can wait should.
    var isHigh: Bool { bytes.count > 262_144 || !fills.isEmpty }

    mutating func append(_ text: StaticString) { bytes.append(text) }
    mutating func append(_ text: Span<UInt8>) { bytes.append(text) }
    mutating func append(_ text: [UInt8]) { bytes.append(text.span) }
    mutating func append(decimal value: Int) { bytes.append(decimal: UInt64(value)) }
    mutating func append(hexadecimal value: Int) { bytes.append(hexadecimal: UInt64(value)) }
    mutating func append(_ session: SessionID) { session.write(to: &bytes) }

    mutating func append(_ payload: borrowing Payload) {
        guard payload.fillCount > 0 else { return bytes.append(payload.bytes.span) }
        let text = payload.bytes.span
        bytes.append(text.extracting(0..<payload.fillOffset))
        let before = fills.reduce(0) { $0 + $1.after }
        fills.append(Fill(after: bytes.count - before, rest: payload.fillCount))
        bytes.append(text.extracting(payload.fillOffset..<text.count))
    }

    /// Sends until all is gone or the socket is full.
    mutating func flush(_ world: inout Linux, to descriptor: Descriptor) -> Outcome {
        while true {
            let transfer: Transfer
            if let fill = fills.first, fill.after == 0 {
                let start = fill.sent % 26
                let count = min(fill.rest, Outbox.pattern.count - 26)
                transfer = world.send(descriptor, Outbox.pattern.span.extracting(start..<start + count))
            } else if bytes.isEmpty {
                return .sent
            } else {
                let count = fills.first?.after ?? bytes.count
                transfer = world.send(descriptor, bytes.span.extracting(0..<count))
            }
            switch transfer {
            case .moved(let count): consume(count)
            case .wouldBlock: return .blocked
            case .ended, .failed: return .failed
            }
        }
    }

    private mutating func consume(_ count: Int) {
        guard let fill = fills.first else { return bytes.consume(count) }
        if fill.after > 0 {
            bytes.consume(count)
            fills[0].after -= count
        } else {
            fills[0].rest -= count
            fills[0].sent += count
            if fills[0].rest == 0 { fills.removeFirst() }
        }
    }
}
