import Reactor

extension ByteBuffer {
    /// Replaces the bytes at `offset` by `bytes`. The range must lie within the buffer.
    @inline(__always)
    mutating func overwrite(at offset: Int, with bytes: Span<UInt8>) {
        let total = count
        precondition(offset >= 0 && offset + bytes.count <= total, "overwriting beyond the end")
        truncate(to: offset)
        append(bytes)
        // The bytes after the range are still in memory; commit makes them part of the buffer again.
        commit(total - offset - bytes.count)
    }
}
