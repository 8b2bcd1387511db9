import CNghttp2
import Reactor

/// Converts a request's fields to nghttp2's layout: those of its form and its own.
enum RequestFields {
    /// Calls `body` with the fields. The pointers refer to the arguments and are valid only during the call; the flags
    /// make nghttp2 copy all fields but those of the form.
    static func with(
        _ form: UnsafeBufferPointer<nghttp2_nv>, path: Span<UInt8>, lines: Span<UInt8>,
        _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Int32
    ) -> Int32 {
        let capacity = form.count + HTTP1ResponseReader.lines(lines, 0..<lines.count)
        return unsafe lines.withUnsafeBufferPointer { bytes in
            unsafe path.withUnsafeBufferPointer { path in
                unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: capacity) { fields in
                    var count = form.count
                    unsafe _ = fields.initialize(from: form)
                    if let start = path.baseAddress, path.count > 0 {
                        unsafe fields[HTTP2RequestForms.pathIndex].value = UnsafeMutablePointer(mutating: start)
                        unsafe fields[HTTP2RequestForms.pathIndex].valuelen = path.count
                        unsafe fields[HTTP2RequestForms.pathIndex].flags = UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue)
                    }
                    var start = 0
                    while let base = bytes.baseAddress,
                        let line = HTTP1ResponseReader.line(lines, at: start, end: lines.count)
                    {
                        start = line.next
                        if line.name.isEmpty { continue }
                        unsafe fields[count] = nghttp2_nv(base, line.name, line.value, isNeverIndexed: false)
                        count &+= 1
                    }
                    return unsafe body(UnsafeBufferPointer(rebasing: fields[..<count]))
                }
            }
        }
    }
}
