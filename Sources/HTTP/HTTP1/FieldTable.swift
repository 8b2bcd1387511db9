package import Reactor

/// Field lines, in order. It allocates its memory once, in `init`, so what owns it should be used again.
package struct FieldTable: ~Copyable {
    /// The most field lines of a head.
    package static var capacity: Int { 128 }

    @usableFromInline var lines: FixedTable<Field>

    /// An empty table of at most `limit` lines.
    package init(limit: Int = FieldTable.capacity) { lines = FixedTable(limit: limit) }

    /// The number of lines.
    @inlinable package var count: Int { lines.count }
    /// Whether there are no lines.
    @inlinable package var isEmpty: Bool { lines.count == 0 }
    /// Whether no more lines may be appended.
    @inlinable package var isFull: Bool { lines.count == lines.limit }

    /// The field line at `index`, which is below `count`.
    @inlinable
    package subscript(index: Int) -> Field {
        get { lines[index] }
        set { lines[index] = newValue }
    }

    /// Appends a line. The table must not be full.
    @inlinable
    package mutating func append(_ field: Field) { lines.append(field) }

    /// Marks the line that was appended last as one that is not forwarded. There must be one.
    mutating func dropLast() {
        lines[count - 1].isHopByHop = true
    }

    /// Replaces the value of the line that was appended last. There must be one.
    mutating func shortenLast(to value: ByteRange) {
        lines[count - 1].value = value
    }

    /// Removes all lines and keeps the memory.
    @inlinable
    package mutating func removeAll() { lines.removeAll() }
}
