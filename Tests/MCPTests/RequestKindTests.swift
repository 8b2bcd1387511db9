import MCP
import TestSupport
import Testing

@Suite("Request kind")
struct RequestKindTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var method = "POST"
        var version = ""
        var hasSessionID = false
        var hasLastEventID = false
        var acceptsEventStream = true
        var target = "/mcp"
        var kind: RequestKind

        var testDescription: String { name }

        func classified() -> RequestKind {
            let version = Array(version.utf8)
            let target = Array(target.utf8)
            return RequestKind.classify(
                isGet: method == "GET", isPost: method == "POST", isOptions: method == "OPTIONS",
                protocolVersion: version.span, sessionID: hasSessionID, lastEventID: hasLastEventID,
                acceptsEventStream: acceptsEventStream, target: target.span)
        }
    }

    static let rows = [
        Row(name: "row 1: the first modern version", version: "2026-07-28", kind: .modern),
        Row(name: "row 1: a later version", version: "2027-01-01", kind: .modern),
        Row(name: "row 1: GET", method: "GET", version: "2026-07-28", kind: .modern),
        Row(name: "row 1: draft", version: "draft", kind: .modern),
        Row(name: "row 1: the day before", version: "2026-07-27", kind: .sessionless),
        Row(
            name: "row 1 wins over row 3", version: "2026-07-28", target: "/messages?session_id=1",
            kind: .modern),
        Row(
            name: "trap (e): row 1 wins over row 4", version: "2026-07-28", hasSessionID: true, kind: .modern),
        Row(
            name: "trap (e): a modern DELETE that names a session", method: "DELETE", version: "2026-07-28",
            hasSessionID: true, kind: .modern),
        Row(name: "row 3: Python", target: "/messages/?session_id=f9dc", kind: .legacyMessage),
        Row(name: "row 3: TypeScript", target: "/messages?sessionId=f9dc", kind: .legacyMessage),
        Row(name: "row 3: Go", target: "/sse?sessionid=F9DC", kind: .legacyMessage),
        Row(
            name: "row 3: behind other parameters", target: "/m?a=1&sessionId=f9dc&b=2", kind: .legacyMessage),
        Row(
            name: "trap (a): row 3 with a version header of 2024", version: "2024-11-05",
            target: "/messages/?session_id=f9dc", kind: .legacyMessage),
        Row(
            name: "row 3 wins over row 4", hasSessionID: true, target: "/messages/?session_id=f9dc",
            kind: .legacyMessage),
        Row(name: "row 3: not with an empty value", target: "/messages/?session_id=", kind: .sessionless),
        Row(name: "row 3: not by another name", target: "/messages/?SESSION_ID=1&xsessionId=2", kind: .sessionless),
        Row(name: "row 3: not in the path", target: "/session_id=1", kind: .sessionless),
        Row(
            name: "row 3: only POST", method: "GET", target: "/sse?sessionid=F9DC", kind: .streamOpening),
        Row(name: "row 4: POST", version: "2025-06-18", hasSessionID: true, kind: .session),
        Row(name: "row 4: POST without a version (2025-03-26)", hasSessionID: true, kind: .session),
        Row(name: "row 4: GET", method: "GET", version: "2025-11-25", hasSessionID: true, kind: .session),
        Row(
            name: "row 4: GET that resumes", method: "GET", hasSessionID: true, hasLastEventID: true, kind: .session),
        Row(
            name: "row 4: DELETE", method: "DELETE", hasSessionID: true, acceptsEventStream: false, kind: .session),
        Row(name: "row 5: opening a stream", method: "GET", target: "/sse", kind: .streamOpening),
        Row(
            name: "row 5: with a version of 2025", method: "GET", version: "2025-06-18", kind: .streamOpening),
        Row(name: "row 6: resuming without a session", method: "GET", hasLastEventID: true, kind: .resumption),
        Row(name: "row 7: initialize", kind: .sessionless),
        Row(name: "row 8: 2025-11-25 without a session", version: "2025-11-25", kind: .sessionless),
        Row(name: "trap (a): 2024-11-05 in the header is no modern version", version: "2024-11-05", kind: .sessionless),
        Row(name: "trap (b): initialize that leaks a modern version", version: "2026-07-28", kind: .modern),
        Row(name: "trap (c): nothing known", kind: .sessionless),
        Row(name: "trap (d): a modern body without the header", acceptsEventStream: true, kind: .sessionless),
        Row(name: "row 9: preflight", method: "OPTIONS", acceptsEventStream: false, kind: .preflight),
        Row(name: "row 9: even with a session", method: "OPTIONS", hasSessionID: true, kind: .preflight),
        Row(name: "GET of a document", method: "GET", acceptsEventStream: false, kind: .other),
        Row(name: "DELETE without a session", method: "DELETE", kind: .other),
        Row(name: "HEAD", method: "HEAD", kind: .other),
    ]

    @Test("every request of the table has its kind", arguments: rows)
    func row(_ row: Row) {
        #expect(row.classified() == row.kind)
    }

    @Test(
        "text that is not a date is no modern version",
        arguments: [
            "3", "9999", "latest", "2026-7-28", "2026/07/28", "2026-07-28 ", " 2026-07-28", "2026-07-28x", "20260728",
            "2026-07-2x", "DRAFT", "drafts", "draft-2", "v2026-07-28", "２026-07-28",
        ])
    func malformedVersions(_ version: String) {
        #expect(Row(name: version, version: version, hasSessionID: true, kind: .session).classified() == .session)
    }

    @Test("random bytes never trap, and a modern version always decides", arguments: 0..<50 as Range<UInt64>)
    func randomBytes(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let target = generator.bytes(.random(in: 0...40, using: &generator), from: "/?&=#_sesionIdD%a;.")
            let version = generator.bytes(.random(in: 0...12, using: &generator), from: "0123456789-draft")
            var kinds: [RequestKind] = []
            for modern in [version, Array("2026-07-28".utf8)] {
                kinds.append(
                    RequestKind.classify(
                        isGet: .random(using: &generator), isPost: .random(using: &generator),
                        isOptions: .random(using: &generator), protocolVersion: modern.span,
                        sessionID: .random(using: &generator), lastEventID: .random(using: &generator),
                        acceptsEventStream: .random(using: &generator), target: target.span))
            }
            #expect(kinds[1] == .modern)
        }
    }
}
