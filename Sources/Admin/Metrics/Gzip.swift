import CZlib

/// The gzip coding (RFC 1952), which pages of metrics are sent in.
enum Gzip {
    /// Whether a client takes it (RFC 9110 section 12.5.3): it is named, or everything is, with a weight that is not 0.
    static func isAccepted(_ field: String?) -> Bool {
        var everything = false
        for coding in (field ?? "").split(separator: ",") {
            let parts = coding.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            switch parts.first {
            case "gzip", "x-gzip": return weight > 0
            case "*": everything = weight > 0
            default: break
            }
        }
        return everything
    }

    /// The bytes in gzip, as fast as it goes; nil if that fails.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        var stream = z_stream()
        // Sixteen more than the window's bits asks for a gzip header and trailer.
        let opened = deflateInit2_(
            &stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            CInt(MemoryLayout<z_stream>.size))
        guard opened == Z_OK, let inputSize = uInt(exactly: bytes.count) else { return nil }
        defer { deflateEnd(&stream) }
        let bound = Int(deflateBound(&stream, uLong(bytes.count)))
        guard let outputSize = uInt(exactly: bound) else { return nil }
        var input = bytes
        var result = Z_OK
        var compressed = [UInt8](unsafeUninitializedCapacity: bound) { output, count in
            input.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = inputSize
                stream.next_out = output.baseAddress
                stream.avail_out = outputSize
                result = deflate(&stream, Z_FINISH)
            }
            count = bound - Int(stream.avail_out)
        }
        guard result == Z_STREAM_END else { return nil }
        compressed.reserveCapacity(0)
        return compressed
    }
}
