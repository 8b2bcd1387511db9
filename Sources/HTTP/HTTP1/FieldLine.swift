import ASCII
import Reactor

/// What stands at the start of a line after the start line. Without payload: a field goes where the caller has a place
/// for it, which is cheaper than to take it out of an enum.
enum FieldLine {
    /// The line's end is not there yet, and nothing is wrong so far.
    case incomplete
    case invalid
    /// The blank line of two bytes that ends the head or the trailers.
    case blank
    case field
}

extension Span where Element == UInt8 {
    /// Reads the field line at `start` into `field` (RFC 9112 §5): a token, the colon right after it, text without controls, CRLF.
    /// That refuses folded lines, white space before the colon or the name, empty names, bare CR and bare LF alike.
    ///
    /// Decides at the first offending byte and looks at none after it, so more input never changes a verdict.
    @inline(__always)
    func fieldLine(at start: Int, into field: inout Field) -> FieldLine {
        let name = nameEnd(from: start)
        let colon = name.end
        guard colon < count else { return .incomplete }
        guard self[colon] == UInt8(ascii: ":"), colon > start else { return lineWithoutName(at: start) }

        let valueStart = skipBlanks(from: colon &+ 1, to: count)
        let end = textEnd(from: valueStart)
        guard end < count else { return .incomplete }
        guard self[end] == ByteClass.carriageReturn else { return .invalid }
        guard end &+ 1 < count else { return .incomplete }
        guard self[end &+ 1] == ByteClass.lineFeed else { return .invalid }

        let valueEnd = trimBlanks(from: valueStart, to: end)
        let known = FieldName(self, at: start, length: colon &- start, hasUnderscore: name.hasUnderscore)
        field = Field(
            name: ByteRange(start: start, count: colon &- start),
            value: ByteRange(start: valueStart, count: valueEnd &- valueStart),
            line: ByteRange(start: start, count: end &+ 2 &- start),
            kind: known.kind,
            isHopByHop: known.isHopByHop)
        return .field
    }

    /// The first byte from `start` on that no field name has, or `count`.
    @inline(__always)
    private func nameEnd(from start: Int) -> (end: Int, hasUnderscore: Bool) {
        var index = start
        while count &- index >= 8 {
            let nonLetterMask = WordScan.everyNonLetter(in: word(at: index))
            if nonLetterMask != 0 {
                index &+= WordScan.index(of: nonLetterMask)
                if self[index] == UInt8(ascii: ":") { return (index, false) }
                break
            }
            index &+= 8
        }
        return oddNameEnd(from: index)
    }

    /// Goes on where a name has something else than letters and hyphens, or the input is about to end.
    @inline(never)
    private func oddNameEnd(from start: Int) -> (end: Int, hasUnderscore: Bool) {
        var index = start
        var hasUnderscore = false
        while index < count, ByteClass.isToken(self[index]) {
            if self[index] == UInt8(ascii: "_") { hasUnderscore = true }
            index &+= 1
        }
        return (index, hasUnderscore)
    }

    /// Either the blank line or a fault; `start` is within the bytes.
    @inline(__always)
    private func lineWithoutName(at start: Int) -> FieldLine {
        guard self[start] == ByteClass.carriageReturn else { return .invalid }
        guard start &+ 1 < count else { return .incomplete }
        return self[start &+ 1] == ByteClass.lineFeed ? .blank : .invalid
    }
}
