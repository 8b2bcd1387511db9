import Foundation
import Testing

@testable import Configuration

@Suite("Schema")
struct SchemaTests {
    /// Every key of a tree, as decoding names it.
    private static func keys(_ key: ConfigurationSchema.Key, _ path: String = "") -> [(String, [KeyShape])] {
        let below = key.keys.sorted { $0.key < $1.key }.map { (path.isEmpty ? $0.key : "\(path).\($0.key)", $0.value) }
        return below.flatMap { [($0.0, $0.1.shapes)] + keys($0.1, $0.0) }
            + key.element.flatMap { element in
                (element.shapes.isEmpty ? [] : [("\(path).*", element.shapes)]) + keys(element, "\(path).*")
            }
    }

    @Test("its keys are those that decoding knows, of full.toml and of [defaults]")
    func keys() throws {
        let text = try String(contentsOfFile: "\(TestFiles.configs)/full.toml", encoding: .utf8)
        let known = try ConfigurationFile.parse(text, file: "full.toml", checks: .none).get().knownKeys
        let found = Set(Self.keys(ConfigurationSchema().root).map(\.0))

        #expect(known.subtracting(found).sorted() == [])
        #expect(found.subtracting(known).filter { !$0.hasPrefix("defaults.") } == [])
        #expect(found.count > 150)
    }

    @Test("each key says what its value may be")
    func shapes() {
        let unsaid = Self.keys(ConfigurationSchema().root).filter(\.1.isEmpty).map(\.0)

        #expect(unsaid == [])
    }

    @Test("ranges, names and several shapes are those of the decoder")
    func examples() {
        let root = ConfigurationSchema().root
        let upstream = root.keys["upstream"]?.element.first

        #expect(upstream?.keys["balance"]?.shapes == [.choice(Balance.allCases.map(\.rawValue))])
        #expect(upstream?.keys["pool"]?.keys["max_uses"]?.shapes == [.integer(1...1_000_000_000), .off])
        #expect(root.keys["global"]?.keys["admin"]?.shapes == [.text, .list])
        #expect(root.keys["listen"]?.shapes == [.table, .tables])
        #expect(root.keys["listen"]?.element.first?.keys["certificate"]?.shapes == [.tables])
    }
}
