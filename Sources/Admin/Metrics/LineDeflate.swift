/// Deflate (RFC 1951) for pages whose lines are much like those before them: blocks with the fixed codes, and each match as long
/// as it goes with the last place in the block that began alike. On pages of metrics it is several times as fast as zlib at its fastest, and
/// its output a fifth longer.
struct LineDeflate: ~Copyable {
    private static var hashBits: UInt32 { 12 }
    private static var window: Int { 32_768 }
    private static var longest: Int { 258 }

    /// Where a piece goes, kept for the next one.
    private var output = UnsafeMutablePointer<UInt8>.allocate(capacity: 1)
    private var capacity = 1
    private var count = 0
    private var bits: UInt64 = 0
    private var bitCount: UInt64 = 0
    /// By hash of four bytes, the place behind their first one where they stood last; 0: nowhere.
    private let places: UnsafeMutablePointer<UInt32> = {
        let places = UnsafeMutablePointer<UInt32>.allocate(capacity: 1 << Int(LineDeflate.hashBits))
        places.initialize(repeating: 0, count: 1 << Int(LineDeflate.hashBits))
        return places
    }()
    private let codes = Codes()

    /// Bytes that a piece of so many can become at most: nine bits each, and the ends.
    private static func bound(_ count: Int) -> Int { count + count / 8 + 32 }

    init() {}

    deinit {
        places.deallocate()
        output.deallocate()
    }

    /// Compresses a piece, less than 4 GiB, which is a block of its own, and appends what that becomes.
    mutating func append(_ piece: UnsafeBufferPointer<UInt8>, isLast: Bool, to bytes: inout [UInt8]) {
        makeSpace(Self.bound(piece.count))
        places.update(repeating: 0, count: 1 << Int(Self.hashBits))
        // A block with fixed codes (RFC 1951 section 3.2.3).
        put(isLast ? 0b011 : 0b010, 3)
        if let base = piece.baseAddress { encode(base, piece.count) }
        put(0, 7)
        while bitCount >= 8 || isLast && bitCount > 0 { flushByte() }
        bytes += UnsafeBufferPointer(start: output, count: count)
    }

    private mutating func makeSpace(_ needed: Int) {
        count = 0
        guard capacity < needed else { return }
        output.deallocate()
        output = .allocate(capacity: needed)
        capacity = needed
    }

    private mutating func encode(_ input: UnsafePointer<UInt8>, _ end: Int) {
        var place = 0
        while place + 8 <= end {
            let word = Self.word(input, place)
            let hash = Int((word &* 2_654_435_761) >> (32 - Self.hashBits))
            let last = Int(places[hash])
            places[hash] = UInt32(truncatingIfNeeded: place &+ 1)
            guard last > 0, place &- last < Self.window, Self.word(input, last &- 1) == word else {
                put(literal: input[place])
                place &+= 1
                continue
            }
            let length = Self.length(input, last &- 1, place, min(Self.longest, end &- place))
            put(match: length, distance: place &- last &+ 1)
            place &+= length
        }
        while place < end {
            put(literal: input[place])
            place &+= 1
        }
    }

    @inline(__always)
    private static func word(_ input: UnsafePointer<UInt8>, _ place: Int) -> UInt32 {
        UnsafeRawPointer(input + place).loadUnaligned(as: UInt32.self)
    }

    /// How many bytes from two places on are the same; four are. At most `most`.
    @inline(__always)
    private static func length(_ input: UnsafePointer<UInt8>, _ first: Int, _ second: Int, _ most: Int) -> Int {
        var length = 4
        while length &+ 8 <= most {
            let left = UnsafeRawPointer(input + first + length).loadUnaligned(as: UInt64.self)
            let right = UnsafeRawPointer(input + second + length).loadUnaligned(as: UInt64.self)
            let difference = UInt64(littleEndian: left ^ right)
            if difference != 0 { return length &+ difference.trailingZeroBitCount / 8 }
            length &+= 8
        }
        while length < most, input[first + length] == input[second + length] { length &+= 1 }
        return length
    }

    // MARK: - Codes

    @inline(__always)
    private mutating func put(literal byte: UInt8) { put(codes.literal(byte)) }

    @inline(__always)
    private mutating func put(match length: Int, distance: Int) {
        put(codes.length(length))
        // RFC 1951 section 3.2.5: two codes for each number of extra bits.
        let value = UInt64(truncatingIfNeeded: distance &- 1)
        guard value > 1 else { return put(codes.distance(value), 5) }
        let extra = UInt64(truncatingIfNeeded: 62 &- value.leadingZeroBitCount)
        let code = 2 &* (extra &+ 1) &+ (value >> extra & 1)
        put(codes.distance(code) | (value & ((1 << extra) &- 1)) << 5, 5 &+ extra)
    }

    @inline(__always)
    private mutating func put(_ code: UInt32) { put(UInt64(code >> 8), UInt64(code & 255)) }

    /// Up to 32 bits, the lowest first.
    @inline(__always)
    private mutating func put(_ value: UInt64, _ number: UInt64) {
        bits |= value << bitCount
        bitCount &+= number
        guard bitCount >= 32 else { return }
        UnsafeMutableRawPointer(output + count).storeBytes(
            of: UInt32(truncatingIfNeeded: bits).littleEndian, as: UInt32.self)
        count &+= 4
        bits >>= 32
        bitCount &-= 32
    }

    private mutating func flushByte() {
        output[count] = UInt8(truncatingIfNeeded: bits)
        count += 1
        bits >>= 8
        bitCount = bitCount > 8 ? bitCount - 8 : 0
    }

    /// The fixed Huffman codes, which go out with their highest bit first: each reversed, with its extra bits, and how many bits
    /// that are in the lowest byte.
    private struct Codes: ~Copyable {
        private let table = UnsafeMutablePointer<UInt32>.allocate(capacity: 256 + 259 + 30)

        init() {
            for byte in 0..<256 as Range<UInt32> {
                table[Int(byte)] = byte < 144 ? Self.code(0x30 + byte, 8) : Self.code(0x190 + byte - 144, 9)
            }
            for length in 0..<259 as Range<UInt32> {
                table[256 + Int(length)] = length < 3 ? 0 : Self.code(ofLength: length)
            }
            for distance in 0..<30 as Range<UInt32> { table[515 + Int(distance)] = Self.code(distance, 5) >> 8 }
        }

        deinit { table.deallocate() }

        func literal(_ byte: UInt8) -> UInt32 { table[Int(byte)] }
        func length(_ length: Int) -> UInt32 { table[256 &+ length] }
        func distance(_ code: UInt64) -> UInt64 { UInt64(table[515 &+ Int(truncatingIfNeeded: code)]) }

        private static func code(_ value: UInt32, _ bits: UInt32, extra: UInt32 = 0, _ extraBits: UInt32 = 0) -> UInt32
        {
            var reversed: UInt32 = 0
            for bit in 0..<bits where value >> bit & 1 == 1 { reversed |= 1 << (bits - 1 - bit) }
            return (reversed | extra << bits) << 8 | (bits + extraBits)
        }

        /// RFC 1951 section 3.2.5: four codes for each number of extra bits, from 3 on, and 285 for 258.
        private static func code(ofLength length: UInt32) -> UInt32 {
            if length == 258 { return code(0xc5, 8) }
            let value = length - 3
            let extraBits = value < 8 ? 0 : 29 - UInt32(value.leadingZeroBitCount)
            let symbol = value < 8 ? 257 + value : 257 + 4 * extraBits + (value >> extraBits)
            let extra = value & ((1 << extraBits) - 1)
            return symbol < 280
                ? code(symbol - 256, 7, extra: extra, extraBits) : code(0xc0 + symbol - 280, 8, extra: extra, extraBits)
        }
    }
}
