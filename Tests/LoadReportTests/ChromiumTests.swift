import Foundation
import Load
import TestSupport
import Testing

@testable import LoadReport

/// Loads a page in Chromium. Skipped if it is not installed.
@Suite("Report page in Chromium", .enabled(if: Chromium.isInstalled, "chromium is not installed"))
struct ChromiumTests {
    @Test("Chromium finds the written elements and no injected ones")
    func documentObjectModel() throws {
        var run = SampleRuns.bad(ReportPageTests.hostile)
        run.replicas = [ReportPageTests.hostile: 1, "b": 2]

        let dump = try Chromium.document(of: ReportPage([run, SampleRuns.good()]).html())

        #expect(dump.contains("<article class=\"card run run0\">"))
        #expect(dump.contains("<path class=\"line\""))
        #expect(dump.contains("&lt;script&gt;alert('1')&lt;/script&gt;"))
        #expect(!dump.contains("<script"))
        #expect(!dump.contains("<img"))
    }
}

private enum Chromium {
    private static let program = "/usr/bin/chromium"
    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: program) }

    /// The document that Chromium has parsed, as HTML.
    static func document(of html: String) throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("berth-page-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let page = folder.appendingPathComponent("report.html")
        try Data(html.utf8).write(to: page)
        let chromium = TestProcess()
        chromium.executableURL = URL(fileURLWithPath: program)
        chromium.arguments = [
            "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(folder.path)/profile", "--dump-dom",
            page.absoluteString,
        ]
        chromium.standardError = FileHandle.nullDevice
        return String(decoding: try chromium.runToEnd(), as: UTF8.self)
    }
}
