import Reactor

/// The field lines of one head, in order. It allocates its storage once, in `init`, so the head that owns it should be
/// used again.
package struct FieldTable: ~Copyable {
    /// The most field lines of a head.
    package static var capacity: Int { 128 }

    /// Not an `InlineArray`: Swift 6.3 copies all of its 3.5 KiB to the stack for every element read.
    @usableFromInline var storage: [Field]
    /// The number of lines.
    package private(set) var count = 0

    /// An empty table of `capacity` lines.
    package init() {
        storage = Array(repeating: .blank, count: Self.capacity)
    }

    /// The field line at `index`, which is below `count`.
    @inlinable
    package subscript(index: Int) -> Field {
        get { storage[index] }
        set { storage[index] = newValue }
    }

    /// Appends a line. `count` must be below `capacity`.
    package mutating func append(_ field: Field) {
        storage[count] = field
        count += 1
    }

    /// Marks the line that was appended last as one that is not forwarded. There must be one.
    mutating func dropLast() {
        storage[count - 1].isHopByHop = true
    }

    /// Replaces the value of the line that was appended last. There must be one.
    mutating func shortenLast(to value: ByteRange) {
        storage[count - 1].value = value
    }

    /// Removes all lines and keeps the storage.
    package mutating func removeAll() {
        count = 0
    }
}
