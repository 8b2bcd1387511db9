import HTTP

/// The requests that clients of a run make.
enum RequestKind: UInt8, CaseIterable, Sendable {
    case initialize
    /// `notifications/initialized`.
    case initialized
    /// `tools/list`.
    case list
    /// `tools/call` of the plan's tool.
    case call
    /// `tools/call` of `echo` with the call's id as the text.
    case echo
    case delete
    /// The GET of an event stream: the session's standalone one, or the one that is the session (2024-11-05).
    case stream
    /// `tools/call` of the tool that sends numbered, timed events.
    case events

    var method: Method {
        switch self {
        case .initialize, .initialized, .list, .call, .echo, .events: .post
        case .delete: .delete
        case .stream: .get
        }
    }

    /// Whether its JSON-RPC message has an id, so that an answer to it is due.
    var isAnswered: Bool {
        switch self {
        case .initialize, .list, .call, .echo, .events: true
        case .initialized, .delete, .stream: false
        }
    }

    /// Whether its answer goes on until somebody ends it.
    var isEndless: Bool {
        switch self {
        case .stream, .events: true
        case .initialize, .initialized, .list, .call, .echo, .delete: false
        }
    }
}
