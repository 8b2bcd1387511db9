import JSON

/// The methods that clients send to servers, over all revisions of MCP, as far as a balancer tells them apart.
package enum MCPMethod: UInt8, Sendable {
    case initialize, initialized, ping, discover
    case toolsList, toolsCall
    case promptsList, promptsGet
    case resourcesList, resourceTemplatesList, resourcesRead, resourcesSubscribe, resourcesUnsubscribe
    case complete, setLevel, listen
    /// A method of tasks, of whichever revision.
    case tasks
    case cancelled, progress, rootsListChanged
    /// A message without a method: it answers a request of the server.
    case response
    /// An array of messages (2025-03-26 only).
    case batch
    /// Any other method.
    case other

    /// The method with this name, as it stands between its quotes in a JSON text.
    package init(_ text: Span<UInt8>) {
        for (name, method) in MCPMethod.names where JSONString.content(text, equals: name) {
            self = method
            return
        }
        self = .other
    }

    /// Whether asking twice does no more than asking once (MCP; by convention for those that the specification leaves
    /// open). `initialize` is not among them: it opens a session each time. Nor is a call of a tool, unless its server
    /// says otherwise.
    package var isIdempotent: Bool {
        switch self {
        case .ping, .discover, .toolsList, .promptsList, .promptsGet, .resourcesList, .resourceTemplatesList,
            .resourcesRead, .resourcesSubscribe, .resourcesUnsubscribe, .complete, .setLevel:
            true
        case .initialize, .initialized, .toolsCall, .listen, .tasks, .cancelled, .progress, .rootsListChanged,
            .response, .batch, .other:
            false
        }
    }

    private static let names: [(StaticString, MCPMethod)] = [
        ("tools/call", .toolsCall), ("initialize", .initialize), ("notifications/initialized", .initialized),
        ("ping", .ping), ("tools/list", .toolsList), ("server/discover", .discover), ("prompts/list", .promptsList),
        ("prompts/get", .promptsGet), ("resources/list", .resourcesList),
        ("resources/templates/list", .resourceTemplatesList), ("resources/read", .resourcesRead),
        ("resources/subscribe", .resourcesSubscribe), ("resources/unsubscribe", .resourcesUnsubscribe),
        ("completion/complete", .complete), ("logging/setLevel", .setLevel), ("subscriptions/listen", .listen),
        ("tasks/get", .tasks), ("tasks/result", .tasks), ("tasks/list", .tasks), ("tasks/cancel", .tasks),
        ("tasks/update", .tasks), ("notifications/cancelled", .cancelled), ("notifications/progress", .progress),
        ("notifications/roots/list_changed", .rootsListChanged),
    ]
}
