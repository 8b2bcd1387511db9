import Reactor
import Simulation
import TestSupport
import Testing

@Suite("Byte buffer")
struct ByteBufferTests {
    private func array(_ buffer: borrowing ByteBuffer) -> [UInt8] {
        buffer.span.withUnsafeBufferPointer { Array($0) }
    }

    @Test("does what an array does", arguments: 1...40)
    func model(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var buffer = ByteBuffer()
        var model: [UInt8] = []
        var peak = 0
        for _ in 0..<800 {
            step(&buffer, &model, &generator)
            peak = max(peak, model.count)
            let count = buffer.count
            let isEmpty = buffer.isEmpty
            #expect(count == model.count && isEmpty == model.isEmpty)
        }

        #expect(array(buffer) == model)
        // Doubling, and a quarter of slack before it moves.
        #expect(buffer.allocated <= 4 * (peak + 3000))
    }

    private func step(_ buffer: inout ByteBuffer, _ model: inout [UInt8], _ generator: inout SeededGenerator) {
        let some = generator.bytes(Int(generator.next() % 400))
        switch generator.next() % 12 {
        case 0, 1, 2:
            buffer.append(some.span)
            model += some
        case 3:
            buffer.append(UInt8(7))
            model.append(7)
        case 4:
            buffer.append("static text" as StaticString)
            model += Array("static text".utf8)
        case 5:
            let text = String("grüße \(some.count)")
            buffer.append(text)
            model += Array(text.utf8)
        case 6, 7, 8:
            let count = Int(generator.next() % UInt64(model.count + 1))
            buffer.consume(count)
            model.removeFirst(count)
            compare(buffer, model)
        case 9:
            let count = Int(generator.next() % UInt64(model.count + 1))
            buffer.truncate(to: count)
            model.removeLast(model.count - count)
        case 10:
            readIn(&buffer, &model, some, asking: Int(generator.next() % 3000))
        default:
            endOrTake(&buffer, &model, some, &generator)
        }
    }

    private func compare(_ buffer: borrowing ByteBuffer, _ model: [UInt8]) {
        #expect(array(buffer) == model)
    }

    /// What a read does: space first, then bytes, then how many there were.
    private func readIn(_ buffer: inout ByteBuffer, _ model: inout [UInt8], _ some: [UInt8], asking: Int) {
        buffer.reserve(asking)
        var moved = 0
        do {
            var space = buffer.space
            let available = space.count
            #expect(available >= asking)
            moved = min(available, some.count)
            for index in 0..<moved { space[index] = some[index] }
        }
        buffer.commit(moved)
        model += some[..<moved]
    }

    private func endOrTake(
        _ buffer: inout ByteBuffer, _ model: inout [UInt8], _ some: [UInt8], _ generator: inout SeededGenerator
    ) {
        switch generator.next() % 8 {
        case 0:
            buffer.clear()
            model = []
        case 1:
            buffer.release()
            model = []
            let allocated = buffer.allocated
            #expect(allocated == 0)
        default:
            var other = ByteBuffer()
            other.append(some.span)
            buffer.take(&other)
            model += some
            let left = other.count
            let allocated = other.allocated
            #expect(left == 0 && allocated == 0)
        }
    }

    @Test("owns no memory until it has a byte to keep")
    func emptiness() {
        var buffer = ByteBuffer()
        buffer.append([UInt8]().span)
        let before = buffer.allocated
        let view = buffer.span.count
        buffer.append(1 as UInt8)
        let after = buffer.allocated

        #expect(before == 0)
        #expect(view == 0)
        #expect(after > 0)
    }

    @Test("a full buffer drained in smallReads does not grow without end")
    func smallReads() {
        var buffer = ByteBuffer()
        for _ in 0..<4096 { buffer.append(0 as UInt8) }
        for round in 0..<100_000 {
            buffer.consume(1)
            buffer.append(UInt8(truncatingIfNeeded: round))
        }
        let allocated = buffer.allocated
        let last = buffer.span[4095]

        #expect(allocated <= 16_384)
        #expect(last == UInt8(truncatingIfNeeded: 99_999))
    }

    @Test(
        "numbers in decimal",
        arguments: [
            0, 1, 9, 10, 99, 100, 12_345, 999_999_999, 9_999_999_999_999_999_999, 10_000_000_000_000_000_000, .max,
        ]
            as [UInt64])
    func decimal(value: UInt64) {
        var buffer = ByteBuffer()
        buffer.append(decimal: value)

        #expect(array(buffer) == Array(String(value).utf8))
    }

    @Test(
        "numbers in hexadecimal",
        arguments: [0, 1, 9, 10, 15, 16, 255, 256, 4095, 4096, 0xdead_beef, 0x0fff_ffff_ffff_ffff, 1 << 60, .max]
            as [UInt64])
    func hexadecimal(value: UInt64) {
        var buffer = ByteBuffer()
        buffer.append(hexadecimal: value)

        #expect(array(buffer) == Array(String(value, radix: 16).utf8))
    }

    @Test("taking what is not there is a trap")
    func traps() async {
        await #expect(processExitsWith: .failure) {
            var buffer = ByteBuffer()
            buffer.append(1 as UInt8)
            buffer.consume(2)
        }
        await #expect(processExitsWith: .failure) {
            var buffer = ByteBuffer(capacity: 10)
            buffer.commit(buffer.allocated + 1)
        }
        await #expect(processExitsWith: .failure) {
            var buffer = ByteBuffer()
            buffer.truncate(to: 1)
        }
    }
}
