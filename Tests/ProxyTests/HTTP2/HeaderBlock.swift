import CNghttp2

/// Header blocks (RFC 7541): written as literals that are not indexed, read by nghttp2.
enum HeaderBlock {
    typealias Field = (name: String, value: String)

    static func encode(_ fields: [Field]) -> [UInt8] {
        fields.flatMap { field -> [UInt8] in
            let (name, value) = (Array(field.name.utf8), Array(field.value.utf8))
            return [0x00] + length(name.count) + name + length(value.count) + value
        }
    }

    /// An integer with a prefix of seven bits (section 5.1).
    private static func length(_ count: Int) -> [UInt8] {
        guard count >= 127 else { return [UInt8(count)] }
        var bytes: [UInt8] = [127]
        var rest = count - 127
        while rest >= 128 {
            bytes.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}

/// Reads the header blocks of one connection.
final class HeaderBlockReader {
    private var inflater: OpaquePointer?

    init() { nghttp2_hd_inflate_new(&inflater) }

    deinit { nghttp2_hd_inflate_del(inflater) }

    /// Nil if the block is broken.
    func decode(_ block: [UInt8]) -> [HeaderBlock.Field]? {
        var fields: [HeaderBlock.Field] = []
        let isSound = block.withUnsafeBufferPointer { bytes in
            var offset = 0
            while true {
                var field = nghttp2_nv()
                var flags: CInt = 0
                let count = nghttp2_hd_inflate_hd2(
                    inflater, &field, &flags, bytes.baseAddress.map { $0 + offset }, bytes.count - offset, 1)
                guard count >= 0 else { return false }
                offset += count
                if flags & CInt(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
                    fields.append((text(field.name, field.namelen), text(field.value, field.valuelen)))
                }
                if flags & CInt(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 { return true }
                if count == 0, offset == bytes.count { return true }
            }
        }
        nghttp2_hd_inflate_end_headers(inflater)
        return isSound ? fields : nil
    }

    private func text(_ start: UnsafeMutablePointer<UInt8>?, _ count: Int) -> String {
        String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
