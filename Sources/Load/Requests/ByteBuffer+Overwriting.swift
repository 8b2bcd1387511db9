import Reactor

extension ByteBuffer {
    /// Puts `bytes` over those that stand at `offset` of the newest: all must be there.
    @inline(__always)
    mutating func overwrite(at offset: Int, with bytes: Span<UInt8>) {
        let total = count
        precondition(offset >= 0 && offset + bytes.count <= total, "overwriting what is not there")
        truncate(to: offset)
        append(bytes)
        // The bytes after it are still in memory: taken back, not written again.
        commit(total - offset - bytes.count)
    }
}
