import CNghttp2
import Reactor

/// Field lines of HTTP/1.1 text as nghttp2 wants to see them.
enum ResponseFields {
    /// Calls `body` with the fields of `text[range]`, connection-specific ones left out. `status`, if given, is the
    /// place of a status line's three digits; the fields then begin after that line. The pointers are into `text`.
    static func with(
        _ text: Span<UInt8>, _ range: Range<Int>, status: Range<Int>?,
        _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Bool
    ) -> Bool {
        let room = ResponseText.lines(text, range) + 1
        let end = range.upperBound
        return unsafe text.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return false }
            return unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: room) { fields in
                var count = 0
                var start = range.lowerBound
                if let status {
                    unsafe fields[0] = .status(base + status.lowerBound)
                    count = 1
                    start = ResponseText.skipLine(text, at: start, end: end)
                }
                while let line = ResponseText.line(text, at: start, end: end), count < room {
                    start = line.next
                    if line.name.isEmpty { continue }
                    let treatment = ResponseText.treatment(text, line.name)
                    if treatment == .dropped { continue }
                    unsafe fields[count] = nghttp2_nv(base, line, isSecret: treatment == .secret)
                    count &+= 1
                }
                return unsafe body(UnsafeBufferPointer(rebasing: fields[..<count]))
            }
        }
    }
}

extension nghttp2_nv {
    /// A field that is copied when it is submitted; its name becomes lower case then.
    init(_ base: UnsafePointer<UInt8>, _ line: ResponseText.Line, isSecret: Bool) {
        unsafe self.init(
            name: UnsafeMutablePointer(mutating: base + line.name.lowerBound),
            value: UnsafeMutablePointer(mutating: base + line.value.lowerBound), namelen: line.name.count,
            valuelen: line.value.count, flags: isSecret ? UInt8(NGHTTP2_NV_FLAG_NO_INDEX.rawValue) : 0)
    }

    /// `:status` with the three digits at `digits`.
    static func status(_ digits: UnsafePointer<UInt8>) -> nghttp2_nv {
        let name: StaticString = ":status"
        return unsafe nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.utf8Start), value: UnsafeMutablePointer(mutating: digits),
            namelen: 7, valuelen: 3, flags: UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue))
    }

    /// A field of text known at compile time.
    static func still(_ name: StaticString, _ value: StaticString) -> nghttp2_nv {
        unsafe nghttp2_nv(
            name: UnsafeMutablePointer(mutating: name.utf8Start),
            value: UnsafeMutablePointer(mutating: value.utf8Start), namelen: name.utf8CodeUnitCount,
            valuelen: value.utf8CodeUnitCount,
            flags: UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue))
    }
}
