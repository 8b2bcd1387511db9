/// Memory of empty buffers, kept for the next connection that needs some: a busy worker stops asking malloc.
///
/// Holds at most `limit` blocks of at most 16 KiB; larger ones, and those it has no room for, are freed.
public struct BufferPool: ~Copyable {
    private var spares: UnsafeMutablePointer<ByteBuffer>
    private var count = 0
    private let limit: Int

    public static var blockBytes: Int { 1_024 }
    private static var largestKept: Int { 16_384 }

    public init(limit: Int) {
        self.limit = limit
        spares = .allocate(capacity: limit)
    }

    deinit {
        spares.deinitialize(count: count)
        spares.deallocate()
    }

    /// Gives `buffer` memory if it has none.
    public mutating func acquire(for buffer: inout ByteBuffer) {
        guard buffer.allocated == 0 else { return }
        guard count > 0 else {
            buffer.reserve(BufferPool.blockBytes)
            return
        }
        count -= 1
        buffer = (spares + count).move()
    }

    /// Takes the memory of `buffer` back if it holds no bytes; leaves it alone otherwise.
    public mutating func release(_ buffer: inout ByteBuffer) {
        guard buffer.isEmpty, buffer.allocated > 0 else { return }
        guard count < limit, buffer.allocated <= BufferPool.largestKept else {
            buffer.release()
            return
        }
        var empty = ByteBuffer()
        swap(&empty, &buffer)
        (spares + count).initialize(to: empty)
        count += 1
    }
}
