import Testing

@testable import Telemetry

@Suite("Responses of a collector")
struct CollectorResponseTests {
    private func response(_ text: String) -> CollectorResponse? { CollectorResponse(Array(text.utf8)) }

    @Test("a response without its whole head is none yet")
    func incomplete() {
        #expect(response("") == nil)
        #expect(response("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n") == nil)
    }

    @Test("any 2xx is a success", arguments: ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 202 \r\nx: y\r\n\r\nbody"])
    func accepted(_ text: String) {
        #expect(response(text) == .accepted)
    }

    @Test("the retryable statuses say when")
    func retryable() {
        #expect(
            response("HTTP/1.1 429 Too Many\r\nRetry-After:  3\r\n\r\n") == .unavailable("it answers 429", after: 3))
        for status in [502, 503, 504] {
            #expect(response("HTTP/1.1 \(status) x\r\n\r\n") == .unavailable("it answers \(status)", after: nil))
        }
    }

    @Test(
        "a time to wait that makes no sense is none",
        arguments: ["-1", "Wed, 21 Oct 2026 07:28:00 GMT", "99999999999999999999", "", "1e9"])
    func oddTimes(_ text: String) {
        #expect(
            response("HTTP/1.1 503 x\r\nretry-after: \(text)\r\n\r\n") == .unavailable("it answers 503", after: nil))
    }

    @Test("anything else will not become right by trying again")
    func rejected() {
        #expect(response("HTTP/1.1 400 Bad\r\n\r\n") == .rejected("it answers 400"))
        #expect(response("HTTP/1.1 301 Moved\r\n\r\n") == .rejected("it answers 301"))
        #expect(response("SSH-2.0-OpenSSH\r\n\r\n") == .rejected("what answers is no HTTP server"))
    }
}
