import ASCII
import JSON

/// The methods that clients send to servers, over all revisions of MCP, as far as a balancer tells them apart.
package enum MCPMethod: UInt8, BitwiseCopyable, CaseIterable, Sendable {
    case initialize, initialized, ping, discover
    case toolsList, toolsCall
    case promptsList, promptsGet
    case resourcesList, resourceTemplatesList, resourcesRead, resourcesSubscribe, resourcesUnsubscribe
    case complete, setLevel, listen
    /// Methods of tasks, of whichever revision.
    case tasksGet, tasksResult, tasksList, tasksCancel, tasksUpdate
    case cancelled, progress, rootsListChanged
    /// A message without a method: it answers a request of the server.
    case response
    /// An array of messages (2025-03-26 only).
    case batch
    /// Any other method.
    case other

    /// The method with this name, as it stands between its quotes in a JSON text.
    package init(_ text: Span<UInt8>) {
        if text.count == 10, text.word(at: 0) == UInt64(ascii: "tools/ca"), text.has("ll", at: 8) {
            self = .toolsCall
            return
        }
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
        case .initialize, .initialized, .toolsCall, .listen, .tasksGet, .tasksResult, .tasksList,
            .tasksCancel, .tasksUpdate, .cancelled, .progress, .rootsListChanged, .response, .batch, .other:
            false
        }
    }

    /// The method's name in MCP; nil where there is no name, or none that is known.
    package var name: StaticString? {
        for (name, method) in MCPMethod.names where method == self { return name }
        return nil
    }

    private static let names: [(StaticString, MCPMethod)] = [
        ("tools/call", .toolsCall), ("initialize", .initialize), ("notifications/initialized", .initialized),
        ("ping", .ping), ("tools/list", .toolsList), ("server/discover", .discover), ("prompts/list", .promptsList),
        ("prompts/get", .promptsGet), ("resources/list", .resourcesList),
        ("resources/templates/list", .resourceTemplatesList), ("resources/read", .resourcesRead),
        ("resources/subscribe", .resourcesSubscribe), ("resources/unsubscribe", .resourcesUnsubscribe),
        ("completion/complete", .complete), ("logging/setLevel", .setLevel), ("subscriptions/listen", .listen),
        ("tasks/get", .tasksGet), ("tasks/result", .tasksResult), ("tasks/list", .tasksList),
        ("tasks/cancel", .tasksCancel), ("tasks/update", .tasksUpdate), ("notifications/cancelled", .cancelled),
        ("notifications/progress", .progress),
        ("notifications/roots/list_changed", .rootsListChanged),
    ]
}
