/// Which tools the scopes of a token allow.
package struct ToolPolicy: Sendable, Equatable {
    /// The tools of one scope.
    package struct Rule: Sendable, Equatable {
        /// The scope that a token must have.
        package var scope: String
        /// Names, or the beginning of names with `*` behind it.
        package var allowed: [String]
        /// Taken away from what the same scope allows.
        package var denied: [String]

        package init(scope: String, allowed: [String], denied: [String] = []) {
            self.scope = scope
            self.allowed = allowed
            self.denied = denied
        }

        fileprivate func allows(_ tool: String) -> Bool {
            allowed.contains { ToolPolicy.matches(tool, $0) } && !denied.contains { ToolPolicy.matches(tool, $0) }
        }
    }

    /// One for each scope; a tool that none allows is forbidden.
    package var rules: [Rule]

    package init(_ rules: [Rule]) { self.rules = rules }

    /// Every tool is allowed: there are no rules.
    package var isOpen: Bool { rules.isEmpty }

    /// Whether one of the scopes allows a tool.
    package func allows(_ tool: String, to scopes: Set<String>) -> Bool {
        isOpen || rules.contains { scopes.contains($0.scope) && $0.allows(tool) }
    }

    /// Scopes, one of which would allow the tool, in the order of the rules.
    package func scopes(allowing tool: String) -> [String] {
        rules.filter { $0.allows(tool) }.map(\.scope)
    }

    /// The tools that one of some scopes allows.
    package func tools(of scopes: Set<String>) -> AllowedTools {
        AllowedTools(rules: isOpen ? nil : rules.filter { scopes.contains($0.scope) })
    }

    /// What some scopes allow.
    package struct AllowedTools: Sendable {
        /// Nil: there are no rules.
        fileprivate let rules: [Rule]?

        /// Every tool is among them.
        package var isEverything: Bool {
            guard let rules else { return true }
            return rules.contains { $0.allowed.contains("*") && $0.denied.isEmpty }
        }

        /// Whether a tool is.
        package func contains(_ tool: String) -> Bool {
            guard let rules else { return true }
            return rules.contains { $0.allows(tool) }
        }
    }

    private static func matches(_ tool: String, _ pattern: String) -> Bool {
        pattern.hasSuffix("*") ? tool.hasPrefix(pattern.dropLast()) : tool == pattern
    }
}
