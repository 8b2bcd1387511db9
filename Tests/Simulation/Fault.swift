import Glibc

/// A call of the worker that can fail.
package enum Operation: Hashable, Sendable, CaseIterable {
    case watch, accept, dial, connectionError, receive, send, takeLeftover
}

/// Fails the n-th call that can fail, once or from then on. A loop over n = 1, 2, 3 ... until a run ends without
/// `wasReached` has failed every call there is.
struct Fault {
    private let number: Int
    private let forever: Bool
    private let operations: Set<Operation>
    private(set) var counted = 0
    private(set) var wasReached = false

    /// Number 0 fails nothing and only counts.
    init(number: Int = 0, forever: Bool = false, operations: Set<Operation> = Set(Operation.allCases)) {
        self.number = number
        self.forever = forever
        self.operations = operations
    }

    /// Counts one call; true if it is to fail.
    mutating func strikes(_ operation: Operation) -> Bool {
        guard operations.contains(operation) else { return false }
        counted += 1
        guard number > 0, counted == number || (forever && counted > number) else { return false }
        wasReached = true
        return true
    }
}
