import Foundation
import Testing

extension Conformance {
    @Suite("Traces")
    struct Traces {
        /// A span as OpenTelemetry's own classes decode it.
        struct Span: Decodable {
            var service: String?
            var exact: Bool
            var name: String
            /// 2: SERVER, 3: CLIENT.
            var kind: Int
            var trace, span, parent: String
            var links: [String]
            /// 2: ERROR.
            var status: Int
            var nanoseconds: Int
            var attributes: [String: String]
        }

        private struct Port: Decodable { var port: Int }

        @Test("spans join the traces of the official client, in OpenTelemetry's own decoder")
        func joined() async throws {
            try await withScratch { directory in
                let python = try SDK.shared.get().interpreter(.v1)
                let script = SDK.scripts.appending(path: "collector.py").path
                let collector = try ChildProcess("collector", python, [script], in: directory)
                defer { collector.kill() }
                let port = try await collector.first("port", of: collector.outputLines, within: .seconds(60)) {
                    try? JSONDecoder().decode(Port.self, from: Data($0.utf8)).port
                }

                let trace = "{ otlp = \"http://127.0.0.1:\(port)\", ratio = 0 }"
                try await Fleet.with(.sessions, replicas: 2, trace: trace) { fleet in
                    let traces = try #require(try await fleet.client("traced.py").expectAllRight().traces)
                    // Four calls have two spans each.
                    let spans = try await eventually("spans", within: .seconds(60)) {
                        let found = collector.outputLines().dropFirst().compactMap {
                            try? JSONDecoder().decode(Span.self, from: Data($0.utf8))
                        }
                        return found.count >= 8 ? found : nil
                    }
                    #expect(spans.count == 8, "what is not sampled has no span: \(spans.map(\.name))")
                    for span in spans { #expect(span.exact && span.service == "berth") }
                    for (call, contexts) in traces { check(call, contexts, spans) }
                }
            }
        }

        private func check(_ call: String, _ contexts: [String: String], _ spans: [Span]) {
            let message = (contexts["message"] ?? "").split(separator: "-").map(String.init)
            let http = (contexts["http"] ?? "").split(separator: "-").map(String.init)
            let parent = message.isEmpty ? http : message
            let found = spans.filter { parent.count == 4 && $0.trace == parent[1] }
            guard !parent.isEmpty, parent.last == "01" else {
                #expect(found.isEmpty, "\(call) has spans")
                return
            }
            guard let server = found.first(where: { $0.kind == 2 }), let client = found.first(where: { $0.kind == 3 })
            else {
                Issue.record("\(call) has \(found.count) spans of its trace")
                return
            }
            #expect(server.parent == parent[2])
            #expect(client.parent == server.span)
            #expect(server.nanoseconds >= client.nanoseconds)
            #expect(server.links == (call == "both" ? ["\(http[1])-\(http[2])"] : []))
            let tool = call == "failed" ? "no-such-tool" : "whoami"
            #expect(server.name == "tools/call \(tool)")
            #expect(server.attributes["gen_ai.tool.name"] == tool)
            #expect(server.attributes["error.type"] == (call == "failed" ? "tool_error" : nil))
            #expect(server.status == (call == "failed" ? 2 : 0))
            #expect(client.attributes["server.address"] == "127.0.0.1")
        }
    }
}
