/// Elements in order, at most as many as it has memory for, which it allocates once. An array asks at each write whether it
/// is shared, and an `InlineArray` is copied to the stack for every element read (Swift 6.3).
public struct FixedTable<Element: BitwiseCopyable>: ~Copyable {
    @usableFromInline let base: UnsafeMutablePointer<Element>
    /// The most elements.
    public let limit: Int
    @usableFromInline var used = 0

    /// An empty table of at most `limit` elements.
    public init(limit: Int) {
        base = .allocate(capacity: limit)
        self.limit = limit
    }

    deinit { base.deallocate() }

    /// The number of elements.
    @inlinable public var count: Int { used }

    /// The element at `index`, which is below `count`. Traps if it is not.
    @inlinable
    public subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < used, "there is no such element")
            return base[index]
        }
        set {
            precondition(index >= 0 && index < used, "there is no such element")
            base[index] = newValue
        }
    }

    /// Appends an element. Traps if there are as many as the limit allows.
    @inlinable
    public mutating func append(_ element: Element) {
        precondition(used < limit, "the table is full")
        base[used] = element
        used &+= 1
    }

    /// Removes all elements and keeps the memory.
    @inlinable
    public mutating func removeAll() { used = 0 }
}
