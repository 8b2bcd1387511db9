import Foundation
import Load
import LoadReport
import Testing

@testable import Prove

@Suite("Balancers of a trial")
struct FrontTests {
    @Test("a peer is known by its name or by the ending of its file")
    func peers() throws {
        #expect(try Peer(argument: "nginx").kind == .nginx)
        #expect(try Peer(argument: "nginx.conf").kind == .nginx)
        #expect(try Peer(argument: "haproxy").kind == .haproxy)
        #expect(try Peer(argument: "haproxy.cfg").kind == .haproxy)
        for unknown in ["apache", "none.conf", "/etc/none/haproxy.cfg.old", ""] {
            #expect(throws: ProveError.self, "\(unknown)") { try Peer(argument: unknown) }
        }
        let folder = try WorkFolder()
        let own = try Peer(argument: folder.write("mine.cfg", "listen x\n  bind @LISTEN@\n"))
        #expect(own.kind == .haproxy && own.affinity == "as configured")
    }

    @Test("each server stands in a peer's configuration, and takes no new session while it drains")
    func servers() throws {
        let nginx = try Peer(argument: "nginx")
        #expect(nginx.drains && nginx.template.contains("@LISTEN@"))
        func lines(_ text: String, with word: String) -> Int { text.split(separator: "\n").count { $0.contains(word) } }
        #expect(lines(nginx.text(servers: [1, 2]), with: "server 127.0.0.1:2 ") == 2)
        #expect(lines(nginx.text(servers: [1, 2], draining: [1]), with: "server 127.0.0.1:2 ") == 1)
        #expect(lines(nginx.text(servers: [1, 2], draining: [1]), with: "server 127.0.0.1:1 ") == 2)

        let haproxy = try Peer(argument: "haproxy")
        #expect(haproxy.drains && haproxy.template.contains("@LISTEN@"))
        #expect(haproxy.text(servers: [1, 2], draining: [0]).contains("server mcp-1 127.0.0.1:1 weight 0\n"))
        #expect(haproxy.text(servers: [1, 2], draining: [0]).contains("server mcp-2 127.0.0.1:2 weight 1\n"))

        let folder = try WorkFolder()
        let own = try Peer(argument: folder.write("mine.cfg", "@SERVERS@"))
        #expect(!own.drains && own.text(servers: [7]) == "server mcp-1 127.0.0.1:7")
    }

    @Test("each revision of Berth's file is another one, and leaves out what it is not to have")
    func berthFile() {
        var file = BerthFile(servers: ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"])
        var texts: Set<String> = []
        for revision in 0..<10 {
            file.revision = revision
            texts.insert(file.text)
        }
        #expect(texts.count == 10)
        #expect(!file.text.contains("on_lost") && !file.text.contains("admin_token"))
        file.onLost = "always"
        file.token = "file:/x"
        #expect(file.text.contains("on_lost = \"always\"") && file.text.contains("admin_token   = \"file:/x\""))
        #expect(file.copy.contains("on_lost") && !file.copy.contains("admin_token"))
    }

    @Test("the demo does every kind of thing, in order, and ends with all servers well")
    func script() {
        let scenes = DemoScript(seconds: 50).scenes
        #expect(Set(scenes.compactMap(\.step.disturbance.kind)) == Set(Disturbance.Kind.allCases))
        #expect(zip(scenes, scenes.dropFirst()).allSatisfy { $0.step.at < $1.step.at })
        #expect((scenes.last?.step.at ?? 50) < 50)
        let named = scenes.filter { $0.step.disturbance.kind != nil }
        #expect(named.allSatisfy { !$0.meaning.isEmpty })
    }

    @Test("a status has a row for each server and a column for each balancer; the line has no newline")
    func view() {
        let plan = PlanFigures(
            name: "", workload: "", url: "", transport: "", connections: 1, depth: 1, rate: nil, unit: "calls")
        var figures = RunFigures(plan: plan, began: 0, seconds: 9)
        figures.failed = ["session lost": 2, "HTTP 502": 5, "too many calls waiting": 7]
        figures.trial = TrialFigures()
        figures.trial?.explained = ["HTTP 502": 4]
        let status = TrialStatus(
            elapsed: 61, progress: 0.5, servers: [.init(name: "mcp-1", state: "stands still", calls: [1_234, 5])],
            fronts: [
                .init(name: "Berth", pid: 1, figures: figures), .init(name: "round-robin", pid: 2, figures: figures),
            ])
        let text = TrialView.text(status, style: TerminalStyle(colours: false, blocks: true, width: 80))
        let lines = text.split(separator: "\n")
        #expect(lines[0].hasPrefix("1:01") && lines[0].hasSuffix("Berth         round-robin"))
        #expect(lines[1] == "  mcp-1   stands still         1,234 calls             5 calls")
        #expect(lines.contains { $0.hasPrefix("  failed without cause") && $0.hasSuffix(" 1") })
        #expect(lines.contains { $0.hasPrefix("  failed with a server") && $0.hasSuffix(" 4") })
        #expect(Set(lines.dropLast().map(\.count)) == [62])
        #expect(
            TrialView.line(status).hasPrefix("  1:01  Berth: 0 calls, 0 wrong, 2 sessions lost, 1 failed, 0 recovered"))
    }
}
