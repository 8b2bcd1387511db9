/// One text file of the tree.
struct SourceFile: Sendable {
    /// From the package's root.
    let path: String
    let lines: [String]
    /// Of a Swift file the lines without comments and without what string literals contain; of Markdown what is between
    /// backticks; else the lines.
    let code: [String]

    init(_ path: String, _ text: String) {
        self.path = path
        lines = SourceFile.split(text)
        if path.hasSuffix(".swift") {
            code = SourceFile.split(SwiftText.code(of: text))
        } else if path.hasSuffix(".md") {
            code = lines.map(SourceFile.quoted)
        } else {
            code = lines
        }
    }

    /// What a line of Markdown has between backticks.
    private static func quoted(_ line: String) -> String {
        let parts = line.split(separator: "`", omittingEmptySubsequences: false)
        return parts.indices.filter { $0 % 2 == 1 }.map { String(parts[$0]) }.joined(separator: " ")
    }

    private static func split(_ text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    var isSwift: Bool { path.hasSuffix(".swift") }

    /// `Proxy` of `Sources/Proxy/Worker.swift`; nil for a file of no module.
    var module: String? {
        let parts = path.split(separator: "/")
        return parts.count > 2 && parts[0] == "Sources" ? String(parts[1]) : nil
    }

    func isUnder(_ folders: [String]) -> Bool {
        folders.contains { path.hasPrefix("\($0)/") || path == $0 }
    }

    /// An offence in the line with this index.
    func offence(_ index: Int, _ what: String) -> Offence {
        Offence(path: path, line: index + 1, what: what)
    }
}

/// One place that breaks a rule.
struct Offence: CustomStringConvertible, Equatable {
    let path: String
    let line: Int
    let what: String

    var description: String { "\(path):\(line): \(what)" }
}

extension [Offence] {
    /// One a line, for a failure's message; the first of very many.
    var list: String {
        let more = count > 1_000 ? "\n... and \(count - 1_000) more" : ""
        return "\(count)\n" + prefix(1_000).map(\.description).joined(separator: "\n") + more
    }
}
