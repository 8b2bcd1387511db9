/// What is counted per worker and server. Gauges first, then totals since the start.
package enum ServerMetric: Int, CaseIterable, Sendable {
    /// Connections kept for reuse.
    case parked
    /// Connections that carry a call, or are being opened for one.
    case active
    /// Connections that carry an event stream.
    case streaming
    /// Exchanges in the queue for this server or, unpinned, counted at the server they were first meant for.
    case waiting
    case requests
    case connectionsOpened
    case connectFailures
    /// Requests sent again because a reused connection turned out closed.
    case replays
    /// Sessions that began and sessions that were seen to end, through this worker.
    case sessionsOpened, sessionsEnded
    /// Responses of the proxy's own: 404 for sessions that are gone, 502, 503, 504.
    case sessionsNotFound, badGateway, unavailable, timedOut

    static var count: Int { timedOut.rawValue + 1 }
}

/// Numbers that all workers share about one server, changed by read-modify-write: the cold ones.
package enum SharedMetric: Int, CaseIterable, Sendable {
    /// Connections open for calls, all workers together: what `pool.max` bounds.
    case connections
    /// Connections that carry event streams: what `pool.max_streams` bounds.
    case streams
    /// A packed `HealthTracker`.
    case health
    /// Unix seconds when a connection to it was last refused: ids signed before that are of sessions that are gone. 0: never.
    case lastRefused

    static var count: Int { lastRefused.rawValue + 1 }
}

/// What clients did that cost too much, but for the last on HTTP/2 connections. The first twelve ended the connection.
package enum AbuseCounter: Int, CaseIterable, Sendable {
    case resets, refusals, pings, settings, emptyData, priorities, windowUpdates, continuations, ignoredFrames
    case headerLists, headText, queuedFrames
    /// Connections ended for what is no HTTP/2 or cannot be decoded.
    case brokenConnections
    /// Streams given up because the client did not open their windows.
    case stalledStreams
    /// Streams refused because too many were open, or too many bytes of their heads under way.
    case refusedStreams
    /// Requests answered 431, and malformed ones.
    case largeHeads, malformedRequests
    /// TLS connections that ended before their handshake did.
    case failedHandshakes

    static var count: Int { failedHandshakes.rawValue + 1 }
}

/// Why a connection was refused where a PROXY header was to come.
package enum ProxyRefusal: Int, CaseIterable, Sendable {
    /// It came from an address that is not trusted to say who a client is.
    case untrusted
    /// It began with something else, or with a header that makes no sense.
    case malformed
    /// Its header did not come in time.
    case proxyHeaderTimedOut

    static var count: Int { proxyHeaderTimedOut.rawValue + 1 }
}

/// How many exchanges began in a worker, and how they ended. Every exchange that began ends in exactly one way.
package enum ExchangeMetric: Int, CaseIterable, Sendable {
    case began
    /// The server's response was forwarded whole.
    case responded
    /// The proxy answered in the server's place.
    case rejected
    /// The proxy ended an event stream.
    case streamsEnded
    /// The response broke off after its head had gone to the client.
    case responsesAborted
    /// The request's body failed under a response that had begun.
    case requestsAborted
    case clientsDisconnected
    /// The kept request could not be read again.
    case inconsistent
    /// Body bytes from clients and to clients.
    case requestBytes, responseBytes

    static var count: Int { responseBytes.rawValue + 1 }
}
