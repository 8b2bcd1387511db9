public import Kernel
import Synchronization

/// Messages from other threads to one worker. Posting takes a lock and wakes the worker, which collects once a turn, so
/// nothing on the request path ever waits here.
///
/// Bounded: a full mailbox refuses a message, and the sender decides what that means.
public final class Mailbox<Message: Sendable>: Sendable {
    private let messages = Mutex<[Message]>([])
    private let wake: Wake
    private let limit: Int

    /// An empty mailbox for at most `limit` messages. Throws if it gets no descriptor for an eventfd.
    public init(limit: Int) throws(SystemError) {
        wake = try Wake()
        self.limit = limit
    }

    /// Becomes readable with every `post`: what the worker watches, and need not read.
    public var descriptor: Descriptor { wake.descriptor }

    /// Adds a message and wakes the worker. False, and the message dropped, if the mailbox is full; the worker is woken all
    /// the same. Any thread may call it.
    @discardableResult
    public func post(_ message: Message) -> Bool {
        let accepted = messages.withLock { messages in
            guard messages.count < limit else { return false }
            messages.append(message)
            return true
        }
        wake.ring()
        return accepted
    }

    /// The same for a message that must not be lost, such as the order to stop: taken however full the mailbox is. For what is
    /// sent a few times in the life of a process.
    public func postAlways(_ message: Message) {
        messages.withLock { $0.append(message) }
        wake.ring()
    }

    /// Takes all messages, oldest first.
    public func collect() -> [Message] {
        messages.withLock { messages in
            defer { messages = [] }
            return messages
        }
    }
}
