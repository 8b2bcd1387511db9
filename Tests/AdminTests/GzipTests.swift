import TestSupport
import Testing

@testable import Admin

/// What the system's gunzip makes of our gzip.
@Suite("Gzip")
struct GzipTests {
    private static let line = "mcp_server_operation_duration_seconds_bucket{upstream=\"mcp\",gen_ai_tool_name=\"search_"

    /// Texts that are like pages of metrics, and some that are like nothing.
    static let texts: [(String, [UInt8])] = {
        var generator = SeededGenerator(seed: 12)
        let page = (0..<4_000).map { "\(line)\($0 % 97)\",le=\"0.0\($0 % 19)\"} \($0 * $0)\n" }.joined()
        let mixed = (0..<3_000).flatMap { _ in
            Bool.random(using: &generator)
                ? Array(line.utf8) : generator.bytes(Int.random(in: 0..<9, using: &generator))
        }
        return [
            ("nothing", []), ("a byte", [0xff]), ("seven bytes", Array("ab\nab\nab".utf8)),
            ("a page", Array(page.utf8)),
            ("noise", generator.bytes(70_001)), ("one byte, often", Array(repeating: 0, count: 100_003)),
            // The longest matches and those beside them, and the farthest distance and the one behind it.
            ("lengths", (250...270).flatMap { Array(repeating: UInt8(120), count: $0) + [UInt8($0 & 255)] }),
            (
                "distances",
                [1, 2, 3, 4] + generator.bytes(32_763) + [1, 2, 3, 4] + generator.bytes(32_764) + [1, 2, 3, 4]
            ),
            ("mixed", mixed),
        ]
    }()

    @Test("what is packed comes out again, in one piece and in several", arguments: texts)
    func roundTrip(name: String, text: [UInt8]) throws {
        for pieces in [1, 3] {
            let packer = Gzip.Packer()
            let size = text.count / pieces
            for piece in 1..<pieces {
                text[(piece - 1) * size..<piece * size].withUnsafeBufferPointer { packer.append($0) }
            }
            let packed = packer.finish(Array(text[(pieces - 1) * size..<text.count]))
            #expect(try Gunzip.run(packed) == text, "\(name)")
            if name == "a page" { #expect(packed.count < text.count / 10) }
            #expect(packed.count <= text.count + text.count / 8 + 64)
        }
    }
}
