import Reactor
import Testing

@Suite("BufferPool")
struct BufferPoolTests {
    /// An empty buffer with `capacity` bytes of memory.
    private func buffer(_ capacity: Int = BufferPool.blockBytes) -> ByteBuffer { ByteBuffer(capacity: capacity) }

    /// Where the memory of an empty buffer begins.
    private func address(_ buffer: inout ByteBuffer) -> UInt {
        var space = buffer.space
        return space.withUnsafeMutableBufferPointer { UInt(bitPattern: $0.baseAddress) }
    }

    @Test("a buffer without memory gets a block, one that has some keeps it")
    func acquire() {
        var pool = BufferPool(limit: 4)
        var empty = ByteBuffer()
        var filled = ByteBuffer()
        filled.append([1, 2, 3])
        let held = filled.allocated

        pool.acquire(for: &empty)
        pool.acquire(for: &filled)

        #expect(empty.allocated == BufferPool.blockBytes)
        #expect(filled.allocated == held && filled.count == 3)
    }

    @Test("memory given back is what the next buffer gets, the latest first")
    func reuse() {
        var pool = BufferPool(limit: 4)
        var first = buffer(2_000)
        var second = buffer(3_000)
        let (firstAddress, secondAddress) = (address(&first), address(&second))

        pool.release(&first)
        pool.release(&second)
        #expect(first.allocated == 0 && second.allocated == 0)
        pool.acquire(for: &first)
        pool.acquire(for: &second)

        #expect(address(&first) == secondAddress && first.allocated == 3_000)
        #expect(address(&second) == firstAddress && second.allocated == 2_000)
        #expect(first.isEmpty && second.isEmpty)
    }

    @Test("a buffer that holds bytes keeps its memory, one that has been read to its end does not")
    func holdsBytes() {
        var pool = BufferPool(limit: 4)
        var held = buffer()
        held.append([1, 2, 3])

        pool.release(&held)
        #expect(held.count == 3 && held.allocated == BufferPool.blockBytes)
        held.consume(3)
        pool.release(&held)
        #expect(held.allocated == 0)
    }

    @Test("blocks up to 16 KiB are kept, larger ones are freed", arguments: [(16_384, true), (16_385, false)])
    func largest(capacity: Int, isKept: Bool) {
        var pool = BufferPool(limit: 4)
        var large = buffer(capacity)
        var next = ByteBuffer()

        pool.release(&large)
        pool.acquire(for: &next)

        #expect(large.allocated == 0)
        #expect(next.allocated == (isKept ? capacity : BufferPool.blockBytes))
    }

    @Test("so many blocks are kept as the limit says, and none with a limit of 0", arguments: [0, 1, 3])
    func limit(limit: Int) {
        var pool = BufferPool(limit: limit)
        for _ in 0..<5 {
            var marked = buffer(5_000)
            pool.release(&marked)
            #expect(marked.allocated == 0)
        }

        var kept = 0
        for _ in 0..<5 {
            var next = ByteBuffer()
            pool.acquire(for: &next)
            if next.allocated == 5_000 { kept += 1 }
        }

        #expect(kept == limit)
    }

    @Test("a block that went round many times holds what its present owner wrote")
    func cycles() {
        var pool = BufferPool(limit: 2)
        for round in 0..<1_000 {
            var left = ByteBuffer()
            var right = ByteBuffer()
            pool.acquire(for: &left)
            pool.acquire(for: &right)
            let size = 1 + round % 1_500
            left.append([UInt8](repeating: UInt8(truncatingIfNeeded: round), count: size))
            right.append([UInt8](repeating: UInt8(truncatingIfNeeded: round &+ 1), count: size))
            #expect(left.count == size && right.count == size)
            #expect(left.span[size - 1] == UInt8(truncatingIfNeeded: round))
            #expect(right.span[0] == UInt8(truncatingIfNeeded: round &+ 1))
            left.consume(size)
            right.consume(size)
            pool.release(&left)
            pool.release(&right)
            #expect(left.allocated == 0 && right.allocated == 0)
        }
    }
}
