/// The path of a table from the root of the file.
struct TablePath {
    /// The path with names and indices: "upstream.mcp.pool", "route[1]"; empty for the root.
    let name: String
    /// The path with "*" for indices and for names that the operator chooses: "upstream.*.pool", "route.*".
    let pattern: String

    static let root = TablePath(name: "", pattern: "")

    /// The path of a key of this table.
    func key(_ key: String) -> TablePath {
        TablePath(
            name: name.isEmpty ? key : "\(name).\(key)", pattern: pattern.isEmpty ? key : "\(pattern).\(key)")
    }

    /// The path of a table whose name the operator chooses.
    func named(_ choice: String) -> TablePath {
        TablePath(name: "\(name).\(TOMLText.key(choice))", pattern: "\(pattern).*")
    }

    /// The path of an element of a list.
    func element(_ index: Int) -> TablePath {
        TablePath(name: "\(name)[\(index)]", pattern: "\(pattern).*")
    }

    /// The path as a header of the file.
    var header: String { String(name.replacing("[0]", with: "")) }

    /// The path as errors show it.
    var shown: String {
        guard !name.isEmpty else { return "the top of the file" }
        if pattern == "route.*" || pattern == "run.*" { return "[[\(pattern.dropLast(2))]]" }
        if pattern.hasSuffix("servers.*") { return "a server" }
        if pattern.hasSuffix("certificate.*") { return "[[listen.certificate]]" }
        if pattern.hasPrefix("run.*.") { return "[run\(pattern.dropFirst("run.*".count))]" }
        return pattern.hasPrefix("listen") ? Self.shown(pattern: pattern) : "[\(name)]"
    }

    /// A pattern as errors show it.
    static func shown(pattern: String) -> String {
        if pattern.hasSuffix("servers.*") { return "an entry of servers" }
        if pattern == "route.*" || pattern == "run.*" { return "[[\(pattern.dropLast(2))]]" }
        if pattern.hasSuffix("certificate.*") { return "[[listen.certificate]]" }
        if pattern.hasPrefix("listen.*") { return "[listen\(pattern.dropFirst("listen.*".count))]" }
        return "[\(pattern.split(separator: ".").map { $0 == "*" ? "<name>" : $0 }.joined(separator: "."))]"
    }
}
