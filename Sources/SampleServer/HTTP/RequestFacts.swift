import ASCII
import HTTP
import Reactor

/// The facts of a request's head that are needed after its body is complete.
struct RequestFacts {
    enum Path {
        case mcp, sse, messages, health, other
    }

    /// The value of `MCP-Protocol-Version`.
    enum Version {
        /// The field is absent.
        case absent
        /// A revision with sessions: 2025-11-25 or older.
        case session
        /// 2026-07-28.
        case stateless
        /// A later revision, which has no sessions either.
        case future
        /// No protocol revision.
        case unknown
    }

    /// The session id that a request presents.
    enum PresentedSession {
        /// There is no session id.
        case none
        /// An id, which need not exist.
        case session(SessionID)
        /// An id in a form that this server never issues.
        case invalid
    }

    let method: Method
    let path: Path
    let version: Version
    /// `Mcp-Session-Id`, or the `session_id` of a legacy message's query.
    let presentedSession: PresentedSession
    let isHTTP10: Bool
    /// Whether the connection persists after the response. Never with HTTP/1.0.
    let wantsKeepAlive: Bool
    let acceptsJSON: Bool
    let acceptsEvents: Bool
    let sendsJSON: Bool
    /// `Mcp-Method`, `Mcp-Name` and the version as sent, only of stateless requests, whose body must match them. The
    /// ranges refer to the text that `init` has copied.
    let mcpMethod: ByteRange?
    let mcpName: ByteRange?
    let versionText: ByteRange

    /// `text` is the text that the head was parsed from. The values that are needed later are copied to `headText`,
    /// whose contents they replace.
    init(_ head: borrowing RequestHead, _ text: Span<UInt8>, copyingTo headText: inout ByteBuffer) {
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
        presentedSession = path == .messages ? query : RequestFacts.presentedSession(head.sessionID, text)
        isHTTP10 = head.minorVersion == 0
        wantsKeepAlive = head.isKeepAlive ? head.minorVersion > 0 : false
        self.acceptsJSON = acceptsJSON
        acceptsEvents = head.acceptsEventStream
        self.sendsJSON = sendsJSON
        headText.clear()
        mcpName = isModern ? RequestFacts.copy(name, text, &headText) : nil
        mcpMethod = isModern ? RequestFacts.copy(method, text, &headText) : nil
        versionText = isModern ? RequestFacts.copy(head.protocolVersion, text, &headText) ?? .empty : .empty
    }

    /// A placeholder for a connection that has not made a request.
    init() {
        method = .get
        path = .other
        version = .absent
        presentedSession = .none
        (isHTTP10, wantsKeepAlive, acceptsJSON, acceptsEvents, sendsJSON) = (false, false, false, false, false)
        (mcpMethod, mcpName, versionText) = (nil, nil, .empty)
    }

    private static func copy(_ range: ByteRange?, _ text: Span<UInt8>, _ headText: inout ByteBuffer) -> ByteRange? {
        guard let range else { return nil }
        headText.append(text.extracting(range.range))
        return ByteRange(start: headText.count - range.range.count, count: range.range.count)
    }

    private static func presentedSession(_ id: ByteRange?, _ text: Span<UInt8>) -> PresentedSession {
        guard let id else { return .none }
        return SessionID(text.extracting(id.range)).map { .session($0) } ?? .invalid
    }

    private static func version(_ text: Span<UInt8>) -> Version {
        if text.equals("2026-07-28") { return .stateless }
        if isKnownSessionVersion(text) { return .session }
        // Versions are dates, which are ordered like text.
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

    private static func path(_ target: Span<UInt8>) -> (Path, query: PresentedSession) {
        var end = 0
        while end < target.count, target[end] != UInt8(ascii: "?") { end += 1 }
        let path = target.extracting(0..<end)
        if path.equals("/mcp") { return (.mcp, .none) }
        if path.equals("/sse") { return (.sse, .none) }
        if path.equals("/healthz") { return (.health, .none) }
        guard path.equals("/messages/") ? true : path.equals("/messages") else { return (.other, .none) }
        return (.messages, sessionID(inQuery: target.extracting(min(end + 1, target.count)..<target.count)))
    }

    private static func sessionID(inQuery query: Span<UInt8>) -> PresentedSession {
        var start = 0
        while start < query.count {
            var end = start
            while end < query.count, query[end] != UInt8(ascii: "&") { end += 1 }
            if query.hasIgnoringCase("session_id=", at: start), start + 11 <= end {
                return presentedSession(ByteRange(start: start + 11, count: end - start - 11), query)
            }
            start = end + 1
        }
        return .none
    }
}
