import HTTP
import MCP
import Reactor

/// Finds the JSON-RPC id of a kept request, for an answer of our own to echo.
enum RequestID {
    /// The raw id of the request at the front of `buffer`, whose head is parsed and whose body may be incomplete; empty if
    /// there is none, or if it cannot be told.
    static func find(in buffer: borrowing ByteBuffer, _ head: borrowing RequestHead) -> [UInt8] {
        guard head.method == .post, head.length <= buffer.count else { return [] }
        let body = body(of: buffer, head)
        guard let id = JSONRPC.requestID(in: body.span) else { return [] }
        return Array(body[id])
    }

    /// Where the whole body stands in `buffer`, if it stands there in one piece; nil if it is empty, divided or cut off.
    static func undividedBody(of buffer: borrowing ByteBuffer, _ head: borrowing RequestHead) -> Range<Int>? {
        var reader = BodyReader(head.framing)
        guard case .data(let body) = reader.next(buffer, from: head.length),
            case .end = reader.next(buffer, from: body.upperBound), Int(body.count) <= JSONRPC.maximumBytes
        else { return nil }
        return body.range
    }

    /// As much of the body as is there and looked at, without its framing.
    static func body(of buffer: borrowing ByteBuffer, _ head: borrowing RequestHead) -> [UInt8] {
        var reader = BodyReader(head.framing)
        var body: [UInt8] = []
        var offset = head.length
        while body.count < JSONRPC.maximumBytes {
            switch reader.next(buffer, from: offset) {
            case .data(let range):
                body += buffer.bytes(range.range)
                offset = range.upperBound
            case .trailer(let range): offset = range.upperBound
            case .needsMore, .end: return body
            case .invalid: return []
            }
        }
        return body
    }
}
