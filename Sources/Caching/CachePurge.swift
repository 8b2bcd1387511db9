package import MCP

/// Which answers an operator wants to be gone; all conditions hold.
package struct CachePurge: Sendable, Equatable {
    /// Of this method; nil: of any.
    package var method: MCPMethod?
    /// Of tools or resources that fit this pattern, in which `*` stands for any text; nil: of any.
    package var subject: [UInt8]?

    /// All answers.
    package init() {}

    func isFor(_ answer: CachedAnswer) -> Bool {
        guard (method ?? answer.method) == answer.method else { return false }
        guard let subject else { return true }
        let name = answer.subject
        return NamePattern.fits(subject.span, name.span)
    }
}
