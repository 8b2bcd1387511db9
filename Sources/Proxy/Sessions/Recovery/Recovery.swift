import Kernel
import MCP
import Reactor

/// A session on its way to another server: which requests that takes, and how far they have got. A value: it holds no
/// connection, and says what to send next.
struct Recovery {
    enum Step: Equatable {
        case initialize, initialized, logLevel
        /// The subscription with this index.
        case subscription(Int)
    }

    let id: UInt32
    let key: SessionKey
    /// The slot of its upstream, and who has it.
    let upstream: ServerID
    /// The server that lost the session; nil if it is not configured any more.
    let lost: Int?
    /// The server that lost it may get it again: it answers, and knows nothing of it.
    let mayReturn: Bool
    let record: SessionRecord
    let origin: ClientOrigin
    let template: RequestTemplate
    let startedAt: Instant
    /// Requests of this worker that wait for it.
    var waiting: [Handle] = []
    private(set) var step = Step.initialize
    /// The server that has opened the new session, and its id there.
    var server = -1
    var sessionID: [UInt8] = []
    /// Not everything could be replayed.
    var isDegraded = false
    /// The server that lost the session was asked after all.
    var hasAskedAll = false

    init(
        id: UInt32, key: SessionKey, upstream: ServerID, lost: Int?, mayReturn: Bool, record: SessionRecord,
        origin: ClientOrigin, template: RequestTemplate, startedAt: Instant
    ) {
        self.id = id
        self.key = key
        self.upstream = upstream
        self.lost = lost
        self.mayReturn = mayReturn
        self.record = record
        self.origin = origin
        self.template = template
        self.startedAt = startedAt
    }

    /// Which servers may get the request of the present step.
    var target: InternalTarget {
        guard step == .initialize else { return .server(server) }
        return .anyBut(hasAskedAll ? [] : lost.map { [$0] } ?? [])
    }

    /// Goes to the next step; nil: there is none, and the session has moved.
    mutating func advance() -> Step? {
        let next: Step? =
            switch step {
            case .initialize: .initialized
            case .initialized where !record.logLevel.isEmpty: .logLevel
            case .initialized, .logLevel: subscription(0)
            case .subscription(let index): subscription(index + 1)
            }
        if let next { step = next }
        return next
    }

    private func subscription(_ index: Int) -> Step? {
        record.subscriptions.indices.contains(index) ? .subscription(index) : nil
    }

    /// The request of the present step. The ids are strings of the proxy's own, so that none is a client's.
    func request() -> [UInt8] {
        switch step {
        case .initialize:
            let params = record.handshake?.params ?? []
            return template.request(
                body: Self.message("initialize", params: params, id: id), session: nil, version: nil)
        case .initialized: return inSession(Self.message("notifications/initialized", params: [], id: nil))
        case .logLevel: return inSession(Self.message("logging/setLevel", params: record.logLevel, id: id))
        case .subscription(let index):
            let params = record.subscriptions[index]
            return inSession(Self.message("resources/subscribe", params: params, id: id))
        }
    }

    private func inSession(_ body: [UInt8]) -> [UInt8] {
        template.request(body: body, session: sessionID, version: record.result?.protocolVersion)
    }

    private static func message(_ method: String, params: [UInt8], id: UInt32?) -> [UInt8] {
        var text = Array(#"{"jsonrpc":"2.0","#.utf8)
        if let id { text += Array(#""id":"berth-\#(id)","#.utf8) }
        text += Array(#""method":"\#(method)""#.utf8)
        if !params.isEmpty { text += Array(#","params":"#.utf8) + params }
        return text + [UInt8(ascii: "}")]
    }
}
