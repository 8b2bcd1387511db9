package import MCP

/// What a server has said of itself.
package enum ServerChange: Sendable, Equatable {
    /// `notifications/tools/list_changed`, `notifications/prompts/list_changed` and `notifications/resources/list_changed`.
    case tools, prompts, resources
    /// `notifications/resources/updated` of this URI, in the one spelling of its JSON string.
    case resource([UInt8])
    /// The same of one that could not be read.
    case someResource

    /// The methods whose answers it may concern.
    package var methods: [MCPMethod] {
        switch self {
        case .tools: [.toolsList]
        case .prompts: [.promptsList]
        case .resources: [.resourcesList, .resourceTemplatesList]
        case .resource, .someResource: [.resourcesRead]
        }
    }

    /// Whether answers of a method with a subject may be different from now on.
    func concerns(_ method: MCPMethod, _ subject: [UInt8]) -> Bool {
        switch self {
        case .tools: method == .toolsList
        case .prompts: method == .promptsList
        case .resources: method == .resourcesList || method == .resourceTemplatesList
        case .resource(let uri): method == .resourcesRead && subject == uri
        case .someResource: method == .resourcesRead
        }
    }
}
