import CNghttp2
import Reactor

/// The header fields of requests that are made over and over, laid out as nghttp2 wants them, so that a request costs
/// neither parsing nor copying of what it has in common with the last.
@safe
package final class HTTP2RequestForms: @unchecked Sendable {
    /// What requests of one form have in common.
    package struct Form: Sendable {
        package var method: String
        /// `http` or `https`.
        package var scheme: String
        package var authority: String
        package var path: String
        /// Names in lower case; none that belongs to HTTP/1.1 alone (RFC 9113 section 8.2.2).
        package var fields: [(name: String, value: String)]

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

    /// Which of a form's fields is `:path`.
    static let pathIndex = 3

    private let text: UnsafeMutablePointer<UInt8>
    private let fields: UnsafeMutablePointer<nghttp2_nv>
    private let total: Int
    /// Where each form's fields are.
    private let ranges: [Range<Int>]

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

    /// The fields of one form. They and their text stay where they are as long as this object is there.
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
