import Reactor

/// The field lines of one head in order. It allocates its room once, when it is made, and never again: keep the head
/// it belongs to.
package struct FieldTable: ~Copyable {
    package static var capacity: Int { 128 }

    /// Not an `InlineArray`: Swift 6.3 copies all 3.5 KiB of one to the stack for every element read.
    @usableFromInline var storage: [Field]
    package private(set) var count = 0

    package init() {
        storage = Array(repeating: .blank, count: Self.capacity)
    }

    /// The field line at `index`, which is below `count`.
    @inlinable
    package subscript(index: Int) -> Field {
        get { storage[index] }
        set { storage[index] = newValue }
    }

    /// Adds a line. There must be room: `count` is below `capacity`.
    package mutating func append(_ field: Field) {
        storage[count] = field
        count += 1
    }

    package mutating func removeAll() {
        count = 0
    }
}
