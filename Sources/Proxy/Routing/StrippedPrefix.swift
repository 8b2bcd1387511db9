import HTTP
import Reactor

/// The beginning of a request's path that servers do not get, and get back into what they say of their own paths.
struct StrippedPrefix: Sendable {
    /// Begins with a slash, and does not end with one; empty: nothing is stripped.
    let bytes: [UInt8]

    /// The target as a server gets it, as a part of the target in `buffer`: never empty, but it may begin with a question mark.
    /// Slashes that follow the prefix count as one, or the rest could pass for the name of a host (RFC 3986 section 4.2). A
    /// target that does not begin with the prefix stays as it is.
    func strip(_ target: ByteRange, in buffer: borrowing ByteBuffer) -> ByteRange {
        let start = target.lowerBound
        guard target.count >= bytes.count, buffer.equals(start..<start + bytes.count, bytes) else { return target }
        let view = buffer.span
        var rest = start + bytes.count
        // The prefix's own slash stands for a path that has nothing else.
        guard rest < target.upperBound else { return ByteRange(start: start, count: 1) }
        while rest + 1 < target.upperBound, view[rest] == UInt8(ascii: "/"), view[rest + 1] == UInt8(ascii: "/") {
            rest += 1
        }
        return ByteRange(start: rest, count: target.upperBound - rest)
    }

    /// The same for a copy of the target; it begins with a slash.
    func strip(_ target: [UInt8]) -> [UInt8] {
        guard target.starts(with: bytes) else { return target }
        return [UInt8(ascii: "/")] + target[bytes.count...].drop { $0 == UInt8(ascii: "/") }
    }

    /// Whether a path, with or without a query, begins with the prefix, and a segment of it ends there.
    func covers(_ path: ArraySlice<UInt8>) -> Bool {
        guard path.starts(with: bytes) else { return false }
        let end = path.startIndex + bytes.count
        guard end < path.endIndex else { return true }
        return [UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#")].contains(path[end])
    }

    /// A path of the server's own, with or without a query, as clients have to ask for it. `asked`: the path that the server
    /// was asked for. A server that knows of the prefix has it there already; but if it was asked for a path that begins
    /// with the prefix, it has such paths of its own.
    func restored(_ path: [UInt8], asked: [UInt8]) -> [UInt8] {
        covers(path[...]) && !covers(asked[...]) ? path : bytes + path
    }
}
