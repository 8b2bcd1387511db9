import ASCII
import Reactor

/// The names of replicas, numbered in the order they first appear in tool results, and the calls each has answered.
struct ReplicaNames: ~Copyable {
    /// Names beyond this number share the last one, since a faulty server may send a new name for each call.
    static let limit = 1_024

    private var text = ByteBuffer()
    private var ranges: [ByteRange] = []
    private var calls: [UInt64] = []

    /// The number of the name, which is added if it is new. `guess`: the number to compare first.
    mutating func number(_ name: Span<UInt8>, guess: UInt16?) -> UInt16 {
        if let guess, name.equals(text.span.extracting(ranges[Int(guess)].range)) { return guess }
        for index in ranges.indices where name.equals(text.span.extracting(ranges[index].range)) {
            return UInt16(truncatingIfNeeded: index)
        }
        guard ranges.count < ReplicaNames.limit, name.count <= 256 else {
            if ranges.isEmpty { append(name.extracting(first: 256)) }
            return UInt16(truncatingIfNeeded: ranges.count - 1)
        }
        append(name)
        return UInt16(truncatingIfNeeded: ranges.count - 1)
    }

    /// Counts a call that the replica answered.
    mutating func countCall(_ number: UInt16) { calls[Int(number)] &+= 1 }

    func name(_ number: UInt16) -> String { text.span.extracting(ranges[Int(number)].range).excerpt() }

    /// Calls by name since the last call of this function.
    mutating func takeCounts() -> [String: UInt64] {
        var counts: [String: UInt64] = [:]
        for index in ranges.indices where calls[index] > 0 {
            counts[name(UInt16(truncatingIfNeeded: index)), default: 0] += calls[index]
            calls[index] = 0
        }
        return counts
    }

    private mutating func append(_ name: Span<UInt8>) {
        ranges.append(ByteRange(start: text.count, count: name.count))
        calls.append(0)
        text.append(name)
    }
}
