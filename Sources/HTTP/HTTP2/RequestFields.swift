import CNghttp2
import Reactor

/// A request's fields as nghttp2 wants to see them: those of its form, and what it says besides.
enum RequestFields {
    /// Calls `body` with the fields. The pointers are into the arguments, which all fields but those of the form are to
    /// be copied from.
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
                        unsafe fields[count] = nghttp2_nv(base, line, isSecret: false)
                        count &+= 1
                    }
                    return unsafe body(UnsafeBufferPointer(rebasing: fields[..<count]))
                }
            }
        }
    }
}
