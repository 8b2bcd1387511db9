import HTTP
import Testing

@Suite("Head limits")
struct HeadLimitsTests {
    @Test("a target with the limit's length is accepted, and one byte more is refused before the line is complete")
    func target() {
        let limits = HeadLimits(headBytes: 1_000, targetBytes: 20, fields: 10)
        let path = "/" + String(repeating: "a", count: 19)

        let fitting = latin1("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
        let long = latin1("GET \(path)b HTTP/1.1\r\nHost: a\r\n\r\n")

        #expect(read(fitting, limits: limits).outcome == .complete(fitting.count))
        #expect(read(long, limits: limits).outcome == .invalid(.targetTooLong))
        #expect(read(latin1("GET \(path)"), limits: limits).outcome == .incomplete)
        #expect(read(latin1("GET \(path)b"), limits: limits).outcome == .invalid(.targetTooLong))
        #expect(read(latin1("GET \(path)#"), limits: limits).outcome == .invalid(.malformed))
        expectSameInPieces(fitting, limits: limits)
        expectSameInPieces(long, limits: limits)
    }

    @Test("a head with the limit's length is accepted, and one byte more is refused before it is complete")
    func headBytes() {
        let head = "GET / HTTP/1.1\r\nHost: a\r\nX: bcdefghijklmnopqrst\r\n\r\n"
        let bytes = latin1(head)
        for limit in 1..<bytes.count {
            let limits = HeadLimits(headBytes: limit)
            #expect(read(bytes, limits: limits).outcome == .invalid(.headTooLarge), "limit \(limit)")
            #expect(read(Array(bytes[..<limit]), limits: limits).outcome == .invalid(.headTooLarge), "limit \(limit)")
            expectSameInPieces(bytes, limits: limits)
        }
        let limits = HeadLimits(headBytes: bytes.count)
        #expect(read(bytes, limits: limits).outcome == .complete(bytes.count))
        #expect(read(latin1("\r\n" + head), limits: limits).outcome == .complete(bytes.count + 2))
        expectSameInPieces(latin1("\r\n" + head), limits: limits)
    }

    @Test("as many fields as the limit says are accepted, and no more than the table holds")
    func fields() {
        for (limit, accepted) in [(1, 1), (7, 7), (128, 128), (1_000, 128)] {
            let limits = HeadLimits(fields: limit)
            let fitting = latin1("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: b\r\n", count: accepted - 1))
            let over = fitting + latin1("X: b\r\n")
            let end = latin1("\r\n")

            #expect(read(fitting + end, limits: limits).outcome == .complete(fitting.count + 2))
            #expect(read(over, limits: limits).outcome == .invalid(.headTooLarge))
            #expect(read(over + end, limits: limits).outcome == .invalid(.headTooLarge))
            expectSameInPieces(fitting + end, limits: limits)
            expectSameInPieces(over + end, limits: limits)
        }
    }

    @Test("response heads have the same limits")
    func responses() {
        let bytes = latin1("HTTP/1.1 200 OK\r\nX: abc\r\nY: def\r\n\r\n")
        for limit in 1..<bytes.count {
            let limits = HeadLimits(headBytes: limit)
            #expect(read(response: bytes, limits: limits).outcome == .invalid(.headTooLarge), "limit \(limit)")
            expectSameInPieces(response: bytes, answering: .get, limits: limits)
        }
        #expect(read(response: bytes, limits: HeadLimits(headBytes: bytes.count)).outcome == .complete(bytes.count))
        #expect(read(response: bytes, limits: HeadLimits(fields: 2)).outcome == .complete(bytes.count))
        #expect(read(response: bytes, limits: HeadLimits(fields: 1)).outcome == .invalid(.headTooLarge))
    }
}
