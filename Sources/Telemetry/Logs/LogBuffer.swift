/// Lines that wait to be written: bytes that are appended at one end and taken at the other.
struct LogBuffer: ~Copyable {
    private var base: UnsafeMutablePointer<UInt8>?
    private var capacity = 0
    private var start = 0
    private var end = 0

    init() {}

    deinit { base?.deallocate() }

    /// Bytes that are there.
    var count: Int { end - start }
    var isEmpty: Bool { start == end }

    /// The bytes; valid until the next change.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base.map { $0 + start }, count: count) }

    /// Takes so many bytes away at the front.
    mutating func consume(_ count: Int) {
        start += min(count, self.count)
        if start == end { (start, end) = (0, 0) }
    }

    /// Takes what is behind the first `count` bytes away.
    mutating func truncate(to count: Int) { end = start + min(count, self.count) }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        base?[end] = byte
        end += 1
    }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(__always)
    mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer { append($0) }
    }

    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        base.map { $0 + end }?.update(from: source, count: bytes.count)
        end += bytes.count
    }

    /// In decimal, with zeros in front up to `digits`, at most 20.
    mutating func append(decimal number: UInt64, digits: Int = 1) {
        // 2^64 has 20 digits.
        reserve(20)
        guard let base else { return }
        let count = max(digits, Self.digits(of: number))
        var (rest, place) = (number, end + count)
        for _ in 0..<count {
            let quotient = rest / 10
            place -= 1
            base[place] = UInt8(truncatingIfNeeded: 48 &+ rest &- quotient &* 10)
            rest = quotient
        }
        end += count
    }

    /// The decimal digits of a number, at least 1.
    private static func digits(of number: UInt64) -> Int {
        var (count, rest) = (1, number)
        while rest >= 1_000 { (count, rest) = (count + 3, rest / 1_000) }
        return rest >= 100 ? count + 2 : rest >= 10 ? count + 1 : count
    }

    mutating func append(decimal number: Int) {
        if number < 0 { append(UInt8(ascii: "-")) }
        append(decimal: UInt64(number.magnitude))
    }

    /// Sixteen hexadecimal digits.
    mutating func append(hexadecimal number: UInt64) {
        reserve(16)
        guard let base else { return }
        var rest = number
        for index in 0..<16 {
            base[end + 15 - index] = Self.digit(rest)
            rest >>= 4
        }
        end += 16
    }

    /// Nanoseconds as milliseconds, with three decimals.
    mutating func append(milliseconds nanoseconds: UInt64) {
        let (whole, rest) = (nanoseconds / 1_000).quotientAndRemainder(dividingBy: 1_000)
        append(decimal: whole)
        append(UInt8(ascii: "."))
        append(decimal: rest, digits: 3)
    }

    /// The last hexadecimal digit, in lower case.
    mutating func append(digit number: UInt64) { append(Self.digit(number)) }

    private static func digit(_ number: UInt64) -> UInt8 {
        let digit = UInt8(truncatingIfNeeded: number & 15)
        return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }

    @inline(__always)
    private mutating func reserve(_ more: Int) {
        if end + more > capacity { grow(more) }
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let count = count
        var needed = max(4_096, capacity)
        while needed < count + more { needed *= 2 }
        let larger = needed > capacity ? UnsafeMutablePointer<UInt8>.allocate(capacity: needed) : base
        if let larger, let base { larger.update(from: base + start, count: count) }
        if needed > capacity { base?.deallocate() }
        base = larger
        capacity = needed
        (start, end) = (0, count)
    }
}
