import Configuration
import Import
import TestSupport
import Testing

@Suite("Damaged configurations of others")
struct DamagedSourceTests {
    private static let checks = ConfigurationChecks(files: false, environment: { _ in nil })
    private static let sources: [(name: String, bytes: [UInt8])] = SampleSources.names.compactMap { name in
        (try? SampleSources.bytes(name)).map { (name, $0) }
    }

    /// Any bytes are refused with an error that has a place within them, or become a valid file.
    private func check(_ bytes: [UInt8], _ name: String) -> String? {
        do {
            let found = try ConfigurationImport(
                bytes, file: SampleSources.shown(name), files: SampleSources.files(of: name))
            if case .failure(let errors) = ConfigurationFile.parse(found.text, file: "berth.toml", checks: Self.checks)
            {
                return "\(errors)"
            }
            return nil
        } catch {
            let isPlaced = error.errors.allSatisfy {
                $0.line >= 0 && $0.column >= 0 && !$0.message.isEmpty && !$0.reason.isEmpty
            }
            return isPlaced && !error.errors.isEmpty && !error.description.isEmpty
                ? nil : "an error without a place: \(error)"
        }
    }

    @Test(
        "Sources with words and lines deleted, doubled, moved and replaced are refused, or become valid files",
        arguments: 0..<6 as Range<UInt64>)
    func edits(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for round in 0..<200 {
            let (name, original) = Self.sources[Int.random(in: 0..<Self.sources.count, using: &random)]
            var bytes = original
            for _ in 0..<Int.random(in: 1...5, using: &random) where !bytes.isEmpty { damage(&bytes, &random) }
            let problem = check(bytes, name)
            #expect(
                problem == nil,
                "seed \(seed), round \(round), \(name): \(problem ?? "")\n\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    private func damage(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
        let start = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, start + Int.random(in: 1...30, using: &random))
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes.removeSubrange(start..<end)
        case 1: bytes.insert(contentsOf: Array(bytes[start..<end]), at: end)
        case 2:
            let alphabet = Array("[]{}\"'=.,#\\\n\r\t 0a-_/*$;:()|!%~^\u{1}".utf8) + [0xff, 0xc3]
            bytes[start] = alphabet.randomElement(using: &random) ?? 0
        case 3:
            var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let (one, other) = (
                Int.random(in: 0..<lines.count, using: &random), Int.random(in: 0..<lines.count, using: &random)
            )
            lines.swapAt(one, other)
            bytes = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
        default:
            // A line of another source.
            let (_, other) = Self.sources[Int.random(in: 0..<Self.sources.count, using: &random)]
            let line = other.split(separator: UInt8(ascii: "\n")).randomElement(using: &random) ?? []
            let place = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            bytes.insert(contentsOf: [UInt8(ascii: "\n")] + line, at: place)
        }
    }

    @Test("Sources that are cut anywhere are refused, or become valid files")
    func truncations() {
        for (name, bytes) in Self.sources {
            for end in stride(from: 0, to: bytes.count, by: 29) {
                let problem = check(Array(bytes[..<end]), name)
                #expect(problem == nil, "\(name), cut at \(end): \(problem ?? "")")
            }
        }
    }

    @Test("Random bytes are refused, or become valid files", arguments: 0..<2 as Range<UInt64>)
    func noise(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let count = Int.random(in: 0..<400, using: &random)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            for name in ["nginx/x.conf", "haproxy/x.cfg"] { #expect(check(bytes, name) == nil) }
        }
    }

    @Test("Thousands of locations, servers and rules become valid files")
    func size() {
        let rules = (0..<900).map { "allow 10.0.\($0 / 250).\($0 % 250);" }.joined()
        let locations = (0..<2_000).map { "location /l\($0) { proxy_pass http://s\($0 % 900):1; }\n" }.joined()
        let backends = (0..<900).map { "backend b\($0)\n server s h\($0):1\n" }.joined()
        let uses = (0..<2_000).map { " use_backend b\($0 % 900) if { path_beg /p\($0) }\n" }.joined()

        #expect(check(Array("server { listen 80; \(locations) }".utf8), "nginx/x.conf") == nil)
        #expect(check(Array("server { listen 80; \(rules) deny all; \(locations) }".utf8), "nginx/x.conf") == nil)
        #expect(check(Array("frontend f\n bind :80\n\(uses)\(backends)".utf8), "haproxy/x.cfg") == nil)
    }
}
