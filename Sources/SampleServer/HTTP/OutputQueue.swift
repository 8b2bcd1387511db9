import Kernel
import Reactor

/// JSON to send, which may contain a long run of filler bytes that is not in memory.
struct Payload: ~Copyable {
    var bytes = ByteBuffer()
    /// The offset in `bytes` at which the filler is inserted.
    private(set) var fillOffset = 0
    /// The number of filler bytes.
    private(set) var fillCount = 0

    /// The number of bytes to send.
    var count: Int { bytes.count + fillCount }

    mutating func clear() {
        bytes.clear()
        fillCount = 0
    }

    /// Inserts `count` filler bytes at the current end. At most once for each payload.
    mutating func fill(_ count: Int) {
        fillOffset = bytes.count
        fillCount = count
    }
}

/// The bytes that a connection has to send, in order. Runs of filler are generated when the socket accepts them, so
/// that a response of a gigabyte needs no memory.
struct OutputQueue: ~Copyable {
    enum Outcome {
        case sent, blocked, failed
    }

    private struct Fill {
        /// The number of bytes of `bytes` that are sent before it.
        var after: Int
        var rest: Int
        /// The number of filler bytes sent so far, which gives the position in the pattern.
        var sent = 0
    }

    private var bytes = ByteBuffer()
    private var fills: [Fill] = []

    /// The alphabet repeated, so that a client can detect lost or repeated bytes. The length is a multiple of 26.
    private static let pattern: [UInt8] = (0..<26 * 10_000).map { UInt8(97 + $0 % 26) }

    var isEmpty: Bool { bytes.isEmpty && fills.isEmpty }
    /// Whether the queue has reached its limit. A single response may exceed it, so check before appending the next.
    var isFull: Bool { bytes.count > 4_194_304 || fills.count > 64 }
    /// Whether so much is queued that new responses and events should wait.
    var isAboveHighWatermark: Bool { bytes.count > 262_144 || !fills.isEmpty }

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

    /// Sends until the queue is empty or the socket accepts no more.
    mutating func flush(_ world: inout Linux, to descriptor: Descriptor) -> Outcome {
        while true {
            let transfer: Transfer
            if let fill = fills.first, fill.after == 0 {
                let start = fill.sent % 26
                let count = min(fill.rest, OutputQueue.pattern.count - 26)
                transfer = world.send(descriptor, OutputQueue.pattern.span.extracting(start..<start + count))
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
