import Kernel
import Logging
import Simulation
import Telemetry
import TestSupport
import Testing

@testable import Proxy

/// What becomes of requests when the process is short of memory: `memory_limit`.
@Suite("memory_limit")
struct MemoryLimitTests {
    private static func stage(_ seed: UInt64) -> ProxyStage {
        let stage = ProxyStage(seed: seed)
        stage.snapshot.memoryLimit = 64 << 20
        return stage
    }

    @Test("work that has not begun gets 503, sessions go on, and everything goes on when there is memory again")
    func shedding() {
        let stage = Self.stage(1)
        _ = ScriptedServer(stage) { _ in .reply("{}", extra: "Mcp-Session-Id: abc\r\n") }
        let id = stage.answer(.post(.call(1, "initialize")))["mcp-session-id"] ?? ""
        stage.metrics.view.memoryLevel = MemoryLevel.short.rawValue
        for request in [
            String.post(.call(7, "initialize")), .post(.call(7), version: "2026-07-28"), .openStream(), .get("/other"),
        ] {
            let answer = stage.answer(request)
            #expect(answer.status == 503 && answer["retry-after"] == "5", "\(request)")
            #expect(answer.text.contains(#""reason":"memory_limit","retry_after":5"#), "\(request)")
        }
        #expect(stage.answer(.post(.call(1), session: id)).status == 200)
        #expect(stage.answer("DELETE /mcp HTTP/1.1\r\nHost: a\r\nMcp-Session-Id: \(id)\r\n\r\n").status == 200)
        stage.metrics.view.memoryLevel = MemoryLevel.normal.rawValue
        #expect(stage.answer(.post(.call(1, "initialize"))).status == 200)
        stage.expectNoLeaks()
    }

    @Test("beyond that, new connections are reset and those that are there are served")
    func exhausted() {
        let stage = Self.stage(2)
        _ = ScriptedServer(stage) { _ in .reply("{}", extra: "Mcp-Session-Id: abc\r\n") }
        let client = stage.connect()
        client.ask(.post(.call(1, "initialize")))
        stage.run { client.responses.count == 1 }
        stage.metrics.view.memoryLevel = MemoryLevel.exhausted.rawValue
        let late = stage.connect()
        stage.run { late.isOver }
        #expect(late.responses.isEmpty)
        client.ask(.post(.call(2), session: client.responses.first?["mcp-session-id"]))
        stage.run { client.responses.count == 2 }
        #expect(client.responses.last?.status == 200)
        client.leave()
        stage.expectNoLeaks()
    }

    @Test("without the limit nothing is turned away")
    func off() {
        let stage = ProxyStage(seed: 3)
        _ = ScriptedServer(stage) { _ in .reply("{}") }
        stage.start()
        stage.metrics.view.memoryLevel = MemoryLevel.exhausted.rawValue
        #expect(stage.answer(.post(.call(1))).status == 200)
        stage.expectNoLeaks()
    }

    @Test("the verdict changes at the limit, a tenth above it, and a twentieth below")
    func ceiling() {
        var ceiling = MemoryCeiling(limit: 1_000)
        let steps: [(Int64, MemoryLevel)] = [
            (0, .normal), (999, .normal), (1_000, .short), (1_099, .short), (960, .short), (950, .short),
            (949, .normal),
            (1_100, .exhausted), (1_000, .exhausted), (999, .short), (949, .normal), (960, .normal),
        ]
        for (used, level) in steps { #expect(ceiling.note(used: used) == level, "\(used)") }
    }

    @Test("a watcher says what the kernel says, and stops saying it")
    func watching() throws {
        let metrics = Metrics(workers: 1, servers: 1)
        let watcher = try MemoryWatcher(1 << 20, metrics: metrics.view, log: Logger(label: "test"))
        try watcher.start()
        let deadline = Instant.now() + .seconds(60)
        while metrics.view.memoryLevel != MemoryLevel.exhausted.rawValue, Instant.now() < deadline {}
        #expect(metrics.view.memoryLevel == MemoryLevel.exhausted.rawValue, "this process has more than a MiB")
        try watcher.resume(with: 1 << 50)
        while metrics.view.memoryLevel != MemoryLevel.normal.rawValue, Instant.now() < deadline {}
        #expect(metrics.view.memoryLevel == MemoryLevel.normal.rawValue)
        watcher.stop()
    }
}
