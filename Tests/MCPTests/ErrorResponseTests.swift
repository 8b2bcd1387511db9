import Foundation
import MCP
import Testing

@Suite("ErrorResponse")
struct ErrorResponseTests {
    static let all: [ErrorResponse] = [
        .noServerAvailable, .queueTimeout, .queueFull, .tooManyStreams, .tooManySessions, .draining, .connectFailed,
        .serverReset, .badServerResponse, .responseTooLarge, .firstByteTimeout, .internalError, .sessionGone,
        .legacySessionGone, .malformed, .headTimeout, .bodyTimeout, .requestTooLarge, .targetTooLong, .headTooLarge,
        .methodNotAllowed, .expectationFailed, .codingUnsupported, .versionUnsupported, .forbiddenHost,
        .forbiddenOrigin, .rateLimited,
    ]

    static func body(_ reply: ErrorResponse, id: String) -> Data {
        let id = Array(id.utf8)
        return Data(reply.body(id: id.span))
    }

    @Test("a body is a JSON-RPC error with the id as it came", arguments: ["7", #""a\"b""#, "-1.5e3", ""])
    func bodies(id: String) throws {
        for reply in Self.all where "\(reply.contentType)" == "application/json" {
            let body = Self.body(reply, id: id)
            let object = try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any])
            #expect(object["jsonrpc"] as? String == "2.0")
            let error = try #require(object["error"] as? [String: Any])
            #expect(error["code"] as? Int == reply.code)
            #expect(error["message"] as? String == "\(reply.message)")
            #expect((error["data"] as? [String: String]) == ["reason": "\(reply.reason)"])
            let echoed = String(decoding: body, as: UTF8.self)
            #expect(echoed.hasPrefix(#"{"jsonrpc":"2.0","id":\#(id.isEmpty ? "null" : id),"error":{"#))
        }
    }

    @Test("the whole of one body")
    func exact() {
        #expect(
            String(decoding: Self.body(.sessionGone, id: ""), as: UTF8.self)
                == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found","data":{"reason":"session_gone"}}}"#
        )
        #expect(String(decoding: Self.body(.legacySessionGone, id: "1"), as: UTF8.self) == "Could not find session")
    }

    @Test("statuses keep to what clients make of them")
    func statuses() {
        #expect(Set(Self.all.filter { $0.status == 404 }.map { "\($0.reason)" }) == ["session_gone"])
        #expect(Self.all.filter { $0.status == 400 }.map { "\($0.reason)" } == ["malformed_request"])
        for reply in Self.all {
            // -32020 to -32099 belong to the protocol.
            #expect([-32603, -32600, -32001].contains(reply.code))
            #expect((reply.code == -32001) == (reply.status == 404))
            #expect((reply.status == 503 || reply.status == 429) == (reply.retryAfterSeconds != nil))
            #expect((reply.status == 405) == (reply.allow != nil))
        }
    }

    @Test("each fault has its own reason")
    func reasons() {
        let reasons = Self.all.filter { $0.status != 404 }.map { "\($0.reason)" }
        #expect(Set(reasons).count == reasons.count)
    }

    @Test(
        "the statuses of the table",
        arguments: [
            (.noServerAvailable, 503), (.queueTimeout, 503), (.queueFull, 503), (.tooManyStreams, 503),
            (.draining, 503),
            (.connectFailed, 502), (.serverReset, 502), (.badServerResponse, 502), (.firstByteTimeout, 504),
            (.sessionGone, 404), (.requestTooLarge, 413), (.malformed, 400), (.headTimeout, 408), (.headTooLarge, 431),
            (.targetTooLong, 414), (.methodNotAllowed, 405), (.versionUnsupported, 505), (.codingUnsupported, 501),
            (.expectationFailed, 417), (.forbiddenHost, 421), (.forbiddenOrigin, 403), (.rateLimited, 429),
        ] as [(ErrorResponse, UInt16)])
    func status(_ reply: ErrorResponse, _ status: UInt16) {
        #expect(reply.status == status)
    }
}
