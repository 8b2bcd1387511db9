import Synchronization

/// A Boolean that another thread sets.
final class Flag: Sendable {
    private let result = Mutex<Bool?>(nil)

    var isRaised: Bool { result.withLock { $0 != nil } }
    var value: Bool { result.withLock { $0 ?? false } }

    func raise(_ value: Bool) { result.withLock { $0 = value } }
}

/// A number that several threads add to.
final class SharedCount: Sendable {
    private let number = Atomic(0)
    var value: Int { number.load(ordering: .acquiring) }
    func add(_ delta: Int = 1) { number.add(delta, ordering: .acquiringAndReleasing) }
}

/// Texts of what went wrong, from several threads; the first hundred.
final class Problems: Sendable {
    private let all = Mutex<[String]>([])
    var texts: [String] { all.withLock { $0 } }
    func add(_ text: String) { all.withLock { if $0.count < 100 { $0.append(text) } } }
}
