import Configuration
import Foundation
import Testing

/// Each broken/NN-name.toml is rejected with exactly the text in broken/NN-name.txt. With BERTH_UPDATE_GOLDEN=1 in the
/// environment the texts are written again; review them before committing.
@Suite("Broken files")
struct BrokenFilesTests {
    static var names: [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: TestFiles.broken)) ?? []
        return all.filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(5)) }.sorted()
    }

    private var isUpdating: Bool { ProcessInfo.processInfo.environment["BERTH_UPDATE_GOLDEN"] == "1" }

    private func failure(of name: String) throws -> ConfigurationErrors? {
        let text = try String(contentsOfFile: "\(TestFiles.broken)/\(name).toml", encoding: .utf8)
        var checks = ConfigurationChecks.none
        checks.files = name.contains("unreadable")
        guard case .failure(let failure) = ConfigurationFile.parse(text, file: "berth.toml", checks: checks) else {
            return nil
        }
        return failure
    }

    @Test("There are at least thirty broken files")
    func count() {
        #expect(Self.names.count >= 30)
    }

    @Test("A broken file is rejected with its errors and their positions", arguments: names)
    func rendering(_ name: String) throws {
        let rendered = try #require(try failure(of: name)).description
        let golden = "\(TestFiles.broken)/\(name).txt"
        if isUpdating { try rendered.write(toFile: golden, atomically: true, encoding: .utf8) }

        #expect(rendered == (try String(contentsOfFile: golden, encoding: .utf8)))
    }

    @Test("All errors are within the file, and in order", arguments: names)
    func places(_ name: String) throws {
        let failure = try #require(try failure(of: name))
        let lines = failure.source.split(separator: "\n", omittingEmptySubsequences: false)

        #expect(!failure.errors.isEmpty)
        for error in failure.errors {
            #expect((1...lines.count).contains(error.line))
            #expect((1...lines[error.line - 1].unicodeScalars.count + 1).contains(error.column))
            #expect(error.column + error.length <= lines[error.line - 1].unicodeScalars.count + 2)
            #expect(!error.reason.isEmpty)
        }
        let order = failure.errors.map { $0.line * 1_000 + $0.column }
        #expect(order == order.sorted())
    }

    @Test("The documented example is rendered exactly")
    func documentedExample() throws {
        let rendered = try #require(try failure(of: "01-hash-of-session-id")).description

        #expect(
            rendered == """
                berth.toml:7:11: error: balance = "hash:mcp-session-id" cannot keep sessions together
                  7 | balance = "hash:mcp-session-id"
                    |           ^^^^^^^^^^^^^^^^^^^^^ the first request (initialize) carries no session id, so it is hashed to one
                    |           server and every later request to another: of three servers, two sessions in three fail
                help: balance = "session-hash" hashes a key that Berth hands out with the id, and finds the same server every time

                """)
    }

    @Test("A key of a later version is reported as such, not as unknown")
    func laterVersions() throws {
        let name = try #require(Self.names.first { $0.hasSuffix("keys-of-later-versions") })

        let failure = try #require(try failure(of: name))

        #expect(failure.errors.count >= 8)
        for error in failure.errors {
            #expect(error.message.hasSuffix("is not available in this version"))
        }
    }

    @Test("A secret is not shown, not even in the line of its error")
    func hiddenSecret() throws {
        let name = try #require(Self.names.first { $0.hasSuffix("secret-in-the-file") })

        let rendered = try #require(try failure(of: name)).description

        #expect(!rendered.contains("c2VjcmV0"))
    }

    @Test("A missing file is an error without a position")
    func missingFile() {
        let result = ConfigurationFile.load(path: "/nonexistent/berth.toml", checks: .none)

        guard case .failure(let failure) = result else {
            Issue.record("it was read")
            return
        }
        #expect(
            failure.description
                == "/nonexistent/berth.toml: error: cannot be read\n  No such file or directory\n"
        )
    }
}
