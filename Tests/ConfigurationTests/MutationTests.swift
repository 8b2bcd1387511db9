import Configuration
import Foundation
import TestSupport
import Testing

@Suite("Damaged files")
struct MutationTests {
    private func full() throws -> [UInt8] {
        try Array(Data(contentsOf: URL(fileURLWithPath: "\(TestFiles.configs)/full.toml")))
    }

    /// Any text decodes to a configuration, or has at least one error, within the text.
    private func check(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        guard case .failure(let failure) = ConfigurationFile.parse(text, file: "f", checks: .none) else { return true }
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).count
        let arePlaced = failure.errors.allSatisfy { (1...lines).contains($0.line) && $0.column >= 1 && $0.length >= 0 }
        return !failure.errors.isEmpty && arePlaced && !failure.description.isEmpty
    }

    @Test(
        "Files with characters deleted, doubled and replaced decode or have errors", arguments: 0..<4 as Range<UInt64>)
    func edits(_ seed: UInt64) throws {
        let original = try full()
        var random = SeededGenerator(seed: seed)
        for _ in 0..<120 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let start = Int.random(in: 0..<bytes.count, using: &random)
                let end = min(bytes.count, start + Int.random(in: 1...12, using: &random))
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.removeSubrange(start..<end)
                case 1: bytes.insert(contentsOf: Array(bytes[start..<end]), at: end)
                default:
                    let alphabet = Array("[]{}\"'=.,#\\\n\r\t 0a-_\u{0}".utf8)
                    bytes[start] = alphabet.randomElement(using: &random) ?? 0
                }
            }
            #expect(check(bytes), "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test("A file that is cut anywhere decodes or has errors")
    func truncations() throws {
        let original = try full()
        for end in stride(from: 0, to: original.count, by: 13) {
            #expect(check(Array(original[..<end])), "cut at \(end)")
        }
    }
}
