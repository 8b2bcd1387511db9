/// The directives of one block, found by name.
struct NginxLevel {
    /// The block's head; for the file itself one that is made for it.
    let head: Statement
    let directives: [NginxDirective]
    private let index: [String: [Int]]

    init(_ head: Statement, _ directives: [NginxDirective]) {
        self.head = head
        self.directives = directives
        var index: [String: [Int]] = [:]
        for (place, directive) in directives.enumerated() { index[directive.name, default: []].append(place) }
        self.index = index
    }

    /// The directives of a name, in order.
    subscript(name: String) -> [NginxDirective] { (index[name] ?? []).map { directives[$0] } }

    /// The lines whose comments stand with the block: all but inner blocks that have comments of their own.
    var statements: [Statement] {
        directives.filter { ($0.block == nil || !Self.hasComments($0.name)) && !Self.isListOfTypes($0) }.map(
            \.statement)
    }

    /// The list that every nginx includes says nothing of this one.
    private static func isListOfTypes(_ directive: NginxDirective) -> Bool {
        directive.name == "types" && directive.statement.file.hasSuffix("mime.types")
    }

    private static func hasComments(_ name: String) -> Bool {
        ["http", "events", "server", "location", "upstream"].contains(name)
    }

    var sourceBlock: SourceBlock { SourceBlock(heading: head, statements: statements) }
}

/// A block within those around it, from which it inherits.
struct NginxScope {
    /// The outermost first.
    private(set) var levels: [NginxLevel]

    init(_ level: NginxLevel) {
        levels = [level]
    }

    func entering(_ level: NginxLevel) -> NginxScope {
        var inner = self
        inner.levels.append(level)
        return inner
    }

    /// The innermost block.
    var own: NginxLevel { levels[levels.count - 1] }

    /// The directives of a name in the innermost block that has any: those of outer blocks are not inherited then.
    func inherited(_ name: String) -> [NginxDirective] {
        for level in levels.reversed() {
            let found = level[name]
            if !found.isEmpty { return found }
        }
        return []
    }

    /// The directives of several names in the innermost block that has any of them, in order.
    func inherited(_ names: Set<String>) -> [NginxDirective] {
        for level in levels.reversed() {
            let found = names.flatMap { level[$0] }
            if !found.isEmpty { return found.sorted { $0.statement.id < $1.statement.id } }
        }
        return []
    }

    /// The directive that is in force.
    func value(_ name: String) -> NginxDirective? { inherited(name).last }
}
