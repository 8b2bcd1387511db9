/// The way from the root of the file to a table.
struct TablePath {
    /// By names and indices: "upstream.mcp.pool", "route[1]"; empty for the root.
    let name: String
    /// The same with "*" for what the operator chose: "upstream.*.pool", "route.*".
    let pattern: String

    static let root = TablePath(name: "", pattern: "")

    /// A key of this table.
    func key(_ key: String) -> TablePath {
        TablePath(
            name: name.isEmpty ? key : "\(name).\(key)", pattern: pattern.isEmpty ? key : "\(pattern).\(key)")
    }

    /// A table whose name the operator chose.
    func named(_ choice: String) -> TablePath {
        TablePath(name: "\(name).\(TOMLText.key(choice))", pattern: "\(pattern).*")
    }

    /// An element of a list.
    func element(_ index: Int) -> TablePath {
        TablePath(name: "\(name)[\(index)]", pattern: "\(pattern).*")
    }

    /// As a header of the file would have it.
    var header: String { String(name.replacing("[0]", with: "")) }

    /// As an error shows it.
    var shown: String {
        guard !name.isEmpty else { return "the top of the file" }
        if pattern == "route.*" || pattern == "run.*" { return "[[\(pattern.dropLast(2))]]" }
        if pattern.hasSuffix("servers.*") { return "a server" }
        if pattern.hasSuffix("certificate.*") { return "[[listen.certificate]]" }
        return pattern.hasPrefix("listen") ? Self.shown(pattern: pattern) : "[\(name)]"
    }

    /// A pattern as an error shows it.
    static func shown(pattern: String) -> String {
        if pattern.hasSuffix("servers.*") { return "an entry of servers" }
        if pattern == "route.*" || pattern == "run.*" { return "[[\(pattern.dropLast(2))]]" }
        if pattern.hasSuffix("certificate.*") { return "[[listen.certificate]]" }
        if pattern.hasPrefix("listen.*") { return "[listen\(pattern.dropFirst("listen.*".count))]" }
        return "[\(pattern.split(separator: ".").map { $0 == "*" ? "<name>" : $0 }.joined(separator: "."))]"
    }
}
