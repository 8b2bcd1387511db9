import LoadReport
import Testing

@testable import berth

/// What `berth top` shows.
@Suite("berth top")
struct TopViewTests {
    private let style = TerminalStyle(colours: false, blocks: true, width: 80)

    /// `/stats` of `count` servers that have had so many requests each.
    private func stats(_ count: Int, requests: Int, failures: Int = 0, tools: String = "") -> String {
        let servers = (0..<count).map { index in
            """
            {"address":"10.0.0.\(index):3001","state":"\(index == 1 ? "down" : "healthy")","weight":1,"streams":2,\
            "sessions":\(10 + index),"requests":\(requests * (index + 1)),"pool":{"active":1,"waiting":0},\
            "errors":{"bad_gateway":\(failures),"unavailable":0,"timed_out":0}}
            """
        }
        return """
            {"pid":7,"uptime_seconds":61.5,"draining":false,"clients":12,"configuration":{"hash":"0123456789abcdef"},\
            "upstreams":[{"name":"mcp","servers":[\(servers.joined(separator: ","))]}]\(tools)}
            """
    }

    private func history(_ texts: [String]) throws -> TopHistory {
        var history = TopHistory()
        for (second, text) in texts.enumerated() {
            history.append(try #require(TopSample(text, at: Double(second))))
        }
        return history
    }

    @Test("rates are what was counted between two looks, by the seconds between them")
    func rates() throws {
        let history = try history([stats(2, requests: 100), stats(2, requests: 150, failures: 3)])
        #expect(history.servers.map(\.callRate) == [50, 100])
        #expect(history.rates == [150])
        #expect(history.failureRate == 6)
    }

    @Test("a process that began anew has no negative rates")
    func restarted() throws {
        let history = try history([stats(1, requests: 100), stats(1, requests: 3)])
        #expect(history.servers.map(\.callRate) == [0])
    }

    @Test("every screen fits its size", arguments: [(24, 80), (10, 40), (5, 20), (50, 200), (24, 79)])
    func sizes(rows: Int, columns: Int) throws {
        let tools = """
            ,"tools":[{"upstream":"mcp","tool":"search","calls":4,"errors":{"timeout":1},"p95":0.2}]
            """
        let history = try history([stats(40, requests: 1, tools: tools), stats(40, requests: 2, tools: tools)])
        let style = TerminalStyle(colours: false, blocks: true, width: columns)
        for order in TopView.Order.allCases {
            let setting = TopView.Setting(
                order: order, isPaused: order == .calls, problem: "nothing answers at 127.0.0.1:1")
            let lines = TopView.lines(history, setting, rows: rows, style: style)
            #expect(lines.count <= rows)
            for line in lines { #expect(line.count <= columns, "\(line)") }
        }
    }

    @Test("sorted by calls the busiest comes first, and what does not fit is counted")
    func order() throws {
        let history = try history([stats(40, requests: 10), stats(40, requests: 20)])
        let setting = TopView.Setting(order: .calls)
        let lines = TopView.lines(history, setting, rows: 24, style: style)
        let first = lines.first { $0.hasPrefix("mcp/") } ?? ""
        #expect(first.hasPrefix("mcp/10.0.0.39:3001"))
        #expect(lines.contains { $0.contains("of 40 shown") })
        #expect(lines.last?.contains("s sort: calls") == true)
    }

    @Test("a server that is down, and tools with their errors, are seen without colours")
    func states() throws {
        let tools = { (calls: Int, errors: Int) in
            """
            ,"tools":[{"tool":"search","calls":\(calls),"errors":{"tool_error":\(errors)},"p50":0.012,"p95":0.2,"p99":1.5}]
            """
        }
        let history = try history([
            stats(2, requests: 1, tools: tools(10, 0)), stats(2, requests: 1, tools: tools(20, 5)),
        ])
        let text = TopView.block(history, style: style)
        #expect(text.contains("✕ down"))
        #expect(text.contains("● healthy"))
        let line = text.split(separator: "\n").first { $0.hasPrefix("search") } ?? ""
        #expect(line.contains("50.0%") && line.contains("12.0 ms") && line.contains("1.50 s"), "\(line)")
    }

    @Test("control characters of servers' names do not reach the terminal")
    func hostileNames() throws {
        let tools = ",\"tools\":[{\"tool\":\"a\\u001b[2Jb\",\"calls\":1,\"errors\":{}}]"
        let text = TopView.block(try history([stats(1, requests: 1, tools: tools)]), style: style)
        #expect(!text.contains("\u{1b}"))
    }

    @Test("keys are told from the sequences of a terminal")
    func keys() {
        #expect(KeyboardScreen.keys(in: Array("sq".utf8)) == [.character("s"), .character("q")])
        #expect(KeyboardScreen.keys(in: [0x1b, 0x5b, 0x41, 0x1b, 0x4f, 0x42, 3]) == [.up, .down, .interrupt])
        #expect(KeyboardScreen.keys(in: [0x1b, 0x5b, 0x31, 0x3b, 0x35, 0x43, 0x1b]) == [])
    }
}
