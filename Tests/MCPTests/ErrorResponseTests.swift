import Foundation
import MCP
import Testing

@Suite("ErrorResponse")
struct ErrorResponseTests {
    static let all: [ErrorResponse] = [
        .noServerAvailable, .queueTimeout, .queueFull, .tooManyStreams, .connectFailed,
        .serverReset, .badServerResponse, .firstByteTimeout, .internalError, .sessionNotFound,
        .legacySessionNotFound, .malformed, .headTimeout, .bodyTimeout, .requestTooLarge, .targetTooLong, .headTooLarge,
        .methodNotAllowed, .expectationFailed, .codingUnsupported, .versionUnsupported, .noRoute, .noRouteForSession,
        .unknownHost, .sessionsFull, .headerMismatch, .rateLimited, .concurrencyLimited, .streamOpensLimited,
        .ambiguousMessage, .unreadableMessage,
    ]

    static func body(_ response: ErrorResponse, id: String) -> Data {
        let id = Array(id.utf8)
        return Data(response.body(id: id.span))
    }

    @Test("a body is a JSON-RPC error with the id as sent", arguments: ["7", #""a\"b""#, "-1.5e3", ""])
    func bodies(id: String) throws {
        for response in Self.all where "\(response.contentType)" == "application/json" {
            let body = Self.body(response, id: id)
            let object = try #require(try JSONSerialization.jsonObject(with: body) as? [String: Any])
            #expect(object["jsonrpc"] as? String == "2.0")
            let error = try #require(object["error"] as? [String: Any])
            #expect(error["code"] as? Int == response.code)
            #expect(error["message"] as? String == "\(response.message)")
            let data = try #require(error["data"] as? [String: Any])
            #expect(data["reason"] as? String == "\(response.reason)")
            #expect(data["retry_after"] as? Int == response.retryAfterSeconds.map { Int($0) })
            #expect(data.count == (response.retryAfterSeconds == nil ? 1 : 2))
            let echoed = String(decoding: body, as: UTF8.self)
            #expect(echoed.hasPrefix(#"{"jsonrpc":"2.0","id":\#(id.isEmpty ? "null" : id),"error":{"#))
        }
    }

    @Test("a body has exactly the expected bytes")
    func exact() {
        #expect(
            String(decoding: Self.body(.sessionNotFound, id: ""), as: UTF8.self)
                == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found","data":{"reason":"session_gone"}}}"#
        )
        #expect(String(decoding: Self.body(.legacySessionNotFound, id: "1"), as: UTF8.self) == "Could not find session")
    }

    @Test("statuses have the meaning that MCP clients expect")
    func statuses() {
        #expect(Set(Self.all.filter { $0.status == 404 }.map { "\($0.reason)" }) == ["session_gone", "no_route"])
        #expect(
            Self.all.filter { $0.status == 400 }.map { "\($0.reason)" } == [
                "malformed_request", "header_mismatch", "ambiguous_message", "unreadable_message",
            ])
        for response in Self.all {
            // The protocol reserves -32020 to -32099, and says what -32020 is.
            #expect([-32603, -32600, -32001, -32020, -32700].contains(response.code))
            #expect((response.code == -32700) == ("\(response.reason)" == "unreadable_message"))
            #expect((response.code == -32020) == ("\(response.reason)" == "header_mismatch"))
            #expect((response.code == -32001) == ("\(response.reason)" == "session_gone"))
            #expect((response.status == 503 || response.status == 429) == (response.retryAfterSeconds != nil))
            #expect((response.status == 405) == (response.allow != nil))
        }
    }

    @Test("each error has its own reason")
    func reasons() {
        let reasons = Self.all.filter { "\($0.reason)" != "session_gone" }.map { "\($0.reason)" }
        #expect(Set(reasons).count == reasons.count)
    }

    @Test(
        "each error has its status",
        arguments: [
            (.noServerAvailable, 503), (.queueTimeout, 503), (.queueFull, 503), (.tooManyStreams, 503),
            (.connectFailed, 502), (.serverReset, 502), (.badServerResponse, 502), (.firstByteTimeout, 504),
            (.sessionNotFound, 404), (.requestTooLarge, 413), (.malformed, 400), (.headTimeout, 408),
            (.headTooLarge, 431),
            (.targetTooLong, 414), (.methodNotAllowed, 405), (.versionUnsupported, 505), (.codingUnsupported, 501),
            (.expectationFailed, 417), (.noRoute, 404), (.noRouteForSession, 503), (.unknownHost, 421),
            (.rateLimited, 429), (.concurrencyLimited, 503), (.streamOpensLimited, 429),
        ] as [(ErrorResponse, UInt16)])
    func status(_ response: ErrorResponse, _ status: UInt16) {
        #expect(response.status == status)
    }
}
