import Reactor

extension ByteBuffer {
    /// Consumes the oldest `count` bytes and returns them.
    mutating func takeFirst(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for index in 0..<count { bytes.append(span[index]) }
        consume(count)
        return bytes
    }
}
