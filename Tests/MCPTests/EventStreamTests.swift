import MCP
import TestSupport
import Testing

@Suite("Boundary tracker")
struct BoundaryTrackerTests {
    static func isAtBoundary(_ parts: [String]) -> Bool {
        var tracker = EventStream.BoundaryTracker()
        for part in parts {
            let bytes = Array(part.utf8)
            tracker.note(bytes.span)
        }
        return tracker.isAtBoundary
    }

    static let streams: [(String, Bool)] = [
        ("", true), ("data: a\n\n", true), ("data: a\r\n\r\n", true), ("data: a\r\r", true), (": ping\n\n", true),
        ("data: a\r\n\n", true), ("data: a\n\r\n", true), ("data: a\r\r\n", true), ("\n", true), ("\r\n", true),
        ("a\n\n\n", true), ("a\r\n\r\n\r\n", true), ("data: a", false), ("data: a\n", false), ("data: a\r", false),
        ("data: a\r\n", false), ("data: a\r\n\r", false), ("data: a\n\r", false), ("\r", false), ("a", false),
        ("data: a\n\nd", false), ("data: a\n\ndata: b\n", false), ("data: \\n\\n", false), ("\u{FEFF}", false),
    ]

    @Test("recognises a blank line with every kind of line end", arguments: streams)
    func whole(_ stream: String, _ expected: Bool) {
        #expect(Self.isAtBoundary([stream]) == expected)
    }

    @Test("has the same result for any split of the stream", arguments: streams)
    func split(_ stream: String, _ expected: Bool) {
        let bytes = Array(stream.utf8)
        for cut in 0...bytes.count {
            var tracker = EventStream.BoundaryTracker()
            tracker.note(bytes.span.extracting(0..<cut))
            tracker.note(bytes.span.extracting(cut..<bytes.count))
            #expect(tracker.isAtBoundary == expected, "cut at \(cut)")
        }
        var tracker = EventStream.BoundaryTracker()
        for index in bytes.indices { tracker.note(bytes.span.extracting(index..<(index + 1))) }
        #expect(tracker.isAtBoundary == expected)
    }

    /// The model to compare with: reads a stream as a client does and returns whether no event is incomplete.
    static func nothingPending(_ bytes: [UInt8]) -> Bool {
        var isLineEmpty = true
        var isEventEmpty = true
        var previous: UInt8 = 0
        for byte in bytes {
            switch byte {
            case 0x0A where previous == 0x0D: break
            case 0x0A, 0x0D:
                if isLineEmpty { isEventEmpty = true }
                isLineEmpty = true
            default:
                isLineEmpty = false
                isEventEmpty = false
            }
            previous = byte
        }
        return isLineEmpty && isEventEmpty
    }

    @Test("never reports a boundary where a client is within an event", arguments: 0..<20 as Range<UInt64>)
    func model(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var tracker = EventStream.BoundaryTracker()
        var stream: [UInt8] = []
        var boundaries = 0
        for _ in 0..<400 {
            let part = generator.bytes(.random(in: 0...4, using: &generator), from: "a\n\r")
            stream += part
            tracker.note(part.span)
            if tracker.isAtBoundary {
                boundaries += 1
                #expect(Self.nothingPending(stream))
            } else if Self.nothingPending(stream) {
                // Only boundaries that a line feed may still complete are missed.
                #expect(stream.last == 0x0D)
            }
        }
        #expect(boundaries > 20)
        #expect(MemoryLayout<EventStream.BoundaryTracker>.size <= 8)
    }
}

@Suite("Endpoint event scanner")
struct EndpointEventScannerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var stream: String
        /// The data; nil if the stream is not to be rewritten.
        var data: String?
        var testDescription: String { stream.debugDescription }

        init(_ stream: String, _ data: String?) {
            self.stream = stream
            self.data = data
        }
    }

    static let cases = [
        Case("event: endpoint\r\ndata: /messages/?session_id=f9dc\r\n\r\n", "/messages/?session_id=f9dc"),
        Case("event: endpoint\ndata: /messages?sessionId=1\n\n", "/messages?sessionId=1"),
        Case("event: endpoint\rdata: /m\r\r", "/m"),
        Case("event:endpoint\ndata:/m\n\n", "/m"),
        Case("data: /m\nevent: endpoint\n\n", "/m"),
        Case("event: endpoint\ndata:  /m\n\n", " /m"),
        Case(": ping\n\nevent: endpoint\ndata: /m\n\n", "/m"),
        Case(": ping\n: ping\n\n\n\nevent: endpoint\ndata: /m\n\n", "/m"),
        Case("retry: 3000\nid: 1\nevent: endpoint\ndata: /m\nid: 2\n\n", "/m"),
        Case("retry: 3000\n\nid: x\ndata: \n\nevent: endpoint\ndata: /m\n\n", "/m"),
        Case("\u{FEFF}event: endpoint\ndata: /m\n\n", "/m"),
        Case("event: message\nevent: endpoint\ndata: /m\n\n", "/m"),
        Case("event: endpoint\n\nevent: endpoint\ndata: /m\n\n", "/m"),
        Case("unknown: x\nevents: y\ndatas: z\nevent: endpoint\ndata: /m\n\n", "/m"),
        Case("event: endpoint\r\ndata: /m\r\n\r\nevent: message\r\ndata: {}\r\n\r\n", "/m"),
        Case("event: message\ndata: {}\n\n", nil),
        Case("data: {}\n\n", nil),
        Case("event: endpoint\nevent: message\ndata: /m\n\n", nil),
        Case("event: endpoint\n\ndata: /m\n\n", nil),
        Case("event: Endpoint\ndata: /m\n\n", nil),
        Case("event:  endpoint\ndata: /m\n\n", nil),
        Case("event: endpoint \ndata: /m\n\n", nil),
        Case("event: endpoint\ndata: /m\ndata: n\n\n", nil),
        Case("event: message\ndata: {}\n\nevent: endpoint\ndata: /m\n\n", nil),
        Case(" event: endpoint\ndata: /m\n\n", nil),
        Case("\u{FEFF}\u{FEFF}event: endpoint\ndata: /m\n\n", nil),
    ]

    static func outcome(_ bytes: some Sequence<UInt8>) -> EndpointEventScanner.Outcome {
        let bytes = Array(bytes)
        return EndpointEventScanner.scan(bytes.span)
    }

    @Test("finds the data of an endpoint event that is the first event", arguments: cases)
    func whole(_ example: Case) {
        let bytes = Array(example.stream.utf8)
        switch EndpointEventScanner.scan(bytes.span) {
        case .endpoint(let data): #expect(text(bytes[data]) == example.data)
        case .notEndpoint: #expect(example.data == nil)
        case .needsMore: Issue.record("the first event is complete")
        }
    }

    @Test("needs more until the event is complete, then does not change its result", arguments: cases)
    func everyPrefix(_ example: Case) {
        let bytes = Array(example.stream.utf8)
        let final = EndpointEventScanner.scan(bytes.span)
        var hasAnswered = false
        for count in 0...bytes.count {
            let outcome = Self.outcome(bytes[..<count])
            if outcome == .needsMore {
                #expect(!hasAnswered, "an answer was taken back at \(count)")
            } else {
                hasAnswered = true
                #expect(outcome == final, "at \(count)")
            }
        }
        #expect(hasAnswered)
    }

    @Test("has no result before the blank line")
    func completeness() {
        #expect(Self.outcome("event: endpoint\ndata: /m\n".utf8) == .needsMore)
        #expect(Self.outcome("event: endpoint\r\ndata: /m\r\n".utf8) == .needsMore)
        #expect(Self.outcome("event: endpoint\r\ndata: /m\r\n\r".utf8) == .endpoint(data: 23..<25))
        #expect(Self.outcome("".utf8) == .needsMore)
    }

    @Test("stops after 4,096 bytes without an event")
    func bound() {
        let event = Array("event: endpoint\ndata: /m\n\n".utf8)
        let comments = [UInt8](repeating: UInt8(ascii: ":"), count: 4096 - event.count - 1) + [0x0A]
        #expect(Self.outcome(comments + event) == .endpoint(data: 4092..<4094))
        #expect(Self.outcome([0x0A] + comments + event) == .notEndpoint)
        #expect(Self.outcome((comments + event).dropLast()) == .needsMore)
        #expect(Self.outcome(event + comments + comments) == .endpoint(data: 22..<24))
        #expect(Self.outcome([UInt8](repeating: 0x61, count: 4095)) == .needsMore)
        #expect(Self.outcome([UInt8](repeating: 0x61, count: 4096)) == .notEndpoint)
    }

    @Test("random streams never trap, and a result never changes", arguments: 0..<30 as Range<UInt64>)
    func randomStreams(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let pieces = ["event: endpoint", "event", "data: /m", "data:", ":", "\n", "\r", "\r\n", "\n\n", "x", "id: 1"]
        for _ in 0..<40 {
            var stream: [UInt8] = []
            for _ in 0..<12 { stream += Array(generator.element(of: pieces).utf8) }
            var answer: EndpointEventScanner.Outcome?
            for count in 0...stream.count {
                let outcome = Self.outcome(stream[..<count])
                if let answer { #expect(outcome == answer) }
                if outcome != .needsMore { answer = outcome }
            }
        }
    }
}
