import ASCII
import HTTP
import MCP
import Reactor
import Redis

// The other modules read views; a worker has buffers, side by side with what a call changes. These take the buffer
// and make the view inside, where the compiler can see that the two are apart. One line each.

extension RequestParser {
    func parse(_ buffer: borrowing ByteBuffer, into head: inout RequestHead) -> HeadOutcome {
        parse(buffer.span, into: &head)
    }

    func parse(
        _ buffer: borrowing ByteBuffer, _ noted: HTTP2RequestHead, in events: borrowing HTTP2Events,
        into head: inout RequestHead
    ) -> HeadOutcome {
        parse(buffer.span, noted, in: events, into: &head)
    }
}

extension ResponseParser {
    func parse(
        _ buffer: borrowing ByteBuffer, answering method: Method, into head: inout ResponseHead
    ) -> HeadOutcome {
        parse(buffer.span, answering: method, into: &head)
    }
}

extension ReplyReader {
    mutating func next(_ buffer: borrowing ByteBuffer) -> Step { next(buffer.span) }
}

extension BodyReader {
    mutating func next(_ buffer: borrowing ByteBuffer, from offset: Int) -> ChunkDecoder.Step {
        next(buffer.span, from: offset)
    }
}

extension EventStream.BoundaryTracker {
    mutating func note(_ buffer: borrowing ByteBuffer, _ range: Range<Int>) {
        note(buffer.span.extracting(range))
    }

    mutating func watch(_ buffer: borrowing ByteBuffer, _ range: Range<Int>) {
        watch(buffer.span.extracting(range))
    }
}

extension EndpointEventScanner {
    static func scan(_ buffer: borrowing ByteBuffer, from start: Int) -> Outcome {
        scan(buffer.span.extracting(start..<buffer.count))
    }
}

extension ByteBuffer {
    /// Whether a field has this name, regardless of case.
    func hasName(_ field: Field, _ name: [UInt8]) -> Bool {
        span.extracting(field.name.range).equalsIgnoringCase(name.span)
    }

    func has(_ text: StaticString, at offset: Int) -> Bool { span.has(text, at: offset) }

    /// A copy of a part, for the cold path.
    func bytes(_ range: Range<Int>) -> [UInt8] {
        let view = span
        return range.map { view[$0] }
    }

    func contains(_ byte: UInt8, from start: Int) -> Bool {
        let view = span
        for index in start..<view.count where view[index] == byte { return true }
        return false
    }

    func equals(_ range: Range<Int>, _ other: [UInt8]) -> Bool {
        let view = span
        guard range.count == other.count, range.upperBound <= view.count else { return false }
        for index in other.indices where view[range.lowerBound + index] != other[index] { return false }
        return true
    }
}
