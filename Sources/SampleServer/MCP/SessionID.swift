import ASCII
import Kernel
import Reactor

/// What a client calls its session: 32 hexadecimal digits, 96 random bits and the number of the table's slot in which
/// the session lives, so that finding it takes no search. Kept as the text it travels as.
struct SessionID: Equatable {
    /// Eight characters each. A tuple: a copy is four moves.
    private let text: (UInt64, UInt64, UInt64, UInt64)

    /// A fresh one. Random bits come from the kernel's generator: who knows an id may speak for its session.
    static func random(slot: UInt32) -> SessionID {
        func digits(_ value: UInt32) -> UInt64 {
            (0..<8).reduce(0) { word, index in
                let digit = UInt8(hexadecimalDigit: UInt8(value >> (28 - 4 * UInt32(index)) & 15))
                return word | UInt64(digit) << UInt64(8 * index)
            }
        }
        let bytes = Machine.randomBytes(12)
        func random(_ start: Int) -> UInt64 { digits(bytes[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }) }
        return SessionID(text: (random(0), random(4), random(8), digits(slot)))
    }

    private init(text: (UInt64, UInt64, UInt64, UInt64)) {
        self.text = text
    }

    /// Nil for anything but 32 bytes: such an id was never handed out.
    init?(_ text: Span<UInt8>) {
        guard text.count == 32 else { return nil }
        self.text = (text.word(at: 0), text.word(at: 8), text.word(at: 16), text.word(at: 24))
    }

    /// Where the session lives, if there is one; nil if the last eight characters are no number.
    var slot: UInt32? {
        var slot: UInt32 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            guard let digit = UInt8(truncatingIfNeeded: self.text.3 >> shift).hexadecimalValue else { return nil }
            slot = slot << 4 | UInt32(digit)
        }
        return slot
    }

    static func == (left: SessionID, right: SessionID) -> Bool { left.text == right.text }

    func write(to buffer: inout ByteBuffer) {
        withUnsafeBytes(of: (text.0.littleEndian, text.1.littleEndian, text.2.littleEndian, text.3.littleEndian)) {
            buffer.append($0.bindMemory(to: UInt8.self).span)
        }
    }
}
