public import Kernel

// A worker keeps its world and its buffers side by side in one value. Handing over the buffer rather than a view of it
// lets the compiler see that the two are apart.
extension World where Self: ~Copyable {
    /// Sends the buffer's unconsumed bytes; consumes none.
    @inlinable
    public mutating func send(_ descriptor: Descriptor, _ buffer: borrowing ByteBuffer) -> Transfer {
        send(descriptor, buffer.span)
    }

    /// Sends a part of the buffer's unconsumed bytes.
    @inlinable
    public mutating func send(
        _ descriptor: Descriptor, _ buffer: borrowing ByteBuffer, _ range: Range<Int>
    ) -> Transfer {
        send(descriptor, buffer.span.extracting(range))
    }

    /// Passes bytes from one connection to another; what the sink does not take is appended to `buffer`.
    @inlinable
    public mutating func splice(
        from source: Descriptor, to sink: Descriptor, most: Int, leftover buffer: inout ByteBuffer
    ) -> SpliceResult? {
        guard let result = splice(from: source, to: sink, most: most) else { return nil }
        if result.leftover > 0 {
            buffer.reserve(result.leftover)
            var space = buffer.space
            takeLeftover(into: &space)
            buffer.commit(result.leftover)
        }
        return result
    }

    /// Appends what one read of at least `room` bytes gives. `isShort` tells that the read did not fill the room.
    @inlinable
    public mutating func receive(
        _ descriptor: Descriptor, into buffer: inout ByteBuffer, room: Int
    ) -> (outcome: Transfer, isShort: Bool) {
        buffer.reserve(room)
        var space = buffer.space
        let available = space.count
        let outcome = receive(descriptor, into: &space)
        guard case .moved(let count) = outcome else { return (outcome, true) }
        buffer.commit(count)
        return (outcome, count < available)
    }

    /// The same with at most `room` bytes, whatever the buffer has room for.
    @inlinable
    public mutating func receive(
        _ descriptor: Descriptor, into buffer: inout ByteBuffer, atMost room: Int
    ) -> (outcome: Transfer, isShort: Bool) {
        buffer.reserve(room)
        var space = buffer.space(atMost: room)
        let outcome = receive(descriptor, into: &space)
        guard case .moved(let count) = outcome else { return (outcome, true) }
        buffer.commit(count)
        return (outcome, count < room)
    }
}
