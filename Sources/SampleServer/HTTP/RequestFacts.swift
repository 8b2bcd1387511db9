import ASCII
import HTTP
import Reactor

/// What is remembered of a request's head until its body is complete.
struct RequestFacts {
    enum Path {
        case mcp, sse, messages, health, other
    }

    /// What `MCP-Protocol-Version` says.
    enum Version {
        case absent
        /// 2025-11-25 or an older one that exists.
        case session
        /// 2026-07-28.
        case stateless
        /// Later than all we know: still an era without sessions.
        case future
        case unknown
    }

    /// Whose session a request claims to be of.
    enum Claim {
        case none
        case session(SessionID)
        /// An id that no server like this one hands out.
        case nonsense
    }

    let method: Method
    let path: Path
    let version: Version
    /// `Mcp-Session-Id`, or the `session_id` of a legacy message's query.
    let claim: Claim
    let isHTTP10: Bool
    /// The connection goes on after the answer. Never in HTTP/1.0.
    let wantsKeepAlive: Bool
    let acceptsJSON: Bool
    let acceptsEvents: Bool
    let sendsJSON: Bool
    /// `Mcp-Method` and `Mcp-Name`, kept only of stateless requests, which must repeat them in the body; and the
    /// version as sent. Ranges into what `init` has put by.
    let mcpMethod: ByteRange?
    let mcpName: ByteRange?
    let versionText: ByteRange

    /// `text` is what the head was parsed from; it will be gone when the body is complete, so what is needed of it then
    /// replaces what was in `kept`.
    init(_ head: borrowing RequestHead, _ text: Span<UInt8>, keepingIn kept: inout ByteBuffer) {
        var acceptsJSON = false
        var sendsJSON = false
        var name: ByteRange?
        var method: ByteRange?
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            switch field.kind {
            case .accept where !acceptsJSON:
                acceptsJSON = text.extracting(field.value.range).listsMediaType("application/json")
            case .contentType: sendsJSON = text.extracting(field.value.range).listsMediaType("application/json")
            case .mcpName: name = field.value
            case .mcpMethod: method = field.value
            default: break
            }
        }
        let version = head.protocolVersion.map { RequestFacts.version(text.extracting($0.range)) } ?? .absent
        let (path, query) = RequestFacts.path(text.extracting(head.target.range))
        let isModern = version == .stateless || version == .future
        self.method = head.method
        self.path = path
        self.version = version
        claim = path == .messages ? query : RequestFacts.claim(head.sessionID, text)
        isHTTP10 = head.minorVersion == 0
        wantsKeepAlive = head.isKeepAlive ? head.minorVersion > 0 : false
        self.acceptsJSON = acceptsJSON
        acceptsEvents = head.acceptsEventStream
        self.sendsJSON = sendsJSON
        kept.clear()
        mcpName = isModern ? RequestFacts.keep(name, text, &kept) : nil
        mcpMethod = isModern ? RequestFacts.keep(method, text, &kept) : nil
        versionText = isModern ? RequestFacts.keep(head.protocolVersion, text, &kept) ?? .empty : .empty
    }

    /// Stands for the request of a connection that has not made one.
    init() {
        method = .get
        path = .other
        version = .absent
        claim = .none
        (isHTTP10, wantsKeepAlive, acceptsJSON, acceptsEvents, sendsJSON) = (false, false, false, false, false)
        (mcpMethod, mcpName, versionText) = (nil, nil, .empty)
    }

    private static func keep(_ range: ByteRange?, _ text: Span<UInt8>, _ kept: inout ByteBuffer) -> ByteRange? {
        guard let range else { return nil }
        kept.append(text.extracting(range.range))
        return ByteRange(start: kept.count - range.range.count, count: range.range.count)
    }

    private static func claim(_ id: ByteRange?, _ text: Span<UInt8>) -> Claim {
        guard let id else { return .none }
        return SessionID(text.extracting(id.range)).map { .session($0) } ?? .nonsense
    }

    private static func version(_ text: Span<UInt8>) -> Version {
        if text.equals("2026-07-28") { return .stateless }
        if isKnownSessionVersion(text) { return .session }
        // Dates order as text does; what is no date is no version.
        guard text.count == 10 else { return .unknown }
        for (index, byte) in "2026-07-28".utf8.enumerated() where text[index] != byte {
            return text[index] > byte && text[index] < 58 ? .future : .unknown
        }
        return .unknown
    }

    /// The revisions that begin with `initialize`.
    static func isKnownSessionVersion(_ text: Span<UInt8>) -> Bool {
        if text.equals("2025-11-25") { return true }
        if text.equals("2025-06-18") { return true }
        if text.equals("2025-03-26") { return true }
        return text.equals("2024-11-05")
    }

    private static func path(_ target: Span<UInt8>) -> (Path, query: Claim) {
        var end = 0
        while end < target.count, target[end] != UInt8(ascii: "?") { end += 1 }
        let path = target.extracting(0..<end)
        if path.equals("/mcp") { return (.mcp, .none) }
        if path.equals("/sse") { return (.sse, .none) }
        if path.equals("/healthz") { return (.health, .none) }
        guard path.equals("/messages/") ? true : path.equals("/messages") else { return (.other, .none) }
        return (.messages, sessionID(inQuery: target.extracting(min(end + 1, target.count)..<target.count)))
    }

    private static func sessionID(inQuery query: Span<UInt8>) -> Claim {
        var start = 0
        while start < query.count {
            var end = start
            while end < query.count, query[end] != UInt8(ascii: "&") { end += 1 }
            if query.hasIgnoringCase("session_id=", at: start), start + 11 <= end {
                return claim(ByteRange(start: start + 11, count: end - start - 11), query)
            }
            start = end + 1
        }
        return .none
    }
}
