import CNghttp2
import Reactor

/// The fields of one response in nghttp2's layout, without connection-specific ones. They point into the texts that they were
/// appended from, which must outlive them.
@safe struct ResponseFields {
    private let space: UnsafeMutableBufferPointer<nghttp2_nv>
    private var count = 0

    /// The number of fields for which space on the stack (1 KiB) is used first.
    static var usualCount: Int { 25 }

    /// Calls `body` with no fields and space for `capacity` of them.
    static func with<Result>(capacity: Int, _ body: (inout ResponseFields) -> Result) -> Result {
        unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: capacity) { space in
            var fields = unsafe ResponseFields(space: space)
            return body(&fields)
        }
    }

    private init(space: UnsafeMutableBufferPointer<nghttp2_nv>) { unsafe self.space = space }

    /// All that was appended.
    var all: UnsafeBufferPointer<nghttp2_nv> { unsafe UnsafeBufferPointer(rebasing: space[..<count]) }

    /// Appends a field. False if there is no space for it.
    mutating func append(_ field: nghttp2_nv) -> Bool {
        guard unsafe count < space.count else { return false }
        unsafe space[count] = field
        count &+= 1
        return true
    }

    /// Appends the field lines of `text` from `start` on, which begins at `base`. Returns the end of the fields, after a blank line or at
    /// `end`; nil if there is no space for them.
    mutating func appendLines(_ text: Span<UInt8>, _ base: UnsafePointer<UInt8>, from start: Int, to end: Int) -> Int? {
        var start = start
        while let line = HTTP1ResponseReader.line(text, at: start, end: end) {
            start = line.next
            if line.name.isEmpty { continue }
            let handling = HTTP1ResponseReader.handling(text, line.name)
            if handling == .dropped { continue }
            guard unsafe append(nghttp2_nv(base, line.name, line.value, isNeverIndexed: handling == .neverIndexed))
            else { return nil }
        }
        return HTTP1ResponseReader.skipLine(text, at: start, end: end)
    }

    /// Appends those of a server's fields that are forwarded; their bytes begin at `base`. False if there is no space for them.
    mutating func append(
        _ fields: borrowing FieldTable, _ base: UnsafePointer<UInt8>, keepsSession: Bool
    ) -> Bool {
        for index in 0..<fields.count {
            let field = fields[index]
            guard field.isForwardedInResponse(keepsSession: keepsSession) else { continue }
            let isSession = field.kind == .mcpSessionID
            guard unsafe append(nghttp2_nv(base, field.name.range, field.value.range, isNeverIndexed: isSession)) else {
                return false
            }
        }
        return true
    }
}

extension nghttp2_nv {
    /// A field that nghttp2 copies when it is submitted, with its name in lower case.
    init(_ base: UnsafePointer<UInt8>, _ name: Range<Int>, _ value: Range<Int>, isNeverIndexed: Bool) {
        unsafe self.init(
            name: UnsafeMutablePointer(mutating: base + name.lowerBound),
            value: UnsafeMutablePointer(mutating: base + value.lowerBound), namelen: name.count, valuelen: value.count,
            flags: isNeverIndexed ? UInt8(NGHTTP2_NV_FLAG_NO_INDEX.rawValue) : 0)
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
