/// Stands for a caller: the issuer and the subject of its token, whatever token that is. Sessions are tied to it.
struct SubjectDigest: Equatable, Sendable {
    let high: UInt64
    let low: UInt64

    private func append(to bytes: inout [UInt8]) {
        for word in [high, low] {
            for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * index))) }
        }
    }

    /// A session id as it is remembered for the caller: a byte that no id has, the digest, and the id.
    func qualified(_ id: Span<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = [0]
        append(to: &bytes)
        for index in id.indices { bytes.append(id[index]) }
        return bytes
    }

    /// The digest behind some bytes.
    func qualifying(_ bytes: Span<UInt8>) -> [UInt8] {
        var all: [UInt8] = []
        for index in bytes.indices { all.append(bytes[index]) }
        append(to: &all)
        return all
    }
}
