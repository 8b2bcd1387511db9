/// A range of bytes in some buffer: where it starts and how long it is. Kept as numbers because a view must not
/// outlive the turn that made it.
public struct ByteRange: Equatable, Sendable {
    public var start: Int32
    public var count: Int32

    @inlinable
    public init(start: Int, count: Int) {
        self.start = Int32(truncatingIfNeeded: start)
        self.count = Int32(truncatingIfNeeded: count)
    }

    @inlinable public static var empty: ByteRange { ByteRange(start: 0, count: 0) }
    @inlinable public var isEmpty: Bool { count == 0 }
    @inlinable public var lowerBound: Int { Int(start) }
    @inlinable public var upperBound: Int { Int(start) + Int(count) }
    @inlinable public var range: Range<Int> { Int(start)..<(Int(start) + Int(count)) }
}

/// Bytes on their way through: appended at one end, consumed at the other, owned by one holder.
///
/// An empty buffer owns no memory until the first append; `release()` gives the memory back. Growth doubles, so
/// appending is amortised O(1). The bound is the holder's business (credit); 4 GiB trap.
public struct ByteBuffer: ~Copyable {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>?
    // 32 bits each: every connection has two of these, and 24 bytes do.
    @usableFromInline var room: UInt32
    @usableFromInline var start: UInt32
    @usableFromInline var end: UInt32

    @inlinable
    public init() {
        base = nil
        room = 0
        start = 0
        end = 0
    }

    @inlinable var capacity: Int {
        get { Int(room) }
        set { room = UInt32(newValue) }
    }
    @inlinable var head: Int {
        get { Int(start) }
        set { start = UInt32(truncatingIfNeeded: newValue) }
    }
    @inlinable var tail: Int {
        get { Int(end) }
        set { end = UInt32(truncatingIfNeeded: newValue) }
    }

    @inlinable
    public init(capacity: Int) {
        self.init()
        reserve(capacity)
    }

    @inlinable
    deinit { base?.deallocate() }

    /// Bytes appended and not yet consumed.
    @inlinable public var count: Int { tail - head }
    @inlinable public var isEmpty: Bool { tail == head }
    /// Bytes of memory held, used or not.
    @inlinable public var allocated: Int { capacity }

    /// The unconsumed bytes. Index 0 is the oldest.
    @inlinable
    public var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let buffer = UnsafeBufferPointer(start: base.map { UnsafePointer($0) + head }, count: tail - head)
            return _overrideLifetime(buffer.span, borrowing: self)
        }
    }

    /// Room after the last byte: what was not asked for with `reserve` may be there as well.
    @inlinable
    public var space: MutableSpan<UInt8> {
        @_lifetime(&self)
        mutating get {
            let buffer = UnsafeMutableBufferPointer(start: base.map { $0 + tail }, count: capacity - tail)
            return _overrideLifetime(buffer.mutableSpan, mutating: &self)
        }
    }

    /// The first `count` bytes of the room after the last byte, or as many as there are.
    @inlinable
    @_lifetime(&self)
    public mutating func space(atMost count: Int) -> MutableSpan<UInt8> {
        let room = max(0, min(count, capacity - tail))
        let buffer = UnsafeMutableBufferPointer(start: base.map { $0 + tail }, count: room)
        return _overrideLifetime(buffer.mutableSpan, mutating: &self)
    }

    /// Makes room for `count` more bytes.
    @inlinable
    public mutating func reserve(_ count: Int) {
        if capacity - tail < count { makeRoom(count) }
    }

    /// Gives an empty buffer room for so many bytes and not one more: for what is kept long and never grows.
    public mutating func reserve(exactly count: Int) {
        guard capacity == 0, count > 0 else { return reserve(count) }
        base = .allocate(capacity: count)
        capacity = count
    }

    @usableFromInline
    mutating func makeRoom(_ count: Int) {
        let used = tail - head
        // Moving is paid for by what was consumed since the last move; a nearly full buffer grows instead.
        if capacity - used >= count, head >= used / 4, let base {
            base.update(from: base + head, count: used)
        } else {
            let grown = max(capacity * 2, used + count, 256)
            let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: grown)
            if let base {
                fresh.initialize(from: base + head, count: used)
                base.deallocate()
            }
            base = fresh
            capacity = grown
        }
        head = 0
        tail = used
    }

    /// Takes `count` bytes of the `space` as appended: what a read has put there.
    @inlinable
    public mutating func commit(_ count: Int) {
        precondition(count >= 0 && count <= capacity - tail, "more bytes committed than there was room for")
        tail += count
    }

    /// Drops the oldest `count` bytes.
    @inlinable
    public mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= tail - head, "more bytes consumed than there were")
        head += count
        if head == tail {
            head = 0
            tail = 0
        }
    }

    /// Drops the newest bytes until `count` are left.
    @inlinable
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= tail - head, "a truncation cannot lengthen")
        tail = head + count
    }

    /// Forgets the bytes and keeps the memory.
    @inlinable
    public mutating func clear() {
        head = 0
        tail = 0
    }

    /// Forgets the bytes and gives the memory back.
    @inlinable
    public mutating func release() {
        base?.deallocate()
        base = nil
        capacity = 0
        head = 0
        tail = 0
    }

    @inlinable
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        base?[tail] = byte
        tail += 1
    }

    @inlinable
    public mutating func append(_ bytes: Span<UInt8>) {
        let count = bytes.count
        guard count > 0 else { return }
        reserve(count)
        guard let base else { return }
        let target = base + tail
        bytes.withUnsafeBufferPointer { source in
            if let start = source.baseAddress { target.update(from: start, count: count) }
        }
        tail += count
    }

    /// Appends the unconsumed bytes of another buffer.
    @inlinable
    public mutating func append(_ other: borrowing ByteBuffer) {
        append(other.span)
    }

    /// Appends a part of another buffer's unconsumed bytes.
    @inlinable
    public mutating func append(_ other: borrowing ByteBuffer, _ range: Range<Int>) {
        append(other.span.extracting(range))
    }

    @inlinable
    public mutating func append(_ other: borrowing ByteBuffer, _ range: ByteRange) {
        append(other.span.extracting(range.range))
    }

    @inlinable
    public mutating func append(_ bytes: [UInt8]) {
        append(bytes.span)
    }

    /// Appends ASCII text known at compile time; no String is made. Inlined, it is a few stores of constants.
    @inlinable
    @inline(__always)
    public mutating func append(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        reserve(count)
        guard let base else { return }
        (base + tail).update(from: text.utf8Start, count: count)
        tail += count
    }

    /// Appends a string's UTF-8. For the cold path: the data plane has spans and static text. Disfavoured, because a
    /// literal would else be a String and be copied byte by byte.
    @_disfavoredOverload
    @inlinable
    public mutating func append(_ text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// Appends four numbers in decimal digits with dots between: an IPv4 address, its first octet the highest.
    public mutating func append(dotted address: UInt32) {
        reserve(15)
        guard let base else { return }
        var position = tail
        var shift: UInt32 = 24
        while true {
            let octet = address >> shift & 255
            if octet >= 100 {
                base[position] = UInt8(truncatingIfNeeded: octet / 100) &+ 48
                position &+= 1
            }
            if octet >= 10 {
                base[position] = UInt8(truncatingIfNeeded: octet / 10 % 10) &+ 48
                position &+= 1
            }
            base[position] = UInt8(truncatingIfNeeded: octet % 10) &+ 48
            position &+= 1
            guard shift > 0 else { break }
            base[position] = 0x2E
            position &+= 1
            shift &-= 8
        }
        tail = position
    }

    /// Appends a number in decimal digits.
    @inlinable
    public mutating func append(decimal value: UInt64) {
        var count = 1
        var bound: UInt64 = 10
        while count < 20, value >= bound {
            count += 1
            bound &*= 10
        }
        reserve(count)
        guard let base else { return }
        var rest = value
        var position = tail + count
        tail = position
        repeat {
            position -= 1
            base[position] = UInt8(truncatingIfNeeded: rest % 10) &+ 48
            rest /= 10
        } while rest > 0
    }

    /// Appends a number in lower-case hexadecimal digits, without leading zeros.
    @inlinable
    public mutating func append(hexadecimal value: UInt64) {
        var shift = (63 - (value | 1).leadingZeroBitCount) / 4 * 4
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: (value >> UInt64(shift)) & 15)
            append(digit < 10 ? digit + 48 : digit + 87)
            shift -= 4
        }
    }

    /// Moves the bytes of `other` to the end of this buffer; takes over its memory when this one is empty.
    @inlinable
    public mutating func take(_ other: inout ByteBuffer) {
        if isEmpty {
            swap(&self, &other)
            other.release()
        } else {
            append(other.span)
            other.release()
        }
    }
}
