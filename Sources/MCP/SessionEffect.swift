/// What a client's message does to its session, as far as another server would have to know it.
package enum SessionEffect: Equatable, Sendable {
    /// Nothing: the session is as it was.
    case none
    /// It may leave state behind that only the session's server has.
    case dirties
    /// The session's log level (MCP 2025-03-26, "Logging"); `params` as they stand in the body.
    case setsLogLevel(params: Range<Int>)
    /// The session is told of changes of a resource from now on, or not any more.
    case subscribes(params: Range<Int>)
    case unsubscribes(params: Range<Int>)

    /// Another server is told the same.
    package var isReplayed: Bool {
        switch self {
        case .none, .dirties: false
        case .setsLogLevel, .subscribes, .unsubscribes: true
        }
    }

    /// What the message does that a body holds. One that cannot be read may do anything. `isReadOnly` says that the tool
    /// that is called, if one is, changes nothing.
    package init(of summary: RequestSummary?, isReadOnly: Bool) {
        guard let summary else {
            self = .dirties
            return
        }
        switch summary.method {
        case .initialized, .ping, .discover, .toolsList, .promptsList, .promptsGet, .resourcesList,
            .resourceTemplatesList, .resourcesRead, .complete, .cancelled, .progress, .rootsListChanged:
            self = .none
        case .toolsCall: self = isReadOnly ? .none : .dirties
        case .setLevel: self = summary.params.map { .setsLogLevel(params: $0) } ?? .none
        case .resourcesSubscribe: self = summary.params.map { .subscribes(params: $0) } ?? .dirties
        case .resourcesUnsubscribe: self = summary.params.map { .unsubscribes(params: $0) } ?? .dirties
        // A response answers a request of the server, which waits for it in its memory.
        case .initialize, .listen, .tasksGet, .tasksResult, .tasksList, .tasksCancel, .tasksUpdate,
            .response, .batch, .other:
            self = .dirties
        }
    }
}
