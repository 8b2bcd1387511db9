public import Kernel

// A worker keeps its world and its buffers side by side in one value. Passing the buffer and not a view of it lets the
// compiler see that the two accesses do not overlap.
extension World where Self: ~Copyable {
    /// Sends the buffer's unconsumed bytes in one write; consumes none.
    @inlinable
    public mutating func send(_ descriptor: Descriptor, _ buffer: borrowing ByteBuffer) -> Transfer {
        send(descriptor, buffer.span)
    }

    /// Sends a part of the buffer's unconsumed bytes in one write; consumes none.
    @inlinable
    public mutating func send(
        _ descriptor: Descriptor, _ buffer: borrowing ByteBuffer, _ range: Range<Int>
    ) -> Transfer {
        send(descriptor, buffer.span.extracting(range))
    }

    /// Moves up to `most` bytes from one connection to another; what the sink does not take is appended to `buffer`. Nil
    /// where bytes cannot be spliced, with nothing read.
    @inlinable
    public mutating func splice(
        from source: Descriptor, to sink: Descriptor, most: Int, leftover buffer: inout ByteBuffer
    ) -> SpliceResult? {
        guard let result = splice(from: source, to: sink, most: most) else { return nil }
        if result.leftover > 0 {
            buffer.reserve(result.leftover)
            var space = buffer.space
            let count = takeLeftover(into: &space)
            // A body with a hole in it is worse than one that breaks off.
            guard count == result.leftover else {
                return SpliceResult(read: result.read, written: .failed(ErrorNumber.inputOutput))
            }
            buffer.commit(count)
        }
        return result
    }

    /// Appends the bytes of one read into all of the buffer's space, which is made at least `minimum` bytes. `isShort` tells that
    /// the read did not fill the space: nothing more is there now.
    @inlinable
    public mutating func receive(
        _ descriptor: Descriptor, into buffer: inout ByteBuffer, atLeast minimum: Int
    ) -> (outcome: Transfer, isShort: Bool) {
        buffer.reserve(minimum)
        var space = buffer.space
        let available = space.count
        let outcome = receive(descriptor, into: &space)
        guard case .moved(let count) = outcome else { return (outcome, true) }
        buffer.commit(count)
        return (outcome, count < available)
    }

    /// Appends the bytes of one read of at most `limit` bytes, however much space the buffer has. `isShort` tells that they
    /// were fewer: nothing more is there now.
    @inlinable
    public mutating func receive(
        _ descriptor: Descriptor, into buffer: inout ByteBuffer, atMost limit: Int
    ) -> (outcome: Transfer, isShort: Bool) {
        buffer.reserve(limit)
        var space = buffer.space(atMost: limit)
        let outcome = receive(descriptor, into: &space)
        guard case .moved(let count) = outcome else { return (outcome, true) }
        buffer.commit(count)
        return (outcome, count < limit)
    }
}
