/// A first-in, first-out queue of handles. It does not bound itself: its user appends a handle only if it is not in the
/// queue, so the slab's limit is the bound.
public struct HandleQueue {
    @usableFromInline var handles: [Handle] = []
    /// Index of the next one to serve.
    @usableFromInline var first = 0

    /// An empty queue.
    public init() {}

    /// Nobody is waiting.
    @inlinable public var isEmpty: Bool { first == handles.count }
    /// Handles that wait.
    public var count: Int { handles.count - first }

    /// Puts a handle at the end.
    public mutating func append(_ handle: Handle) { handles.append(handle) }

    /// Takes the handle that has waited longest; nil if the queue is empty.
    public mutating func popFirst() -> Handle? {
        guard first < handles.count else { return nil }
        defer { settle() }
        first += 1
        return handles[first - 1]
    }

    /// Moves what is left to the front once at least as many were served as are left, which keeps `popFirst` amortised
    /// O(1); frees the memory of a long queue when it is empty.
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
