import ASCII
import MCP
import Reactor

/// A request that was taken apart, with its bytes.
final class KnownRequest {
    /// Where its answer may be.
    let cache: UpstreamCache
    let request: CachedRequest
    /// Of its body.
    let summary: RequestSummary
    /// Where the JSON-RPC id stands in the body.
    let id: Range<Int>
    private let head: [UInt8]
    /// The body up to its id, and from there on.
    private let before, after: [UInt8]

    init(
        _ request: CachedRequest, _ cache: UpstreamCache, _ summary: RequestSummary, id: Range<Int>, head: Span<UInt8>,
        body: Span<UInt8>
    ) {
        self.cache = cache
        self.request = request
        self.summary = summary
        self.id = id
        self.head = head.copied
        before = body.extracting(0..<id.lowerBound).copied
        after = body.extracting(id.upperBound..<body.count).copied
    }

    /// Whether a request has the same bytes but for its id, which is a plain one of the same length: so everything that was read in
    /// this one stands at the same places of that one.
    fileprivate func isSame(_ head: Span<UInt8>, _ body: Span<UInt8>) -> Bool {
        guard id.upperBound + after.count == body.count, Self.isPlain(body.extracting(id)) else { return false }
        guard Self.areEqual(head, self.head) else { return false }
        guard Self.areEqual(body.extracting(0..<id.lowerBound), before) else { return false }
        return Self.areEqual(body.extracting(id.upperBound..<body.count), after)
    }

    private static func areEqual(_ one: Span<UInt8>, _ bytes: [UInt8]) -> Bool {
        let other = bytes.span
        guard one.count == other.count else { return false }
        var index = 0
        var differences: UInt64 = 0
        while one.count &- index >= 8, other.count &- index >= 8 {
            differences |= one.word(at: index) ^ other.word(at: index)
            index &+= 8
        }
        while index < one.count, index < other.count {
            differences |= UInt64(one[index] ^ other[index])
            index &+= 1
        }
        return differences == 0
    }

    /// Whether an id is a whole number, or a string of alphanumeric ASCII, hyphens and underscores: one JSON value, whatever
    /// follows.
    private static func isPlain(_ id: Span<UInt8>) -> Bool {
        guard id.count > 0 else { return false }
        guard id[0] == UInt8(ascii: "\"") else {
            for index in 0..<id.count where !id[index].isDigit { return false }
            return id[0] != UInt8(ascii: "0") || id.count == 1
        }
        guard id.count >= 2, id[id.count - 1] == UInt8(ascii: "\"") else { return false }
        for index in 1..<(id.count - 1) {
            let byte = id[index]
            guard
                byte.lowercased &- UInt8(ascii: "a") < 26 || byte.isDigit || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
            else {
                return false
            }
        }
        return true
    }
}

/// What a worker has found out of the requests that it saw last: agents ask the same again and again, in the same words but for
/// the id. Whoever finds a request here need not take it apart.
///
/// Requests are compared byte by byte: the hashes only say where to look. At most 2 MiB are kept.
struct KnownRequests {
    /// Powers of two.
    private static var places: Int { 1_024 }
    private static var idPlaces: Int { 256 }
    /// Longer requests are not remembered, in bytes of head and body.
    private static var maximumBytes: Int { 2_048 }

    /// A request has one place, by its bytes without the id. Empty until there is one to remember.
    private var entries: [KnownRequest?] = []
    /// Where the id stood in the last body that came with a head: clients have it at the same place every time.
    private var ids: [Range<Int>] = []
    /// What was found for the exchange that began last, until it looks for its answer.
    private var latest: (exchange: Handle, request: KnownRequest)?

    /// The id that was copied last.
    private var id: [UInt8] = []

    var isEmpty: Bool { entries.isEmpty }

    /// Copies an id into memory that the next one uses again, unless somebody keeps it.
    mutating func copied(_ id: Span<UInt8>) -> [UInt8] {
        self.id.removeAll(keepingCapacity: true)
        for index in 0..<id.count { self.id.append(id[index]) }
        return self.id
    }

    /// What is known of the request of an exchange that begins, whose head has `head` bytes and stands at the front of `buffer`.
    mutating func find(
        _ exchange: Handle, _ buffer: borrowing ByteBuffer, head: Int, body: Range<Int>
    ) -> KnownRequest? {
        let known = find(buffer.span.extracting(0..<head), buffer.span.extracting(body))
        latest = known.map { (exchange, $0) }
        return known
    }

    /// The same when it looks for its answer: what was found at its beginning, if nobody else has begun since.
    mutating func findAgain(
        _ exchange: Handle, _ buffer: borrowing ByteBuffer, head: Int, body: Range<Int>
    ) -> KnownRequest? {
        guard let latest, latest.exchange == exchange else { return find(exchange, buffer, head: head, body: body) }
        self.latest = nil
        return latest.request
    }

    private func find(_ head: Span<UInt8>, _ body: Span<UInt8>) -> KnownRequest? {
        guard !entries.isEmpty, head.count + body.count <= Self.maximumBytes else { return nil }
        var hash = Self.hash(head, 0)
        let id = ids[Int(hash >> 32) & (Self.idPlaces - 1)]
        guard id.upperBound <= body.count else { return nil }
        hash = Self.hash(body, without: id, hash)
        guard let known = entries[Self.place(hash)], known.id == id, known.isSame(head, body) else { return nil }
        return known
    }

    mutating func remember(_ known: KnownRequest, _ head: Span<UInt8>, _ body: Span<UInt8>) {
        guard head.count + body.count <= Self.maximumBytes else { return }
        if entries.isEmpty {
            entries = Array(repeating: nil, count: Self.places)
            ids = Array(repeating: 0..<0, count: Self.idPlaces)
        }
        let hash = Self.hash(head, 0)
        ids[Int(hash >> 32) & (Self.idPlaces - 1)] = known.id
        entries[Self.place(Self.hash(body, without: known.id, hash))] = known
    }

    private static func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 40) & (places - 1) }

    private static func hash(_ body: Span<UInt8>, without id: Range<Int>, _ seed: UInt64) -> UInt64 {
        hash(
            body.extracting(id.upperBound..<body.count),
            hash(body.extracting(0..<id.lowerBound), seed))
    }

    /// Mixes bytes into a number: quick, and without any strength against those who choose them.
    private static func hash(_ bytes: Span<UInt8>, _ seed: UInt64) -> UInt64 {
        var hash = seed ^ UInt64(truncatingIfNeeded: bytes.count)
        var index = 0
        while bytes.count &- index >= 8 {
            hash = (hash ^ bytes.word(at: index)) &* 0x9e37_79b9_7f4a_7c15
            hash ^= hash >> 29
            index &+= 8
        }
        while index < bytes.count {
            hash = (hash ^ UInt64(bytes[index])) &* 0x9e37_79b9_7f4a_7c15
            index &+= 1
        }
        return hash ^ hash >> 29
    }
}
