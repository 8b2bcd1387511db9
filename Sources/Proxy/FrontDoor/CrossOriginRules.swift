import ASCII
import Configuration
import HTTP
import Reactor

/// Pages of which origins may read the responses of a route, and how they are told: the CORS protocol (Fetch standard,
/// section 3.3), with what MCP needs of it.
struct CrossOriginRules: Sendable {
    /// Empty: pages of all origins may read.
    private let origins: [WebOrigin]
    /// Whole field lines, by origin; those for everybody are the only ones then.
    private let lines: [[UInt8]]

    init(_ configuration: CrossOriginConfiguration) {
        switch configuration {
        case .everybody:
            origins = []
            lines = [Self.grant(to: "*")]
        case .origins(let texts):
            origins = texts.compactMap { WebOrigin($0.utf8.span) }
            lines = texts.map { Self.grant(to: $0) + Self.varyLine }
        }
    }

    /// The index of an origin that may read; nil: it may not.
    func index(of origin: Span<UInt8>) -> Int? {
        origins.isEmpty ? 0 : origins.firstIndex { $0.matches(origin) }
    }

    /// Field lines of every response of the route: who may read it, and, where that depends on who asks, that it does (RFC 9110
    /// section 12.5.5).
    func fieldLines(_ verdict: OriginVerdict) -> [UInt8] {
        if origins.isEmpty { return lines[0] }
        guard case .mayRead(let index) = verdict, lines.indices.contains(index) else { return Self.varyLine }
        return lines[index]
    }

    private static let varyLine = Array("vary: origin\r\n".utf8)

    /// Cookies are not among what pages may send: MCP has none, and tokens are sent by `Authorization`.
    private static func grant(to origin: String) -> [UInt8] {
        Array("access-control-allow-origin: \(origin)\r\naccess-control-expose-headers: \(readable)\r\n".utf8)
    }

    /// Response fields that a page may read beside those that every page may.
    private static let readable =
        "mcp-session-id, mcp-protocol-version, www-authenticate, retry-after, ratelimit, ratelimit-policy, "
        + "cache-status, x-berth-error, x-request-id, traceparent"
}

// MARK: - Preflights

extension CrossOriginRules {
    /// Whether a request is what a browser asks before it sends another one: OPTIONS with these two fields.
    static func isPreflight(_ head: borrowing RequestHead, in buffer: borrowing ByteBuffer) -> Bool {
        guard case .options = head.method else { return false }
        var hasOrigin = false
        var hasMethod = false
        for index in 0..<head.fields.count {
            let name = buffer.span.extracting(head.fields[index].name.range)
            if name.isFieldName("origin") { hasOrigin = true }
            if name.isFieldName("access-control-request-method") { hasMethod = true }
        }
        return hasOrigin && hasMethod
    }

    /// The answer to a preflight: the methods of MCP, and of the fields that are asked for those that MCP and its clients
    /// have. Who may read is added as to all responses.
    static func preflightAnswer(_ head: borrowing RequestHead, in buffer: borrowing ByteBuffer) -> FixedAnswer {
        var lines = Array("access-control-allow-methods: GET, POST, DELETE, OPTIONS\r\n".utf8)
        let names = permittedNames(head, in: buffer)
        if !names.isEmpty { lines += Array("access-control-allow-headers: ".utf8) + names + Array("\r\n".utf8) }
        lines += "access-control-max-age: \(maximumAge)\r\n".utf8
        lines += "vary: access-control-request-method, access-control-request-headers\r\n".utf8
        return FixedAnswer(status: 204, lines: lines)
    }

    /// Seconds for which a browser need not ask again. Chromium keeps it no longer.
    private static var maximumAge: Int { 7_200 }

    private static func permittedNames(
        _ head: borrowing RequestHead, in buffer: borrowing ByteBuffer
    ) -> [UInt8] {
        var names: [UInt8] = []
        let bytes = buffer.span
        for index in 0..<head.fields.count
        where bytes.extracting(head.fields[index].name.range).isFieldName("access-control-request-headers") {
            let list = bytes.extracting(head.fields[index].value.range).copied
            for element in list.split(separator: UInt8(ascii: ",")) {
                let name = element.drop { $0 == 0x20 || $0 == 0x09 }.prefix { $0 != 0x20 && $0 != 0x09 }
                guard isPermitted(name) else { continue }
                if !names.isEmpty { names += ", ".utf8 }
                names += name.map(\.lowercased)
            }
        }
        return names
    }

    private static func isPermitted(_ name: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: name.map(\.lowercased), as: UTF8.self)
        if permitted.contains(text) { return true }
        let prefix = "mcp-param-"
        return text.hasPrefix(prefix) && text.utf8.count > prefix.utf8.count
            && name.allSatisfy { ByteClass.isToken($0) }
    }

    /// Request fields that pages may send beside `Mcp-Param-*` (MCP 2026-07-28, "Standard request headers").
    private static let permitted: Set<String> = [
        "accept", "accept-language", "authorization", "cache-control", "content-type", "last-event-id", "mcp-method",
        "mcp-name", "mcp-protocol-version", "mcp-session-id", "traceparent", "tracestate", "baggage", "x-api-key",
        "x-request-id",
    ]
}
