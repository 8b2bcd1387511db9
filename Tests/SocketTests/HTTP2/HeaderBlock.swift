import CNghttp2

/// A header field exactly as a test writes it; nothing is checked.
struct HeaderField: Equatable, Sendable {
    var name: String
    var value: String

    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Writes header blocks (RFC 7541) as literals without indexing.
enum HeaderBlock {
    static func encode(_ fields: [HeaderField]) -> [UInt8] {
        var block: [UInt8] = []
        for field in fields { block += literal(Array(field.name.utf8), Array(field.value.utf8)) }
        return block
    }

    /// A literal that is not indexed (section 6.2.2), or one that is put into the table (section 6.2.1).
    static func literal(_ name: [UInt8], _ value: [UInt8], indexed: Bool = false) -> [UInt8] {
        [indexed ? 0x40 : 0x00] + length(name.count) + name + length(value.count) + value
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

/// Decodes the header blocks of one connection with nghttp2.
final class HeaderReader {
    private var inflater: OpaquePointer?

    init() { nghttp2_hd_inflate_new(&inflater) }

    deinit { nghttp2_hd_inflate_del(inflater) }

    func decode(_ block: [UInt8]) throws -> [HeaderField] {
        var fields: [HeaderField] = []
        try block.withUnsafeBufferPointer { bytes in
            var offset = 0
            while true {
                var field = nghttp2_nv()
                var flags: CInt = 0
                let count = nghttp2_hd_inflate_hd2(
                    inflater, &field, &flags, bytes.baseAddress.map { $0 + offset }, bytes.count - offset, 1)
                guard count >= 0 else { throw TimedOut(description: "a header block that cannot be read: \(count)") }
                offset += count
                if flags & CInt(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
                    fields.append(HeaderField(text(field.name, field.namelen), text(field.value, field.valuelen)))
                }
                if flags & CInt(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 { break }
                if count == 0, offset == bytes.count { break }
            }
        }
        nghttp2_hd_inflate_end_headers(inflater)
        return fields
    }

    private func text(_ start: UnsafeMutablePointer<UInt8>?, _ count: Int) -> String {
        String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
