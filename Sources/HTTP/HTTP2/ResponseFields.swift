import CNghttp2
import Reactor

/// Converts field lines of HTTP/1.1 text to nghttp2's layout.
enum ResponseFields {
    /// The number of fields for which space on the stack (1 KiB) is used first.
    private static var usualFieldCount: Int { 25 }

    /// Calls `body` with the fields of `text[range]`, without connection-specific ones. `status`, if given, is the
    /// range of a status line's three digits; the fields then begin after that line. The pointers refer to `text`.
    ///
    /// Returns the end of the fields, after a blank line or at the end of the range; nil if `body` returned false.
    static func with(
        _ text: Span<UInt8>, _ range: Range<Int>, status: Range<Int>?,
        _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Bool
    ) -> Int? {
        switch unsafe with(capacity: usualFieldCount, text, range, status: status, body) {
        case .accepted(let end): return end
        case .rejected: return nil
        case .tooManyFields: break
        }
        let capacity = HTTP1ResponseReader.lines(text, range) + 1
        guard case .accepted(let end) = unsafe with(capacity: capacity, text, range, status: status, body) else {
            return nil
        }
        return end
    }

    private enum Outcome {
        case accepted(end: Int)
        case rejected
        /// There are more fields than `capacity`; `body` was not called.
        case tooManyFields
    }

    private static func with(
        capacity: Int, _ text: Span<UInt8>, _ range: Range<Int>, status: Range<Int>?,
        _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Bool
    ) -> Outcome {
        let end = range.upperBound
        return unsafe text.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return .rejected }
            return unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: capacity) { fields in
                var count = 0
                var start = range.lowerBound
                if let status {
                    unsafe fields[0] = .status(base + status.lowerBound)
                    count = 1
                    start = HTTP1ResponseReader.skipLine(text, at: start, end: end)
                }
                while let line = HTTP1ResponseReader.line(text, at: start, end: end) {
                    start = line.next
                    if line.name.isEmpty { continue }
                    let handling = HTTP1ResponseReader.handling(text, line.name)
                    if handling == .dropped { continue }
                    guard count < capacity else { return .tooManyFields }
                    unsafe fields[count] = nghttp2_nv(base, line, isNeverIndexed: handling == .neverIndexed)
                    count &+= 1
                }
                let isAccepted = unsafe body(UnsafeBufferPointer(rebasing: fields[..<count]))
                return isAccepted ? .accepted(end: HTTP1ResponseReader.skipLine(text, at: start, end: end)) : .rejected
            }
        }
    }
}

extension nghttp2_nv {
    /// A field that nghttp2 copies when it is submitted, with its name in lower case.
    init(_ base: UnsafePointer<UInt8>, _ line: HTTP1ResponseReader.Line, isNeverIndexed: Bool) {
        unsafe self.init(
            name: UnsafeMutablePointer(mutating: base + line.name.lowerBound),
            value: UnsafeMutablePointer(mutating: base + line.value.lowerBound), namelen: line.name.count,
            valuelen: line.value.count, flags: isNeverIndexed ? UInt8(NGHTTP2_NV_FLAG_NO_INDEX.rawValue) : 0)
    }

    /// `:status` with the three digits at `digits`.
    static func status(_ digits: UnsafePointer<UInt8>) -> nghttp2_nv {
        let name: StaticString = ":status"
        return unsafe nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.utf8Start), value: UnsafeMutablePointer(mutating: digits),
            namelen: 7, valuelen: 3, flags: UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue))
    }

    /// A field of static text, which nghttp2 does not copy.
    static func constant(_ name: StaticString, _ value: StaticString) -> nghttp2_nv {
        unsafe nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.utf8Start),
            value: UnsafeMutablePointer(mutating: value.utf8Start), namelen: name.utf8CodeUnitCount,
            valuelen: value.utf8CodeUnitCount,
            flags: UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue))
    }
}
