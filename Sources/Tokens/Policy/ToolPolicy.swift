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

        fileprivate func allows(_ tool: Span<UInt8>) -> Bool {
            for pattern in denied where ToolPolicy.matches(tool, pattern) { return false }
            for pattern in allowed where ToolPolicy.matches(tool, pattern) { return true }
            return false
        }

        fileprivate func allows(_ tool: String) -> Bool { allows(Array(tool.utf8).span) }
    }

    /// One for each scope; a tool that none allows is forbidden.
    package var rules: [Rule]

    package init(_ rules: [Rule]) { self.rules = rules }

    /// Every tool is allowed: there are no rules.
    package var isOpen: Bool { rules.isEmpty }

    /// Whether one of the scopes allows a tool, by the bytes of its name.
    package func allows(_ tool: Span<UInt8>, to scopes: Set<String>) -> Bool {
        for rule in rules where scopes.contains(rule.scope) && rule.allows(tool) { return true }
        return isOpen
    }

    /// The same for a text.
    package func allows(_ tool: String, to scopes: Set<String>) -> Bool { allows(Array(tool.utf8).span, to: scopes) }

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

    private static func matches(_ tool: Span<UInt8>, _ pattern: String) -> Bool {
        var left = pattern.utf8.count
        var index = 0
        for byte in pattern.utf8 {
            left -= 1
            if left == 0, byte == UInt8(ascii: "*") { return true }
            guard index < tool.count, tool[index] == byte else { return false }
            index += 1
        }
        return index == tool.count
    }
}
