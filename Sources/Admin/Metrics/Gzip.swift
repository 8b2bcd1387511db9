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

    /// A text on its way into gzip, in pieces.
    final class Packer {
        /// RFC 1952 section 2.3: deflate, no name, no time, the fastest algorithm, Unix.
        private var bytes: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3]
        private var deflate = LineDeflate()
        private var checksum: uLong = 0
        private var size: UInt32 = 0

        /// Adds a piece, less than 4 GiB.
        func append(_ piece: UnsafeBufferPointer<UInt8>) { append(piece, isLast: false) }

        /// Adds the last piece, and returns everything. Nothing may be added after it.
        func finish(_ piece: [UInt8]) -> [UInt8] {
            piece.withUnsafeBufferPointer { append($0, isLast: true) }
            for number in [UInt32(truncatingIfNeeded: checksum), size] {
                for shift in stride(from: UInt32(0), to: 32, by: 8) {
                    bytes.append(UInt8(truncatingIfNeeded: number >> shift))
                }
            }
            return bytes
        }

        private func append(_ piece: UnsafeBufferPointer<UInt8>, isLast: Bool) {
            if let base = piece.baseAddress { checksum = crc32_z(checksum, base, piece.count) }
            size &+= UInt32(truncatingIfNeeded: piece.count)
            deflate.append(piece, isLast: isLast, to: &bytes)
        }
    }
}
