import Reactor

/// Generates the JSON-RPC ids of one thread: integers of 13 digits, so that an id can be written into a request
/// template without changing its length. No two threads generate the same id.
struct CallIDGenerator {
    /// Digits of every id.
    static var digits: Int { 13 }
    private static let perThread: UInt64 = 10_000_000_000

    private let first: UInt64
    private var next: UInt64

    /// `thread` is below 800.
    init(thread: Int) {
        first = (100 + UInt64(thread)) * CallIDGenerator.perThread
        next = first
    }

    /// The next id.
    mutating func issue() -> UInt64 {
        next &+= 1
        return next
    }

    /// Whether this generator has issued `id`.
    func hasIssued(_ id: UInt64) -> Bool { id > first && id <= next }

    /// Overwrites 13 bytes at `offset` with the digits of `id`.
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
