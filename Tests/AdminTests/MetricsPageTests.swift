import Admin
import Foundation
import MCP
import Proxy
import Telemetry
import Testing

@Suite("The page of metrics")
struct MetricsPageTests {
    /// Name and labels of each sample.
    private func samples(_ text: String) -> [(name: String, labels: [String])] {
        text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let name = line.prefix { $0 != "{" && $0 != " " }
            guard let open = line.firstIndex(of: "{"), let close = line.lastIndex(of: "}") else {
                return ("\(name)", [])
            }
            let labels = line[line.index(after: open)..<close].split(separator: "\",").map {
                "\($0.prefix { $0 != "=" })"
            }
            return ("\(name)", labels)
        }
    }

    private func metric(of sample: String) -> MetricDefinition? {
        MetricCatalog.all.first { metric in
            metric.kind == .histogram
                ? ["_bucket", "_sum", "_count"].contains { metric.name + $0 == sample } : metric.queryName == sample
        }
    }

    @Test("every sample stands in the catalog, with its labels")
    func catalog() async throws {
        let rig = try AdminRig()
        rig.call("add")
        rig.call("add", .rpcError, code: -32603)
        rig.proxy.metrics.calls.recorder(worker: 0).recordSession(nanoseconds: 1, upstream: 0, revision: 8)

        for (name, labels) in samples(await rig.metrics()) {
            let known = try #require(metric(of: name), "\(name) is not in the catalog")
            #expect(Set(labels).subtracting(known.labels).subtracting(["le"]).isEmpty, "\(name) \(labels)")
        }
    }

    @Test("every line is there once, in either format")
    func unique() async throws {
        let rig = try AdminRig(servers: 3)
        rig.call("404", .rpcError, code: 404)
        rig.call("add", .httpError)
        rig.call("add", times: 2)

        for accept in [nil, "application/openmetrics-text"] {
            let lines = await rig.metrics(accept: accept).split(separator: "\n")
            let keys = lines.filter { !$0.hasPrefix("#") }.map { $0.prefix(upTo: $0.lastIndex(of: " ") ?? $0.endIndex) }
            #expect(Set(keys).count == keys.count)
            #expect(keys.count > 100)
        }
    }

    @Test("what has the same word is one series")
    func sameWord() async throws {
        let rig = try AdminRig()
        rig.call("add")
        rig.call("add", .rpcError, code: 404)
        var event = CallEvent()
        event.method = .toolsCall
        event.name = CallName(Array("add".utf8).span)
        event.outcome = .httpError
        event.status = 404
        event.upstream = 0
        event.revision = 1 << 3
        rig.proxy.metrics.calls.recorder(worker: 1).record(event)

        let line = await rig.metrics().split(separator: "\n").filter {
            $0.hasPrefix("mcp_server_operation_duration_seconds_count") && $0.contains("error_type=\"404\"")
        }
        #expect(line.count == 1)
        #expect(line.first?.hasSuffix(" 2") == true)
    }

    @Test("calls are told by tool, error and revision, their legs by server")
    func calls() async throws {
        let rig = try AdminRig()
        rig.call("add", server: 1, times: 5)
        rig.call("add", .toolError)

        let text = await rig.metrics()

        #expect(
            text.contains(
                "mcp_server_operation_duration_seconds_count{upstream=\"mcp\",mcp_method_name=\"tools/call\","
                    + "gen_ai_tool_name=\"add\",mcp_protocol_version=\"2025-11-25\"} 5\n"))
        #expect(
            text.contains(
                "mcp_client_operation_duration_seconds_count{upstream=\"mcp\",server_address=\"s1:80\","
                    + "mcp_method_name=\"tools/call\",gen_ai_tool_name=\"add\",mcp_protocol_version=\"2025-11-25\"} 5\n"
            ))
        #expect(
            text.contains("gen_ai_tool_name=\"add\",error_type=\"tool_error\",mcp_protocol_version=\"2025-11-25\"} 1"))
        #expect(text.contains("berth_call_phase_seconds_count{upstream=\"mcp\",phase=\"first_byte\"} 6\n"))
        #expect(text.contains("berth_build_info{version=\"1.2.3\"} 1\n"))
        #expect(text.contains("berth_log_dropped_lines_total{log=\"access\"} 0\n"))
        #expect(text.contains("berth_server_up{upstream=\"mcp\",server=\"s1:80\"} 1\n"))
    }

    @Test("10,000 names that clients make up do not make the page longer")
    func unknownTools() async throws {
        let rig = try AdminRig()
        rig.call("add")
        rig.call("first unknownTool", .rpcError, code: -32602)
        let before = await rig.metrics().split(separator: "\n").count

        for number in 0..<10_000 { rig.call("unknownTool \(number)", .rpcError, code: -32602) }

        let text = await rig.metrics()
        #expect(text.split(separator: "\n").count == before)
        #expect(
            text.contains(
                "gen_ai_tool_name=\"_OTHER\",error_type=\"-32602\",mcp_protocol_version=\"2025-11-25\"} 10001"))
        #expect(!text.contains("unknownTool"))
    }

    @Test("a client that takes gzip gets it")
    func gzip() async throws {
        let rig = try AdminRig()

        let response = await rig.answer(AdminRequest(path: "/metrics", acceptEncoding: "br, gzip;q=0.5"))

        let content = try #require(response.content)
        #expect(response.contentEncoding.map { "\($0)" } == "gzip")
        #expect(content.prefix(2) == [0x1f, 0x8b])
        let plain = try Gunzip.run(content)
        #expect(String(decoding: plain, as: UTF8.self).contains("\nberth_up 1\n"))
        #expect(content.count < plain.count / 4)
        for field in ["identity", "gzip;q=0", "*;q=0", "gzipped"] {
            let response = await rig.answer(AdminRequest(path: "/metrics", acceptEncoding: field))
            #expect(response.contentEncoding == nil, "\(field)")
        }
    }

    @Test("/stats has tools with their errors and percentiles, those with the most calls first")
    func statistics() async throws {
        struct Document: Decodable {
            struct Tool: Decodable {
                var upstream, tool: String
                var calls: Int
                var errors: [String: Int]
                var p50, p95, p99: Double
            }
            var tools: [Tool]
        }
        let rig = try AdminRig()
        rig.call("add", milliseconds: 3, times: 90)
        rig.call("add", .toolError, milliseconds: 150, times: 10)
        rig.call("slow", milliseconds: 7_000, times: 2)
        rig.call("nobody", .rpcError, code: -32602)

        let body = await rig.answer(AdminRequest(path: "/stats")).body
        let tools = try JSONDecoder().decode(Document.self, from: Data(body.utf8)).tools

        #expect(tools.map(\.tool) == ["add", "slow", "_OTHER"])
        #expect(tools[0].calls == 100 && tools[0].errors == ["tool_error": 10] && tools[0].upstream == "mcp")
        #expect((0.0025...0.005).contains(tools[0].p50) && (0.1...0.2).contains(tools[0].p95))
        #expect((5.0...10).contains(tools[1].p99))
        #expect(tools[2].errors == ["-32602": 1])
    }

    @Test("a page with 200 servers and 500 tools is bounded")
    func large() async throws {
        let rig = try AdminRig(servers: 200)
        rig.proxy.metrics.calls.maximumNames = 500
        for number in 0..<500 { rig.call("tool_\(number)", server: Int32(number % 200)) }

        let text = await rig.metrics()

        #expect(text.split(separator: "\n").count < 40_000)
    }
}
