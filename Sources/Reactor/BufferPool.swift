/// Keeps the memory of empty buffers for the next connection that needs some, so that a busy worker does not call malloc.
///
/// It holds at most `limit` blocks of at most 16 KiB, and frees larger ones and those beyond the limit.
public struct BufferPool: ~Copyable {
    private var spares: UnsafeMutablePointer<ByteBuffer>
    private var count = 0
    private let limit: Int

    /// Bytes of the blocks that the pool allocates. What comes back may be larger: buffers grow.
    public static var blockBytes: Int { 1_024 }
    /// Bytes of the largest block that is kept.
    private static var largestKept: Int { 16_384 }

    /// An empty pool that will keep at most `limit` blocks, 0 or more.
    public init(limit: Int) {
        self.limit = limit
        spares = .allocate(capacity: limit)
    }

    deinit {
        spares.deinitialize(count: count)
        spares.deallocate()
    }

    /// Gives `buffer` memory if it has none: the block that came back last, or a new one.
    public mutating func acquire(for buffer: inout ByteBuffer) {
        guard buffer.allocated == 0 else { return }
        guard count > 0 else {
            buffer.reserve(BufferPool.blockBytes)
            return
        }
        count -= 1
        buffer = (spares + count).move()
    }

    /// Takes the memory of `buffer` back if it holds no bytes; a buffer with bytes keeps it.
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
