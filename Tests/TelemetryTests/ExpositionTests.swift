import MCP
import Telemetry
import Testing

@Suite("Metrics as text")
struct ExpositionTests {
    private func text(_ format: ExpositionFormat, _ write: (inout ExpositionWriter) -> Void) -> String {
        var writer = ExpositionWriter(format)
        write(&writer)
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    @Test("a counter is named without its suffix in OpenMetrics, and with it for Prometheus")
    func counters() {
        func write(_ writer: inout ExpositionWriter) {
            writer.sample(MetricCatalog.requestBytes, 17)
            writer.sample(MetricCatalog.cpu, nanoseconds: 1_500_000_000)
        }

        let plain = text(.prometheus, write)
        let open = text(.openMetrics, write)

        #expect(plain.contains("# TYPE berth_request_body_bytes_total counter\nberth_request_body_bytes_total 17\n"))
        #expect(open.contains("# TYPE berth_request_body_bytes counter\n# UNIT berth_request_body_bytes bytes\n"))
        #expect(open.contains("\nberth_request_body_bytes_total 17\n"))
        #expect(open.contains("\nprocess_cpu_seconds_total 1.5\n"))
        #expect(open.hasSuffix("\n# EOF\n") && !plain.contains("EOF"))
    }

    @Test("values of labels are escaped, and empty ones left out")
    func labels() {
        let names = ["upstream", "server"]
        let written = text(.prometheus) { writer in
            writer.sample(MetricCatalog.sessions, LabelText(names, ["a\"b\\c\nd", "é"]), -1)
            writer.sample(MetricCatalog.sessions, LabelText(names, ["", ""]), 1_234_567_890_123)
        }

        #expect(written.contains(#"berth_sessions{upstream="a\"b\\c\nd",server="é"} -1"#))
        #expect(written.contains("\nberth_sessions 1234567890123\n"))
    }

    @Test("an info is a gauge for Prometheus")
    func info() {
        let labels = LabelText(["version"], ["1"])

        #expect(
            text(.prometheus) { $0.sample(MetricCatalog.build, labels, 1) }
                == "# HELP berth_build_info The version of Berth.\n# TYPE berth_build_info gauge\n"
                + "berth_build_info{version=\"1\"} 1\n")
        #expect(text(.openMetrics) { $0.sample(MetricCatalog.build, labels, 1) }.contains("# TYPE berth_build info\n"))
    }

    @Test("buckets are cumulative, and the last is all")
    func histogram() throws {
        let calls = Metrics(workers: 1, servers: 16).calls
        for duration in [400_000, 3_000_000, 400_000_000_000] as [UInt64] {
            var event = CallEvent.tool("t")
            event.duration = duration
            event.server = -1
            calls.recorder(worker: 0).record(event)
        }
        let series = try #require(calls.series().first)

        let lines = text(.prometheus) {
            $0.sample(MetricCatalog.operation, LabelText(["upstream"], ["mcp"]), series.histogram)
        }.split(separator: "\n")

        let name = "mcp_server_operation_duration_seconds"
        #expect(lines.count == 2 + 19 + 2)
        #expect(lines[2] == "\(name)_bucket{upstream=\"mcp\",le=\"0.0005\"} 1")
        #expect(lines[5] == "\(name)_bucket{upstream=\"mcp\",le=\"0.005\"} 2")
        #expect(lines[12] == "\(name)_bucket{upstream=\"mcp\",le=\"1.0\"} 2")
        #expect(lines[20] == "\(name)_bucket{upstream=\"mcp\",le=\"+Inf\"} 3")
        #expect(lines[21] == "\(name)_sum{upstream=\"mcp\"} 400.0034")
        #expect(lines[22] == "\(name)_count{upstream=\"mcp\"} 3")
    }

    @Test(
        "the format is what the client asks for",
        arguments: [
            (nil, ExpositionFormat.prometheus), ("", .prometheus), ("*/*", .prometheus), ("text/plain", .prometheus),
            ("application/openmetrics-text", .openMetrics),
            ("application/openmetrics-text; version=1.0.0", .openMetrics),
            ("application/openmetrics-text;version=2.0.0,text/plain;version=0.0.4;q=0.5", .prometheus),
            (
                "application/openmetrics-text;version=1.0.0;q=0.75,application/openmetrics-text;version=0.0.1;q=0.5,"
                    + "text/plain;version=0.0.4;q=0.25,*/*;q=0.1", .openMetrics
            ),
            ("application/openmetrics-text;q=0.2,text/plain;q=0.9", .prometheus),
            ("application/openmetrics-text;q=0", .prometheus), (";;,=,q", .prometheus),
        ] as [(String?, ExpositionFormat)])
    func formats(_ accept: String?, _ expected: ExpositionFormat) {
        #expect(ExpositionFormat(accept: accept) == expected)
    }

    @Test("names in the catalog are unique and say their units")
    func catalog() {
        let all = MetricCatalog.all
        #expect(Set(all.map(\.name)).count == all.count)
        for metric in all {
            #expect(metric.unit == nil || metric.name.hasSuffix("_\(metric.unit?.rawValue ?? "")"), "\(metric.name)")
            #expect(!["_total", "_info", "_bucket", "_sum", "_count"].contains { metric.name.hasSuffix($0) })
            #expect(!metric.help.hasSuffix(".") && !metric.help.contains("\n") && !metric.help.contains("\\"))
            #expect(metric.kind != .histogram || metric.unit == .seconds)
        }
    }
}
