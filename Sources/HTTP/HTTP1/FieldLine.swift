import ASCII
import Reactor

/// The kind of a line after the start line. The enum has no payload: a field is written to the caller's variable, which
/// is cheaper than extracting it from an enum.
enum FieldLine {
    /// The line's end has not come yet, and the bytes so far are valid.
    case incomplete
    /// The line is malformed.
    case invalid
    /// The blank line (CRLF) that ends the head or the trailers.
    case blank
    /// A field line.
    case field
}

extension Span where Element == UInt8 {
    /// Reads the field line at `start` into `field` (RFC 9112 §5): a token, a colon right after it, text without
    /// control characters, CRLF. Folded lines, white space before the name or the colon, empty names, bare CR and bare
    /// LF are all invalid.
    ///
    /// It decides at the first invalid byte, so more input never changes a result.
    @inline(__always)
    func fieldLine(at start: Int, into field: inout Field) -> FieldLine {
        let name = nameEnd(from: start)
        let colon = name.end
        guard colon < count else { return .incomplete }
        guard self[colon] == UInt8(ascii: ":"), colon > start else { return lineWithoutName(at: start) }
        return fieldLine(at: start, name: name, colon: colon, into: &field)
    }

    /// Reads a field line of a response that `fieldLine` found invalid: white space between the name and the colon is
    /// left out (RFC 9112 §5.1), everything else is as strict. The line's own bytes must not be forwarded.
    @inline(never)
    func spacedFieldLine(at start: Int, into field: inout Field) -> FieldLine {
        let name = nameEnd(from: start)
        guard name.end > start, name.end < count, ByteClass.isBlank(self[name.end]) else { return .invalid }
        let colon = skipBlanks(from: name.end, to: count)
        guard colon < count else { return .incomplete }
        guard self[colon] == UInt8(ascii: ":") else { return .invalid }
        return fieldLine(at: start, name: name, colon: colon, into: &field)
    }

    /// The rest of a field line, from the colon on.
    @inline(__always)
    private func fieldLine(
        at start: Int, name: (end: Int, hasUnderscore: Bool), colon: Int, into field: inout Field
    ) -> FieldLine {
        let valueStart = skipBlanks(from: colon &+ 1, to: count)
        let end = textEnd(from: valueStart)
        guard end < count else { return .incomplete }
        guard self[end] == ByteClass.carriageReturn else { return .invalid }
        guard end &+ 1 < count else { return .incomplete }
        guard self[end &+ 1] == ByteClass.lineFeed else { return .invalid }

        let valueEnd = trimBlanks(from: valueStart, to: end)
        let known = FieldName(self, at: start, length: name.end &- start, hasUnderscore: name.hasUnderscore)
        field = Field(
            name: ByteRange(start: start, count: name.end &- start),
            value: ByteRange(start: valueStart, count: valueEnd &- valueStart),
            line: ByteRange(start: start, count: end &+ 2 &- start),
            kind: known.kind,
            isHopByHop: known.isHopByHop)
        return .field
    }

    /// The index of the first byte from `start` on that no field name may have, or `count`.
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
        return tokenNameEnd(from: index)
    }

    /// Continues byte by byte where a name has other characters than letters and hyphens, or fewer than eight bytes are
    /// left.
    @inline(never)
    private func tokenNameEnd(from start: Int) -> (end: Int, hasUnderscore: Bool) {
        var index = start
        var hasUnderscore = false
        while index < count, ByteClass.isToken(self[index]) {
            if self[index] == UInt8(ascii: "_") { hasUnderscore = true }
            index &+= 1
        }
        return (index, hasUnderscore)
    }

    /// The kind of a line that does not begin with a name: blank or invalid. `start` is below `count`.
    @inline(__always)
    private func lineWithoutName(at start: Int) -> FieldLine {
        guard self[start] == ByteClass.carriageReturn else { return .invalid }
        guard start &+ 1 < count else { return .incomplete }
        return self[start &+ 1] == ByteClass.lineFeed ? .blank : .invalid
    }
}
