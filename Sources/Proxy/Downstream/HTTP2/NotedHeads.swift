import HTTP
import Reactor

/// The heads of streams' requests that are to be read in this turn, whose lines the session has noted. A request is read when
/// its body is likely to be there, at the end of the turn; a head that is forgotten before is parsed from its text.
struct NotedHeads {
    private var heads: [(client: Handle, head: HTTP2RequestHead)] = []
    /// Those before it were taken.
    private var next = 0

    /// The most that are kept. Bounds the search, too.
    private static var limit: Int { 256 }

    /// Keeps the head that a client will read.
    mutating func append(_ head: HTTP2RequestHead, of client: Handle) {
        guard !head.lines.isEmpty, heads.count < Self.limit else { return }
        heads.append((client, head))
    }

    /// The head of a client, once. Clients usually read in the order of their heads.
    mutating func take(_ client: Handle) -> HTTP2RequestHead? {
        for index in next..<heads.count where heads[index].client == client {
            if index == next { next += 1 } else { heads[index].client = .none }
            return heads[index].head
        }
        return nil
    }

    /// Forgets all, at the end of a turn.
    mutating func removeAll() {
        guard !heads.isEmpty else { return }
        heads.removeAll(keepingCapacity: true)
        next = 0
    }
}
