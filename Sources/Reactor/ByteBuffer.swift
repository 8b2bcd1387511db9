/// A range of bytes in a buffer. It is kept as numbers because a view (`Span`) cannot be stored. Both are 32 bits: buffers
/// that are parsed stay below 2 GiB.
public struct ByteRange: BitwiseCopyable, Equatable, Sendable {
    /// Offset of the first byte.
    public var start: Int32
    /// Length in bytes.
    public var count: Int32

    /// `count` bytes from `start` on; both are cut to 32 bits.
    @inlinable
    public init(start: Int, count: Int) {
        self.start = Int32(truncatingIfNeeded: start)
        self.count = Int32(truncatingIfNeeded: count)
    }

    /// No bytes, at offset 0.
    @inlinable public static var empty: ByteRange { ByteRange(start: 0, count: 0) }
    /// The range has no bytes.
    @inlinable public var isEmpty: Bool { count == 0 }
    /// Offset of the first byte.
    @inlinable public var lowerBound: Int { Int(start) }
    /// Offset after the last byte.
    @inlinable public var upperBound: Int { Int(start) + Int(count) }
    /// The same as a range of offsets.
    @inlinable public var range: Range<Int> { Int(start)..<(Int(start) + Int(count)) }
}

/// A queue of bytes: appended at one end, consumed at the other, owned by one holder.
///
/// An empty buffer owns no memory until the first append; `release()` gives the memory back. The capacity doubles when it is
/// exceeded, so appending is amortised O(1). A buffer does not bound itself: the holder must (it reads only what it has
/// credit for). Beyond 4 GiB it traps.
public struct ByteBuffer: ~Copyable {
    @usableFromInline var base: UnsafeMutablePointer<UInt8>?
    // 32 bits each: every connection has two of these, and 24 bytes do.
    @usableFromInline var allocation: UInt32
    @usableFromInline var start: UInt32
    @usableFromInline var end: UInt32

    /// An empty buffer without memory.
    @inlinable
    public init() {
        base = nil
        allocation = 0
        start = 0
        end = 0
    }

    @inlinable var capacity: Int {
        get { Int(allocation) }
        set { allocation = UInt32(newValue) }
    }
    @inlinable var head: Int {
        get { Int(start) }
        set { start = UInt32(truncatingIfNeeded: newValue) }
    }
    @inlinable var tail: Int {
        get { Int(end) }
        set { end = UInt32(truncatingIfNeeded: newValue) }
    }

    /// An empty buffer with memory for at least `capacity` bytes; 256 at least, unless it is 0.
    @inlinable
    public init(capacity: Int) {
        self.init()
        reserve(capacity)
    }

    @inlinable
    deinit { base?.deallocate() }

    /// Bytes appended and not yet consumed.
    @inlinable public var count: Int { tail - head }
    /// No bytes are left to consume.
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

    /// The free memory after the last byte, at least what was reserved. `commit` appends what was written there.
    @inlinable
    public var space: MutableSpan<UInt8> {
        @_lifetime(&self)
        mutating get {
            let buffer = UnsafeMutableBufferPointer(start: base.map { $0 + tail }, count: capacity - tail)
            return _overrideLifetime(buffer.mutableSpan, mutating: &self)
        }
    }

    /// The first `count` bytes of `space`, or all of it if it is smaller.
    @inlinable
    @_lifetime(&self)
    public mutating func space(atMost count: Int) -> MutableSpan<UInt8> {
        let space = max(0, min(count, capacity - tail))
        let buffer = UnsafeMutableBufferPointer(start: base.map { $0 + tail }, count: space)
        return _overrideLifetime(buffer.mutableSpan, mutating: &self)
    }

    /// Sees to it that `space` has at least `count` bytes; may move the bytes.
    @inlinable
    public mutating func reserve(_ count: Int) {
        if capacity - tail < count { grow(count) }
    }

    /// Gives a buffer without memory exactly `count` bytes of it: for bytes that are kept long and never grow. On a buffer
    /// with memory it is `reserve`.
    public mutating func reserve(exactly count: Int) {
        guard capacity == 0, count > 0 else { return reserve(count) }
        base = .allocate(capacity: count)
        capacity = count
    }

    @usableFromInline
    mutating func grow(_ count: Int) {
        let used = tail - head
        // The bytes move to the front only if a quarter as many were consumed since the last move, which keeps moving
        // amortised O(1). A buffer that is nearly full grows instead.
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

    /// Appends the first `count` bytes of `space`, which the caller has written. Traps if `space` is smaller.
    @inlinable
    public mutating func commit(_ count: Int) {
        precondition(count >= 0 && count <= capacity - tail, "more bytes committed than there was space for")
        tail += count
    }

    /// Drops the oldest `count` bytes. Traps if there are fewer.
    @inlinable
    public mutating func consume(_ count: Int) {
        precondition(count >= 0 && count <= tail - head, "more bytes consumed than there were")
        head += count
        if head == tail {
            head = 0
            tail = 0
        }
    }

    /// Drops the newest bytes until `count` are left. Traps if there are fewer.
    @inlinable
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= tail - head, "a truncation cannot lengthen")
        tail = head + count
    }

    /// Drops all bytes and keeps the memory.
    @inlinable
    public mutating func clear() {
        head = 0
        tail = 0
    }

    /// Drops all bytes and frees the memory.
    @inlinable
    public mutating func release() {
        base?.deallocate()
        base = nil
        capacity = 0
        head = 0
        tail = 0
    }

    /// Appends one byte.
    @inlinable
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        base?[tail] = byte
        tail += 1
    }

    /// Appends a copy of `bytes`.
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

    /// Appends a part of another buffer's unconsumed bytes, by offsets from its oldest. Traps if they are not all there.
    @inlinable
    public mutating func append(_ other: borrowing ByteBuffer, _ range: Range<Int>) {
        append(other.span.extracting(range))
    }

    /// Appends a part of another buffer's unconsumed bytes, as above.
    @inlinable
    public mutating func append(_ other: borrowing ByteBuffer, _ range: ByteRange) {
        append(other.span.extracting(range.range))
    }

    /// Appends a copy of `bytes`.
    @inlinable
    public mutating func append(_ bytes: [UInt8]) {
        append(bytes.span)
    }

    /// Appends ASCII text known at compile time. No String is made: inlined, it is a few stores of constants.
    @inlinable
    @inline(__always)
    public mutating func append(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        reserve(count)
        guard let base else { return }
        (base + tail).update(from: text.utf8Start, count: count)
        tail += count
    }

    /// Appends a string's UTF-8, byte by byte: not for the data plane, which has spans and static text. Disfavoured, so that
    /// a literal is a `StaticString`.
    @_disfavoredOverload
    @inlinable
    public mutating func append(_ text: String) {
        for byte in text.utf8 { append(byte) }
    }

    /// Appends an IPv4 address as "192.0.2.1"; its first octet is the highest.
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
