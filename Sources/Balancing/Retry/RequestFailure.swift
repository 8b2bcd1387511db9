/// Why a request did not get its response: what a retry is decided by.
package enum RequestFailure: Equatable, Sendable {
    /// No connection could be opened, so nothing was sent.
    case connectFailed(ConnectFailure)
    /// The connection ended before the response's head. `isReused`: it had carried a whole exchange before.
    /// `hasReceived`: some byte of a response came, informational ones included.
    case connectionLost(isReused: Bool, hasReceived: Bool, RequestReceipt)
    /// The server answered that it does not take the request, and has not carried it out.
    case turnedAway
}

/// Why a connection could not be opened.
package enum ConnectFailure: Equatable, Sendable {
    /// This machine lacks something: descriptors, memory, local ports. No server can do anything about it.
    case ownFault
    /// Nobody listens there now. It costs no time, so it does not count as an attempt.
    case refused
    /// Nobody has listened there for long enough, and no connection to it is open: the process is gone. No attempt either.
    case dead
    /// Timed out, unreachable, reset, or its TLS failed.
    case other
}

/// What the kernel tells about a request whose connection was lost.
package enum RequestReceipt: Equatable, Sendable {
    /// The server cannot have read it: a send was refused before any byte was taken, the bytes were answered with a
    /// reset (EPIPE), or were never acknowledged.
    case cannotHaveBeenRead
    case mayHaveBeenRead
}

/// What a retry depends on in a request.
package struct RetryableRequest: Equatable, Sendable {
    /// Doing it twice is doing it once: its HTTP method is safe (RFC 9110 section 9.2.1), its MCP method is idempotent, or
    /// it calls a tool that was declared so.
    package var isRepeatable: Bool
    /// All of it is held, so that it can be sent again.
    package var isWhole: Bool
    /// Only one server can do it: that of its session.
    package var isPinned: Bool

    /// What is known of a request when it fails.
    package init(isRepeatable: Bool, isWhole: Bool, isPinned: Bool) {
        self.isRepeatable = isRepeatable
        self.isWhole = isWhole
        self.isPinned = isPinned
    }
}
