import Foundation

/// The answer to a tool call, out of a JSON body or an event stream.
struct DemoReply {
    /// The result's first text; nil for an error.
    let text: String?
    /// Progress notifications before the answer.
    let progress: Int

    /// Nil if there is no JSON-RPC answer in the response.
    init?(_ response: DemoResponse) {
        let messages = response.isEventStream ? DemoReply.events(response.body) : [Data(response.body)]
        let decoder = JSONDecoder()
        guard let last = messages.last, let answer = try? decoder.decode(Answer.self, from: last) else { return nil }
        text = answer.result?.content?.first?.text
        progress = messages.dropLast().count {
            (try? decoder.decode(Notice.self, from: $0))?.method == "notifications/progress"
        }
    }

    /// The data of each event. Events of more than one data line do not occur in MCP.
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
