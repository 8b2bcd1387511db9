public import Kernel
import Synchronization

/// Letters from other threads to one worker. Posting takes a lock and rings; the worker collects once a turn, so
/// nothing on the request path ever waits here.
///
/// Bounded: a full mailbox refuses, and the sender decides what that means.
public final class Mailbox<Letter: Sendable>: Sendable {
    private let letters = Mutex<[Letter]>([])
    private let wake: Wake
    private let limit: Int

    public init(limit: Int) throws(SystemError) {
        wake = try Wake()
        self.limit = limit
    }

    /// What the worker watches.
    public var descriptor: Descriptor { wake.descriptor }

    /// False if the mailbox is full.
    @discardableResult
    public func post(_ letter: Letter) -> Bool {
        let accepted = letters.withLock { letters in
            guard letters.count < limit else { return false }
            letters.append(letter)
            return true
        }
        wake.ring()
        return accepted
    }

    /// All letters so far, oldest first.
    public func collect() -> [Letter] {
        letters.withLock { letters in
            defer { letters = [] }
            return letters
        }
    }
}
