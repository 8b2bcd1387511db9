import TOMLKit

/// Parses TOML 1.0 into values with positions.
struct TOMLDocument {
    let root: LocatedTable

    /// The deepest nesting that is accepted, so that recursion is bounded.
    private static let maxDepth = 64

    init(_ source: SourceText) throws(SyntaxError) {
        if let nul = source.bytes.firstIndex(of: 0) {
            throw SyntaxError(
                range: nul..<nul + 1, message: "a NUL character", reason: "TOML 1.0 allows none",
                help: "is this a text file, saved as UTF-8?")
        }
        let locator = KeyLocator(source.bytes)
        if let problem = locator.problem {
            // An error before the problem is reported first.
            _ = try Self.parse(0..<problem.statement, of: source)
            throw SyntaxError(problem)
        }
        let table = try Self.parse(0..<source.bytes.count, of: source)
        if let nul = locator.nulEscape {
            throw SyntaxError(
                range: nul, message: "a NUL character in text", reason: "no name, path or address can contain one")
        }
        root = try Self.table(table, at: locator.tree.root, in: locator.tree, depth: 0)
    }

    private static func parse(_ range: Range<Int>, of source: SourceText) throws(SyntaxError) -> TOMLTable {
        do {
            return try TOMLTable(string: source.text(range))
        } catch let error as TOMLParseError {
            throw SyntaxError(error, in: source)
        } catch {
            throw SyntaxError(range: 0..<1, message: "this is not TOML", reason: "\(error)")
        }
    }

    private static func table(
        _ table: TOMLTable, at place: Int, in tree: PositionTree, depth: Int
    ) throws(SyntaxError) -> LocatedTable {
        guard depth < maxDepth else {
            throw SyntaxError(
                range: tree[place].key ?? tree[place].value, message: "nested too deep",
                reason: "no key of a configuration is deeper than five tables")
        }
        var located = LocatedTable()
        for name in tree[place].names {
            guard let index = tree[place].entries[name], let value = table[name] else { continue }
            located.entries.append(
                LocatedTable.Entry(
                    name: name, key: tree[index].key ?? tree[index].value,
                    value: try Self.value(value, at: index, in: tree, depth: depth + 1)))
        }
        return located
    }

    private static func value(
        _ value: any TOMLValueConvertible, at place: Int, in tree: PositionTree, depth: Int
    ) throws(SyntaxError) -> LocatedValue {
        let range = tree[place].value
        if let inner = value.table {
            return LocatedValue(content: .table(try table(inner, at: place, in: tree, depth: depth)), range: range)
        }
        if let inner = value.array {
            return LocatedValue(content: .array(try array(inner, at: place, in: tree, depth: depth)), range: range)
        }
        if let text = value.string { return LocatedValue(content: .string(text), range: range) }
        if let number = value.int { return LocatedValue(content: .integer(number), range: range) }
        if let number = value.double { return LocatedValue(content: .float(number), range: range) }
        if let flag = value.bool { return LocatedValue(content: .boolean(flag), range: range) }
        return LocatedValue(content: .date, range: range)
    }

    private static func array(
        _ array: TOMLArray, at place: Int, in tree: PositionTree, depth: Int
    ) throws(SyntaxError) -> [LocatedValue] {
        guard depth < maxDepth else {
            throw SyntaxError(
                range: tree[place].value, message: "nested too deep",
                reason: "no key of a configuration is deeper than five tables")
        }
        let elements = tree[place].elements
        var located: [LocatedValue] = []
        for (index, element) in elements.enumerated() where index < array.count {
            located.append(try value(array[index], at: element, in: tree, depth: depth + 1))
        }
        return located
    }
}
