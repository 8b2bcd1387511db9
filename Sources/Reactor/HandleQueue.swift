/// Handles in the order in which they came. Not bounded by itself: whoever queues sees to it that nobody is in it twice.
public struct HandleQueue {
    @usableFromInline var handles: [Handle] = []
    /// Those before it have been served.
    @usableFromInline var first = 0

    public init() {}

    @inlinable public var isEmpty: Bool { first == handles.count }
    public var count: Int { handles.count - first }

    public mutating func append(_ handle: Handle) { handles.append(handle) }

    public mutating func popFirst() -> Handle? {
        guard first < handles.count else { return nil }
        defer { settle() }
        first += 1
        return handles[first - 1]
    }

    /// Moves what is left to the front when that costs no more than what was served.
    private mutating func settle() {
        if first == handles.count {
            handles.removeAll(keepingCapacity: handles.capacity <= 4_096)
            first = 0
        } else if first >= 1_024, first >= handles.count / 2 {
            handles.removeFirst(first)
            first = 0
        }
    }
}
