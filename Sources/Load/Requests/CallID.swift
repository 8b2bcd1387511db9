import Reactor

/// The JSON-RPC ids of a run: numbers of 13 digits, so that a request's length does not depend on its id and the id can
/// be put into a text that is ready but for it. No two threads give the same.
struct CallID {
    static var digits: Int { 13 }
    private static let perThread: UInt64 = 10_000_000_000

    private let first: UInt64
    private var next: UInt64

    /// `thread` is below 800.
    init(thread: Int) {
        first = (100 + UInt64(thread)) * CallID.perThread
        next = first
    }

    mutating func take() -> UInt64 {
        next &+= 1
        return next
    }

    /// Whether this thread has given `id` to a call of its own.
    func hasGiven(_ id: UInt64) -> Bool { id > first && id <= next }

    /// Writes the digits over what stands at `offset`.
    @inline(__always)
    static func write(_ id: UInt64, into text: inout MutableSpan<UInt8>, at offset: Int) {
        var rest = id
        var index = offset + digits
        while index > offset {
            index &-= 1
            text[index] = UInt8(truncatingIfNeeded: rest % 10) &+ 48
            rest /= 10
        }
    }
}
