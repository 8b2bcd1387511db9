import Foundation
import Testing

/// The table of Berth's own answers names each of them, with its status.
@Suite("The table of answers")
struct AnswerTableTests {
    private func text(_ path: String) throws -> String {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        return try String(contentsOf: package.appendingPathComponent(path), encoding: .utf8)
    }

    /// "reason status" of every response in the source.
    private func answers() throws -> Set<String> {
        let source = try text("Sources/MCP/ErrorResponse.swift")
        var found: Set<String> = []
        for declaration in source.components(separatedBy: "= ErrorResponse(").dropFirst() {
            let status = declaration.drop { !$0.isNumber }.prefix { $0.isNumber }
            let reason = declaration.components(separatedBy: "reason: \"").dropFirst().first?.prefix { $0 != "\"" }
            found.insert("\(reason ?? "") \(status)")
        }
        return found
    }

    /// "reason status" of every row in the table.
    private func rows() throws -> [String] {
        try text("Sources/Proxy/Proxy.docc/Answers.md").split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 4, cells[0].hasPrefix("`"), Int(cells[1]) != nil else { return nil }
            return "\(cells[0].dropFirst().dropLast()) \(cells[1])"
        }
    }

    @Test("every reason stands in it once, and nothing else does")
    func complete() throws {
        let rows = try rows()
        #expect(rows.count > 20)
        #expect(Set(rows).count == rows.count)
        let missing = try answers().subtracting(rows)
        let unknown = try Set(rows).subtracting(answers())
        #expect(missing.isEmpty)
        #expect(unknown.isEmpty)
    }
}
