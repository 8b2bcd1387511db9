import Reactor

/// What reaches a worker from other threads, and how it reaches them.
struct Inbox {
    let mailbox: Mailbox<WorkerMessage>?
    /// The other workers' mailboxes, in the order of their indices.
    let peers: [Mailbox<WorkerMessage>]
}
