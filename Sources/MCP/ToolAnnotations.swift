import ASCII

/// What a server says of its tools in `tools/list` (MCP 2025-03-26, "Tool annotations"): which may be called twice.
///
/// The annotations are hints, which only an operator can decide to trust. Bounded: a tool beyond the limits counts as one
/// of which nothing was said.
package struct ToolAnnotations: Equatable, Sendable {
    /// Tools remembered at most.
    package static var maximumTools: Int { 1_024 }
    /// The longest name that is remembered, in bytes.
    package static var maximumNameBytes: Int { 128 }

    /// What was said of a tool. A tool of which neither was said is not remembered.
    package struct Hints: OptionSet, Sendable {
        /// The bits.
        package let rawValue: UInt8

        /// The hints of these bits.
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// `readOnlyHint`: it changes nothing.
        package static var readOnly: Hints { Hints(rawValue: 1) }
        /// `idempotentHint`: calling it twice is calling it once.
        package static var idempotent: Hints { Hints(rawValue: 2) }
    }

    /// By name as it stands in JSON texts. Names with escapes are left out: they can be written in several ways.
    private var hints: [[UInt8]: Hints] = [:]

    /// Nothing was said.
    package init() {}

    /// Tools of which something was said.
    package var count: Int { hints.count }

    /// What was said of a tool, whose name is what stands between its quotes in a JSON text.
    package func hints(of tool: Span<UInt8>) -> Hints {
        guard !hints.isEmpty, tool.count <= Self.maximumNameBytes else { return [] }
        return hints[tool.copied] ?? []
    }

    /// Takes over what one page of a list says. Tools that are not on it keep what was said of them.
    package mutating func merge(_ page: ToolListPage) {
        for (name, said) in page.tools {
            if said.isEmpty {
                hints[name] = nil
            } else if hints.count < Self.maximumTools || hints[name] != nil {
                hints[name] = said
            }
        }
    }
}
