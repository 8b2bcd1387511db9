import MCP

/// Finds the answers that a server's change concerns, without looking at the others.
struct AnswerIndex: Sendable {
    private var byMethod: [MCPMethod: Set<Int>] = [:]
    /// Answers to `resources/read`, by URI.
    private var byURI: [[UInt8]: Set<Int>] = [:]

    mutating func insert(_ slot: Int, _ answer: CachedAnswer) {
        byMethod[answer.method, default: []].insert(slot)
        if answer.method == .resourcesRead { byURI[answer.subject, default: []].insert(slot) }
    }

    mutating func remove(_ slot: Int, _ answer: CachedAnswer) {
        byMethod[answer.method]?.remove(slot)
        guard answer.method == .resourcesRead else { return }
        byURI[answer.subject]?.remove(slot)
        if byURI[answer.subject]?.isEmpty == true { byURI[answer.subject] = nil }
    }

    /// The slots of the answers that may be different from now on.
    func slots(of change: ServerChange) -> Set<Int> {
        switch change {
        case .tools: byMethod[.toolsList] ?? []
        case .prompts: byMethod[.promptsList] ?? []
        case .resources: (byMethod[.resourcesList] ?? []).union(byMethod[.resourceTemplatesList] ?? [])
        case .resource(let uri): byURI[uri] ?? []
        case .someResource: byMethod[.resourcesRead] ?? []
        }
    }
}
