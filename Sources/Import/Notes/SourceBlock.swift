/// A block of the source, whose lines stand as comments above what they became.
struct SourceBlock: Sendable, Equatable {
    /// The head: "location /mcp".
    var heading: Statement
    /// The lines in it, without those of inner blocks that have comments of their own.
    var statements: [Statement]
}
