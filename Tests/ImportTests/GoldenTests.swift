import Configuration
import Foundation
import Import
import Testing

/// Each configuration in nginx/ and haproxy/ becomes exactly the text beside it. With BERTH_UPDATE_GOLDEN=1 in the environment
/// the texts are written again; review them before committing.
@Suite("Imported configurations")
struct GoldenTests {
    private var isUpdating: Bool { ProcessInfo.processInfo.environment["BERTH_UPDATE_GOLDEN"] == "1" }

    private static let checks = ConfigurationChecks(files: false, environment: { _ in nil })

    @Test("There are the lesson's two blocks, twenty more of nginx, and ten of HAProxy")
    func count() {
        #expect(SampleSources.nginx.count { $0.contains("lesson") } == 2)
        #expect(SampleSources.nginx.count >= 22)
        #expect(SampleSources.haproxy.count >= 10)
    }

    @Test("A configuration becomes the text beside it", arguments: SampleSources.names)
    func text(_ name: String) throws {
        let text = try SampleSources.imported(name).text
        let golden = "\(SampleSources.folder)/\(name.prefix { $0 != "." }).toml"
        if isUpdating { try text.write(toFile: golden, atomically: true, encoding: .utf8) }

        #expect(text == (try String(contentsOfFile: golden, encoding: .utf8)))
    }

    @Test("What it becomes is a configuration of Berth, without errors and warnings", arguments: SampleSources.names)
    func decodes(_ name: String) throws {
        let text = try SampleSources.imported(name).text

        let file = try ConfigurationFile.parse(text, file: "berth.toml", checks: Self.checks).get()

        // A route that serves nobody until somebody has decided leads to no upstream.
        let warnings = file.warnings.filter {
            !$0.contains("no route leads to upstream") || !text.contains("LEFT OUT: ")
        }
        #expect(warnings == [])
        let again = try ConfigurationFile.parse(file.effectiveText(), file: "effective.toml", checks: Self.checks).get()
        #expect(again.configuration == file.configuration)
    }

    @Test("Every line of the source stands in the comments", arguments: SampleSources.names)
    func everyLine(_ name: String) throws {
        let source = String(decoding: try SampleSources.bytes(name), as: UTF8.self)
        let text = try SampleSources.imported(name).text
        let shown = SampleSources.shown(name)
        let comments = text.split(separator: "\n").filter { $0.hasPrefix("#") }
        var depth = 0

        for (index, line) in source.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let code = line.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)[0]
                .trimmingCharacters(in: .whitespaces)
            // What is in a map, or in an if, is a part of it.
            let isInner = depth > 0
            if ["map", "if", "types", "geo"].contains(where: { code.hasPrefix($0 + " ") }), !code.contains("}") {
                depth += 1
            }
            if isInner, code.hasPrefix("}") || code.hasSuffix("}") { depth -= 1 }
            guard !isInner, code.count > 1,
                !["server", "http", "events"].contains(code.prefix { $0.isLetter }) || code.hasSuffix(";"),
                !code.hasPrefix("'"), !["global", "defaults", "events {}"].contains(code)
            else { continue }
            let number = "\(index + 1)"
            let isThere = comments.contains { comment in
                comment.contains("# \(shown):\(number)  ")
                    || comment.drop { $0 == "#" || $0 == " " }.hasPrefix(number + "  ")
            }
            #expect(isThere, "line \(number): \(code)")
        }
    }

    @Test("No line of what is written is longer than is read with ease", arguments: SampleSources.names)
    func width(_ name: String) throws {
        let comments = try SampleSources.imported(name).text.split(separator: "\n").filter { $0.hasPrefix("#") }

        #expect(comments.filter { $0.count > 120 } == [])
    }

    @Test("Something is left out of these and of no others", arguments: SampleSources.names)
    func losses(_ name: String) throws {
        let number = SampleSources.shown(name).prefix(2)
        let lossy = name.hasPrefix("nginx/") ? ["10", "16", "17", "19", "21", "23", "24"] : ["09", "12"]

        #expect(try SampleSources.imported(name).hasLosses == lossy.contains(String(number)))
    }

    @Test("Secrets of the source are not in the comments")
    func secrets() throws {
        let nginx = try SampleSources.imported("nginx/24-api-keys.conf").text
        let haproxy = try SampleSources.imported("haproxy/12-bearer-tokens.cfg").text

        #expect(!nginx.contains("s3cr3t") && nginx.contains("X-Backend-Token"))
        #expect(!haproxy.contains("4f9b2c") && !haproxy.contains("wonderland") && haproxy.contains("has_token"))
    }
}
