import ASCII
import JSON
import Synchronization

/// What a server says of itself in a preflight. Safe to share between threads.
final class ToolListing: Sendable {
    private struct State {
        var tools: [String]?
        var hasMore = false
        var server = ""
        var revision: String?
        var refusal: String?
    }

    private let state = Mutex(State())

    /// The names of its tools; nil before they are known.
    var tools: [String]? { state.withLock { $0.tools } }
    /// The list has further pages, which are not asked for.
    var hasMore: Bool { state.withLock { $0.hasMore } }
    /// Name and version; empty if it gives none.
    var server: String { state.withLock { $0.server } }
    /// The protocol revision that `initialize` agreed on; nil without sessions.
    var revision: String? { state.withLock { $0.revision } }
    /// The first request that it refused, and its words.
    var refusal: String? { state.withLock { $0.refusal } }
    /// Whether it has refused a request.
    var isRefused: Bool { refusal != nil }

    func refused(_ words: String) { state.withLock { if $0.refusal == nil { $0.refusal = words } } }

    /// Reads the response to `tools/list`.
    func readTools(_ text: Span<UInt8>) {
        var names: [String] = []
        var hasMore = false
        ToolListing.eachMember(of: "result", in: text) { name, reader in
            if name.equals("tools"), reader.openArray(text) {
                while reader.nextElement(text) {
                    if let name = ToolListing.member("name", &reader, text), names.count < ToolListing.limit {
                        names.append(name)
                    }
                }
            } else if let value = reader.value(text), name.equals("nextCursor") {
                hasMore = !text.extracting(value).equals("null")
            }
        }
        state.withLock { ($0.tools, $0.hasMore) = (names, hasMore || names.count == ToolListing.limit) }
    }

    /// Reads the response to `initialize`.
    func readServer(_ text: Span<UInt8>) {
        var server = ""
        var revision: String?
        ToolListing.eachMember(of: "result", in: text) { name, reader in
            if name.equals("serverInfo") {
                let value = reader.value(text) ?? 0..<0
                let info = text.extracting(value)
                var (first, second) = (JSONReader(), JSONReader())
                server = [ToolListing.member("name", &first, info), ToolListing.member("version", &second, info)]
                    .compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
            } else if name.equals("protocolVersion"), reader.peek(text) == UInt8(ascii: "\"") {
                revision = reader.string(text).map { text.extracting($0).excerpt() }
            } else {
                _ = reader.value(text)
            }
        }
        state.withLock { ($0.server, $0.revision) = (server, revision) }
    }

    /// Tools of which the names are kept.
    private static var limit: Int { 10_000 }

    /// Visits the members of an object that is a member of the whole; `visit` must read the value.
    private static func eachMember(
        of object: StaticString, in text: Span<UInt8>, _ visit: (Span<UInt8>, inout JSONReader) -> Void
    ) {
        var reader = JSONReader()
        guard reader.openObject(text) else { return }
        while let key = reader.nextName(text) {
            guard text.extracting(key).equals(object), reader.openObject(text) else {
                _ = reader.value(text)
                continue
            }
            while let inner = reader.nextName(text) { visit(text.extracting(inner), &reader) }
        }
    }

    /// Reads a value: the content of one of its members that is a string, if it is an object with such a member.
    private static func member(_ name: StaticString, _ reader: inout JSONReader, _ text: Span<UInt8>) -> String? {
        guard reader.openObject(text) else {
            _ = reader.value(text)
            return nil
        }
        var found: String?
        while let key = reader.nextName(text) {
            if text.extracting(key).equals(name), reader.peek(text) == UInt8(ascii: "\"") {
                found = reader.string(text).map { text.extracting($0).excerpt() }
            } else {
                _ = reader.value(text)
            }
        }
        return found
    }
}
