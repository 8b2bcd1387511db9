import Synchronization

/// A Boolean that another thread sets.
final class Flag: Sendable {
    private let result = Mutex<Bool?>(nil)

    var isRaised: Bool { result.withLock { $0 != nil } }
    var value: Bool { result.withLock { $0 ?? false } }

    func raise(_ value: Bool) { result.withLock { $0 = value } }
}
