import Foundation

/// The result of a tool call, from a JSON body or an event stream.
struct DemoToolResult {
    /// The first text of the result; nil for an error.
    let text: String?
    /// The number of progress notifications before the result.
    let progress: Int

    /// Nil if the response has no JSON-RPC response.
    init?(_ response: DemoResponse) {
        let messages = response.isEventStream ? DemoToolResult.events(response.body) : [Data(response.body)]
        let decoder = JSONDecoder()
        guard let last = messages.last, let answer = try? decoder.decode(Answer.self, from: last) else { return nil }
        text = answer.result?.content?.first?.text
        progress = messages.dropLast().count {
            (try? decoder.decode(Notice.self, from: $0))?.method == "notifications/progress"
        }
    }

    /// The data of each event. MCP servers send a message as one data line.
    private static func events(_ body: [UInt8]) -> [Data] {
        let lines = body.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        return lines.filter { $0.starts(with: "data:".utf8) }.map { Data($0.dropFirst(5)) }
    }

    private struct Notice: Decodable {
        let method: String
    }

    private struct Answer: Decodable {
        struct Result: Decodable {
            let content: [Content]?
        }
        struct Content: Decodable {
            let text: String?
        }
        let result: Result?
    }
}
