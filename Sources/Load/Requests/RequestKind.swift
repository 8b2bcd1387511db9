import HTTP

/// The kinds of requests that the clients of a run make.
enum RequestKind: UInt8, CaseIterable, Sendable {
    /// `initialize`.
    case initialize
    /// `notifications/initialized`.
    case initialized
    /// `tools/list`.
    case list
    /// `tools/call` of the plan's tool.
    case call
    /// `tools/call` of `echo` with the call's id as the text.
    case echo
    /// DELETE, which ends a session.
    case delete
    /// GET of an event stream: that of a Streamable HTTP session, or the one that opens a 2024-11-05 session.
    case stream

    var method: Method {
        switch self {
        case .initialize, .initialized, .list, .call, .echo: .post
        case .delete: .delete
        case .stream: .get
        }
    }

    /// Whether it is a JSON-RPC request, which has an id and gets a response.
    var isAnswered: Bool {
        switch self {
        case .initialize, .list, .call, .echo: true
        case .initialized, .delete, .stream: false
        }
    }

    /// Whether its response has no end of its own: an event stream.
    var isEndless: Bool {
        switch self {
        case .stream: true
        case .initialize, .initialized, .list, .call, .echo, .delete: false
        }
    }
}
