import Kernel
import MCP

/// The conversation of `mcp` checks with one server, and what is kept of it from one check to the next. A value: it says
/// what to send and what an answer means; its owner has the connections.
///
/// A server that speaks 2026-07-28 is asked `server/discover`, which needs no session. Any other is asked `initialize`, once,
/// and then `ping` within that one session until it is gone: servers keep what each request without a session begins, so
/// a session that comes unasked with an answer is ended at once, and the kept one at the end of the checks.
struct MCPCheck {
    /// What is sent to the server.
    enum Request: Equatable {
        case discover, initialize, initialized, ping
        /// A page of tools; an empty cursor asks for the first.
        case listTools(cursor: [UInt8])
        /// The end of a session.
        case delete([UInt8])
    }

    /// What is done next.
    enum Action: Equatable {
        case send(Request)
        case pass
        case fail(HealthProblem)
    }

    /// What a server answered.
    struct Answer {
        var status: UInt16
        var sessionID: [UInt8]?
        /// A JSON-RPC message, if there is one.
        var body: [UInt8]
    }

    /// How the server is spoken to.
    enum Mode: Equatable {
        case unknown
        /// 2026-07-28 or later.
        case modern
        /// An earlier revision, in the session with this id; empty if the server has given none.
        case session([UInt8], version: [UInt8])
    }

    private(set) var mode = Mode.unknown
    /// What was sent last.
    private(set) var request = Request.discover
    /// What the server speaks, as far as it has said.
    private(set) var revisions: ProtocolRevisions = []
    /// Stands for its tools; 0: not known.
    private(set) var catalog: UInt64 = 0
    /// The target of all requests, as it was when the session began.
    private(set) var path: [UInt8] = []

    /// Sessions that are ended before anything else is done.
    private var deletions: [[UInt8]] = []
    /// What is done when they have been.
    private var afterDeletions = Action.pass
    private var hasStartedOver = false
    private var listing = CatalogHash()
    private var pages = 0
    private var listsAgainAt = Instant(nanoseconds: 0)

    /// How often the tools are listed.
    static var listingInterval: Interval { .seconds(30) }
    private static var mostPages: Int { 16 }
    private static var mostDeletions: Int { 8 }
    private static var longestText: Int { 4_096 }

    // MARK: - Events

    /// A check begins: what to send.
    mutating func begin(path: [UInt8]) -> Request {
        if session == nil { self.path = path }
        hasStartedOver = false
        switch mode {
        case .unknown, .modern: request = .discover
        case .session: request = .ping
        }
        return request
    }

    /// The server has answered.
    mutating func handle(_ answer: Answer, at now: Instant) -> Action {
        let message = RPCAnswer(answer.body.span)
        let action =
            switch request {
            case .discover: discovered(answer.status, message, at: now)
            case .initialize: initialized(answer, message, at: now)
            case .initialized: confirmed(answer.status, at: now)
            case .ping: pinged(answer.status, at: now)
            case .listTools: listed(answer, message)
            case .delete: afterDeletions
            }
        if case .delete = request { return next(action) }
        if let stray = answer.sessionID, stray != session { end(stray) }
        return next(action)
    }

    /// The connection failed or there was no answer in time.
    mutating func interrupted(_ problem: HealthProblem) -> Action {
        switch request {
        // The server had answered what it is judged by.
        case .listTools: next(.pass)
        case .delete: next(afterDeletions)
        case .discover, .initialize, .initialized, .ping: .fail(problem)
        }
    }

    /// The checks end: what to send, if anything is left at the server.
    mutating func end() -> Request? {
        guard let session, !session.isEmpty else { return nil }
        mode = .unknown
        request = .delete(session)
        deletions = []
        afterDeletions = .pass
        return request
    }

    /// The id of the kept session; empty for a server without sessions, nil if there is nothing to ping in.
    var session: [UInt8]? { if case .session(let id, _) = mode { id } else { nil } }

    /// The revision in which the session is held.
    var version: [UInt8]? { if case .session(_, let version) = mode { version } else { nil } }

    /// What is done now, if `action` is what has to be done.
    private mutating func next(_ action: Action) -> Action {
        if let session = deletions.popLast() {
            afterDeletions = action
            request = .delete(session)
            return .send(request)
        }
        if case .send(let request) = action { self.request = request }
        return action
    }

    /// Has a session ended before anything else is done.
    private mutating func end(_ session: [UInt8]) {
        guard !session.isEmpty, session.count <= Self.longestText, deletions.count < Self.mostDeletions else { return }
        deletions.append(session)
    }
}

// MARK: - What answers mean

extension MCPCheck {
    private mutating func discovered(_ status: UInt16, _ message: RPCAnswer?, at now: Instant) -> Action {
        if status == 401 { return .pass }
        if Self.isFailure(status) { return .fail(.status(status)) }
        if let message, message.hasVersionList {
            let isRefusal = message.kind == .error(code: RPCAnswer.unsupportedVersion)
            if message.kind == .result || isRefusal, !message.supported.isDisjoint(with: .modern) {
                mode = .modern
                revisions = message.supported
                return passed(at: now)
            }
        } else if message == nil, status < 300 {
            return .fail(.notMCP)
        }
        mode = .unknown
        return .send(.initialize)
    }

    private mutating func initialized(_ answer: Answer, _ message: RPCAnswer?, at now: Instant) -> Action {
        mode = .unknown
        // It lives, and wants a token that checks do not have.
        if answer.status == 401 { return .pass }
        guard answer.status < 300 else { return .fail(.status(answer.status)) }
        guard let message, message.kind == .result, let range = message.protocolVersion, range.count <= 32 else {
            return .fail(.notMCP)
        }
        let version = Array(answer.body[range])
        guard version.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return .fail(.notMCP) }
        revisions = ProtocolRevisions(version: version.span)
        let id = answer.sessionID ?? []
        guard id.count <= Self.longestText else { return .fail(.notMCP) }
        mode = .session(id, version: version)
        return id.isEmpty ? passed(at: now) : .send(.initialized)
    }

    private mutating func confirmed(_ status: UInt16, at now: Instant) -> Action {
        status < 300 ? passed(at: now) : dropSession(then: .fail(.status(status)))
    }

    private mutating func pinged(_ status: UInt16, at now: Instant) -> Action {
        if status < 300 { return passed(at: now) }
        if status == 401 { return .pass }
        if Self.isFailure(status) { return .fail(.status(status)) }
        guard !hasStartedOver else { return dropSession(then: .fail(.status(status))) }
        hasStartedOver = true
        guard status != 404 else {
            // The session is gone, perhaps with the process: what runs there now may be another version.
            mode = .unknown
            return .send(.discover)
        }
        return dropSession(then: .send(.discover))
    }

    private mutating func listed(_ answer: Answer, _ message: RPCAnswer?) -> Action {
        guard answer.status < 300, let message, let tools = message.tools, listing.add(answer.body[tools].span) else {
            return .pass
        }
        pages += 1
        guard let range = message.nextCursor, !range.isEmpty else {
            catalog = listing.value
            return .pass
        }
        guard pages < Self.mostPages, range.count <= Self.longestText else { return .pass }
        return .send(.listTools(cursor: Array(answer.body[range])))
    }

    /// The server is well; now and then its tools are looked at.
    private mutating func passed(at now: Instant) -> Action {
        guard now >= listsAgainAt else { return .pass }
        listsAgainAt = now + Self.listingInterval
        listing = CatalogHash()
        pages = 0
        return .send(.listTools(cursor: []))
    }

    private mutating func dropSession(then action: Action) -> Action {
        end(session ?? [])
        mode = .unknown
        return action
    }

    /// Statuses that say nothing about what the server speaks: it is broken, or has too much to do.
    private static func isFailure(_ status: UInt16) -> Bool { status >= 500 || status == 408 || status == 429 }
}
