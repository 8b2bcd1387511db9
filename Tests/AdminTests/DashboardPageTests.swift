import DashboardPage
import Foundation
import TestSupport
import Testing

@Suite("Dashboard page")
struct DashboardPageTests {
    private let page = DashboardPage.standard

    private func block(_ tag: String) throws -> String {
        let start = try #require(page.html.range(of: "<\(tag)>"))
        let end = try #require(page.html.range(of: "</\(tag)>", range: start.upperBound..<page.html.endIndex))
        return String(page.html[start.upperBound..<end.lowerBound])
    }

    @Test(
        "the policy has the hashes of the page's style and script, as openssl computes them",
        arguments: ["style", "script"])
    func hashes(tag: String) throws {
        let text = try block(tag)
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("berth-\(tag)-\(UUID().uuidString)")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let openssl = TestProcess()
        openssl.executableURL = URL(filePath: "/bin/sh")
        openssl.arguments = ["-c", "openssl dgst -sha256 -binary \(file.path) | openssl base64"]
        let printed = try openssl.runToEnd()
        let digest = String(decoding: printed, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)

        #expect(text.count > 1_000)
        #expect(page.policy.contains("\(tag)-src 'sha256-\(digest)'"))
    }

    @Test("nothing else may run, and nothing is loaded from elsewhere")
    func policy() {
        let html = page.html
        for rule in [
            "default-src 'none'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'",
            "frame-ancestors 'none'",
        ] {
            #expect(page.policy.contains(rule))
        }
        #expect(!page.policy.contains("unsafe"))
        #expect(!page.policy.contains("\n"))
        #expect(html.components(separatedBy: "<script").count == 2)
        #expect(html.components(separatedBy: "<style").count == 2)
        // A style attribute, or a handler in one, would not work under the policy.
        #expect(!html.contains(" style="))
        #expect(html.range(of: #"\son[a-z]+="#, options: .regularExpression) == nil)
        #expect(html.range(of: #"(src|href|url\()=?["']?(https?:)?//"#, options: .regularExpression) == nil)
    }

    @Test("text is never made into markup")
    func markup() throws {
        let script = try block("script")
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
            #expect(!script.contains(word), "\(word)")
        }
        // The token stays in the tab.
        #expect(!script.contains("localStorage.setItem(tokenName"))
        #expect(script.contains("sessionStorage.setItem(tokenName"))
    }

    @Test("the page is small")
    func size() {
        #expect(page.html.utf8.count < 120_000)
    }
}
