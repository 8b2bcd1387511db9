import CISAL

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

    /// A text on its way into gzip, in pieces.
    final class Packer {
        private let stream = UnsafeMutablePointer<isal_zstream>.allocate(capacity: 1)
        private let level: UnsafeMutablePointer<UInt8>
        private var bytes: [UInt8] = []

        /// Bytes that are made at a time.
        private static var piece: Int { 65_536 }

        init() {
            let size = isal_buffer_size_of_level_1()
            level = .allocate(capacity: Int(size))
            isal_deflate_init(stream)
            stream.pointee.gzip_flag = UInt16(IGZIP_GZIP)
            stream.pointee.level = 1
            stream.pointee.level_buf = level
            stream.pointee.level_buf_size = size
        }

        deinit {
            stream.deallocate()
            level.deallocate()
        }

        /// Adds a piece, less than 4 GiB.
        func append(_ piece: UnsafeBufferPointer<UInt8>) { append(piece, isLast: false) }

        /// Adds the last piece, and returns everything. Nothing may be added after it.
        func finish(_ piece: [UInt8]) -> [UInt8] {
            piece.withUnsafeBufferPointer { append($0, isLast: true) }
            return bytes
        }

        private func append(_ piece: UnsafeBufferPointer<UInt8>, isLast: Bool) {
            stream.pointee.next_in = UnsafeMutablePointer(mutating: piece.baseAddress)
            stream.pointee.avail_in = UInt32(piece.count)
            stream.pointee.end_of_stream = isLast ? 1 : 0
            // An error, which none of these arguments can cause, must not be tried again for ever.
            while deflate() == COMP_OK, stream.pointee.avail_in > 0 || stream.pointee.avail_out == 0 {}
        }

        /// Makes as many bytes as there is space for. Where some is left, all of the input was taken.
        private func deflate() -> CInt {
            let start = bytes.count
            bytes += repeatElement(0, count: Self.piece)
            let result = bytes.withUnsafeMutableBufferPointer { space in
                stream.pointee.next_out = space.baseAddress.map { $0 + start }
                stream.pointee.avail_out = UInt32(Self.piece)
                return isal_deflate(stream)
            }
            bytes.removeLast(Int(stream.pointee.avail_out))
            return result
        }
    }
}
