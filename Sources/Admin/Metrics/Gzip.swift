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

    /// The bytes in gzip; nil if they are 4 GiB or more.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        guard let size = UInt32(exactly: bytes.count) else { return nil }
        // RFC 1952 section 2.3: deflate, no name, no time, the fastest algorithm, Unix.
        let head: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 3]
        let capacity = head.count + LineDeflate.bound(bytes.count) + 8
        let space = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        defer { space.deallocate() }
        space.update(from: head, count: head.count)
        return bytes.withUnsafeBufferPointer { bytes in
            var count = LineDeflate(into: space, at: head.count).compress(bytes)
            let checksum = bytes.baseAddress.map { crc32_z(0, $0, bytes.count) } ?? 0
            for number in [UInt32(truncatingIfNeeded: checksum), size] {
                for shift in stride(from: UInt32(0), to: 32, by: 8) {
                    space[count] = UInt8(truncatingIfNeeded: number >> shift)
                    count += 1
                }
            }
            return Array(UnsafeBufferPointer(start: space, count: count))
        }
    }
}
