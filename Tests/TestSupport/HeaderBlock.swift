import CNghttp2

/// A header field exactly as a test writes it; nothing is checked.
package struct HeaderField: Equatable, Sendable {
    /// Of a pseudo-header field, with its colon.
    package var name: String
    /// Sent as UTF-8.
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Writes header blocks (RFC 7541) as literals without indexing.
package enum HeaderBlock {
    /// The block of these fields, in their order.
    package static func encode(_ fields: [HeaderField]) -> [UInt8] {
        fields.flatMap { literal(Array($0.name.utf8), Array($0.value.utf8)) }
    }

    /// A literal that is not indexed (section 6.2.2), or one that is put into the table (section 6.2.1).
    package static func literal(_ name: [UInt8], _ value: [UInt8], indexed: Bool = false) -> [UInt8] {
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

/// A header block that does not follow RFC 7541.
package struct HeaderBlockError: Error, CustomStringConvertible {
    /// nghttp2's error code, which is negative.
    package let code: Int

    package var description: String { "a header block that cannot be read: \(code)" }
}

/// Decodes the header blocks of one connection, in the order in which they came, with nghttp2.
package final class HeaderBlockReader {
    private var inflater: OpaquePointer?

    /// A reader with an empty dynamic table of the size that both sides begin with.
    package init() { nghttp2_hd_inflate_new(&inflater) }

    deinit { nghttp2_hd_inflate_del(inflater) }

    /// The fields of a whole block. After an error, the connection's later blocks cannot be read either.
    package func decode(_ block: [UInt8]) throws(HeaderBlockError) -> [HeaderField] {
        var fields: [HeaderField] = []
        let error = block.withUnsafeBufferPointer { bytes -> HeaderBlockError? in
            var offset = 0
            while true {
                var field = nghttp2_nv()
                var flags: CInt = 0
                let count = nghttp2_hd_inflate_hd2(
                    inflater, &field, &flags, bytes.baseAddress.map { $0 + offset }, bytes.count - offset, 1)
                guard count >= 0 else { return HeaderBlockError(code: count) }
                offset += count
                if flags & CInt(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
                    fields.append(HeaderField(text(field.name, field.namelen), text(field.value, field.valuelen)))
                }
                if flags & CInt(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 { return nil }
                if count == 0, offset == bytes.count { return nil }
            }
        }
        nghttp2_hd_inflate_end_headers(inflater)
        if let error { throw error }
        return fields
    }

    private func text(_ start: UnsafeMutablePointer<UInt8>?, _ count: Int) -> String {
        String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
