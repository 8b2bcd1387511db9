import Foundation
import FuzzChecks
import TestSupport
import Testing

/// Reads again what fuzzing began with and what it found: `Tests/Fuzzing/Corpus` has a folder for each target.
@Suite("Fuzzing: the corpora")
struct ReplayTests {
    private static let corpus = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../Fuzzing/Corpus").standardizedFileURL

    private static func inputs(_ target: String) throws -> [(name: String, bytes: [UInt8])] {
        let folder = corpus.appending(path: target)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            (name, Array(try Data(contentsOf: folder.appending(path: name))))
        }
    }

    @Test("every target has inputs, and every folder a target")
    func folders() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path)
        #expect(Set(folders) == Set(FuzzTarget.all.map(\.name)))
        for target in FuzzTarget.all { #expect(try !Self.inputs(target.name).isEmpty, "\(target.name)") }
    }

    @Test("nothing is found in the inputs that are kept", arguments: FuzzTarget.all.map(\.name))
    func kept(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        for (input, bytes) in try Self.inputs(name) {
            let finding = target.finding(for: bytes)
            #expect(finding == nil, "\(input): \(finding ?? "")")
        }
    }

    /// A short walk from the kept inputs, for machines without libFuzzer: the same checks, without its view of the code.
    @Test("nothing is found near them", arguments: FuzzTarget.all.map(\.name))
    func near(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let inputs = try Self.inputs(name).map(\.bytes)
        for seed in 1...UInt64(target.maximumBytes > 1_000 ? 40 : 150) {
            var random = SeededGenerator(seed: seed)
            let bytes = Array(Self.change(inputs, using: &random).prefix(target.maximumBytes))
            let finding = target.finding(for: bytes)
            #expect(finding == nil, "seed \(seed): \(finding ?? "")\n\(bytes)")
        }
    }

    private static func change(_ inputs: [[UInt8]], using random: inout SeededGenerator) -> [UInt8] {
        var bytes = random.element(of: inputs)
        for _ in 0..<Int.random(in: 1...5, using: &random) where !bytes.isEmpty {
            let start = Int.random(in: bytes.indices, using: &random)
            let end = min(bytes.count, start + Int.random(in: 1...16, using: &random))
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[start] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes.removeSubrange(start..<end)
            case 2: bytes.insert(contentsOf: bytes[start..<end], at: end)
            case 3: bytes[start] = random.element(of: [0, 9, 10, 13, 32, 34, 44, 48, 58, 92, 123, 125, 127, 128, 255])
            default:
                let other = random.element(of: inputs)
                guard !other.isEmpty else { continue }
                let place = Int.random(in: other.indices, using: &random)
                bytes.replaceSubrange(start..<end, with: other[place..<min(other.count, place + 24)])
            }
        }
        return bytes
    }
}
