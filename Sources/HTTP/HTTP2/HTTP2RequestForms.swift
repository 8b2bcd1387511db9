import CNghttp2
import Reactor

/// Templates of requests that are sent repeatedly. Their header fields are stored in nghttp2's layout, so that a
/// request needs no parsing or copying of the fields that it shares with others.
///
/// `@unchecked Sendable`: nothing changes after `init`.
@safe
package final class HTTP2RequestForms: @unchecked Sendable {
    /// The fields that requests of one form have in common.
    package struct Form: Sendable {
        /// The value of `:method`.
        package var method: String
        /// The value of `:scheme`: `http` or `https`.
        package var scheme: String
        /// The value of `:authority`.
        package var authority: String
        /// The value of `:path`, unless a request has its own.
        package var path: String
        /// The other fields, with names in lower case. Connection-specific fields are forbidden (RFC 9113 section
        /// 8.2.2).
        package var fields: [(name: String, value: String)]

        /// Stores all five.
        package init(
            method: String, scheme: String, authority: String, path: String, fields: [(name: String, value: String)]
        ) {
            self.method = method
            self.scheme = scheme
            self.authority = authority
            self.path = path
            self.fields = fields
        }

        fileprivate var all: [(name: String, value: String)] {
            [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path)] + fields
        }
    }

    /// The index of `:path` in a form's fields.
    static let pathIndex = 3

    private let text: UnsafeMutablePointer<UInt8>
    private let fields: UnsafeMutablePointer<nghttp2_nv>
    private let total: Int
    /// The range of each form in `fields`.
    private let ranges: [Range<Int>]

    /// Copies the forms' fields. A request names its form by the index in `forms`.
    package init(_ forms: [Form]) {
        let all = forms.flatMap(\.all)
        let size = all.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        unsafe text = .allocate(capacity: max(1, size))
        unsafe fields = .allocate(capacity: max(1, all.count))
        total = all.count
        var end = 0
        ranges = forms.map { form in
            defer { end += form.all.count }
            return end..<end + form.all.count
        }
        var next = unsafe text
        for (index, field) in all.enumerated() {
            let name = unsafe HTTP2RequestForms.write(field.name, at: &next)
            let value = unsafe HTTP2RequestForms.write(field.value, at: &next)
            let flags = NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue
            unsafe (fields + index).initialize(
                to: nghttp2_nv(
                    name: name.start, value: value.start, namelen: name.count, valuelen: value.count,
                    flags: UInt8(flags)))
        }
    }

    deinit {
        unsafe fields.deallocate()
        unsafe text.deallocate()
    }

    /// The fields of one form. The pointers are valid as long as this object exists.
    func fields(of form: Int) -> UnsafeBufferPointer<nghttp2_nv> {
        let range = ranges[form]
        return unsafe UnsafeBufferPointer(start: fields + range.lowerBound, count: range.count)
    }

    private static func write(
        _ string: String, at next: inout UnsafeMutablePointer<UInt8>
    ) -> (start: UnsafeMutablePointer<UInt8>, count: Int) {
        let start = unsafe next
        for byte in string.utf8 {
            unsafe next.initialize(to: byte)
            unsafe next += 1
        }
        return unsafe (start, next - start)
    }
}
