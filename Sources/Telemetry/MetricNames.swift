/// Metrics per worker and server. The first four are gauges, the others counters since the start.
package enum ServerMetric: Int, CaseIterable, Sendable {
    /// Idle connections kept for reuse.
    case parked
    /// Connections that carry a request, or are being opened for one.
    case active
    /// Connections that carry an event stream.
    case streaming
    /// Exchanges in the queue for this server. One that may go to any server is counted at the server it was first
    /// selected for.
    case waiting
    /// Requests forwarded.
    case requests
    /// Connections established.
    case connectionsOpened
    /// Connections that were not established.
    case connectFailures
    /// Requests sent again because their connection was lost, counted at the server that lost it.
    case replays
    /// Requests sent again for any reason, counted at the server that failed; and retries that the budget did not grant.
    case retries, retriesRefused
    /// Sessions begun and ended through this worker.
    case sessionsOpened, sessionsEnded
    /// Error responses of the proxy: 404 for unknown sessions, 502, 503, 504.
    case sessionsNotFound, badGateway, unavailable, timedOut
    /// Error responses of the proxy that were sent with status 200 (`legacy_errors`); they are also counted as what they are.
    case inBandErrors
    /// Ejections by outlier detection.
    case ejections

    static var count: Int { ejections.rawValue + 1 }

    /// It only grows, and another process may go on where this one ends.
    package var isCounter: Bool {
        switch self {
        case .parked, .active, .streaming, .waiting: false
        default: true
        }
    }
}

/// Metrics per server that all workers share. They are changed by atomic read-modify-write operations, and seldom.
package enum SharedMetric: Int, CaseIterable, Sendable {
    /// Connections for requests, over all workers; limited by `pool.max`.
    case connections
    /// Connections that carry event streams, over all workers; limited by `pool.max_streams`.
    case streams
    /// A packed `HealthTracker`.
    case health
    /// Connections that were established and not closed yet, those of health checks aside: as long as there is one, the
    /// process lives.
    case established
    /// Requests in progress, those that are answered by event streams included; counted only where
    /// `circuit_breaker.max_calls` limits them.
    case calls
    /// Sessions that the server is believed to hold now.
    case sessions
    /// A packed `OutlierDetector`.
    case outlier
    /// When the server came back, or appeared while others worked, in monotonic nanoseconds; 0: it did not.
    case returnedAt
    /// The raw value of the `ProtocolRevisions` that the server speaks; 0: not known.
    case revisions
    /// Stands for the tools that the server lists; 0: not known.
    case catalog
    /// When the last health check ended, in monotonic nanoseconds; 0: none did.
    case checkedAt
    /// A packed `HealthProblem`: why the last health check failed, or a connection that counts like one; 0: it passed.
    case problem
    /// When that was, in monotonic nanoseconds.
    case problemAt

    static var count: Int { problemAt.rawValue + 1 }
}

/// Numbers of each worker that belong to no server.
package enum WorkerMetric: Int, CaseIterable, Sendable {
    /// Client connections that were accepted, and TLS handshakes with clients that were completed.
    case acceptedClients, handshakes
    /// How long the last message that asked for it waited, in nanoseconds; a gauge.
    case loopLag

    static var count: Int { loopLag.rawValue + 1 }
}

/// Counters of expensive or invalid behaviour of clients, over all workers. All but the last are of HTTP/2 connections;
/// the first thirteen are excesses that closed the connection.
package enum AbuseCounter: Int, CaseIterable, Sendable {
    case resets, refusals, pings, settings, emptyData, priorities, windowUpdates, continuations, ignoredFrames
    case headerLists, headText, queuedFrames, slowHeads
    /// Connections closed because of protocol errors.
    case brokenConnections
    /// Streams reset because the client did not open their windows in time.
    case stalledStreams
    /// Streams refused because too many were open, or their heads had too many bytes.
    case refusedStreams
    /// Requests answered 431, and malformed ones.
    case largeHeads, malformedRequests
    /// TLS connections that ended before their handshake was complete.
    case failedHandshakes

    static var count: Int { failedHandshakes.rawValue + 1 }
}

/// Why a connection was rejected by the PROXY protocol.
package enum ProxyRefusal: Int, CaseIterable, Sendable {
    /// Its address is not one of the trusted proxies.
    case untrusted
    /// It did not begin with a valid PROXY header.
    case malformed
    /// Its PROXY header was not received in time.
    case proxyHeaderTimedOut

    static var count: Int { proxyHeaderTimedOut.rawValue + 1 }
}

/// Why a connection was closed as soon as it was accepted.
package enum ConnectionRefusal: Int, CaseIterable, Sendable {
    /// There are as many as may be.
    case maxConnections
    /// Its address has as many as it may.
    case maxConnectionsPerAddress
    /// Its address opens connections too fast.
    case connectionOpens
    /// The process has too little memory left.
    case memory

    static var count: Int { memory.rawValue + 1 }
}

/// Counters of sessions whose server was lost, over all workers: one for each request whose session was, unless it waited
/// for the recovery that another one had begun.
package enum RecoveryCounter: Int, CaseIterable, Sendable {
    /// Sessions opened anew on another server, and those of them whose log level or subscriptions could not be.
    case recovered, degraded
    /// Sessions that stayed lost: recovery is off, it is not known how they were opened, they may hold state, they were
    /// recovered too often, too many requests waited.
    case off, unknown, dirty, budget, crowded
    /// Recoveries that failed: there was no server, it opened no session, it is not the same as before, it took too long.
    case noServer, refused, differs, timedOut
    /// Messages for a server that is gone, which were accepted and dropped.
    case swallowed
    /// Sessions that were ended at their server because nobody could use them any more.
    case abandoned

    static var count: Int { abandoned.rawValue + 1 }
}

/// Counters of exchanges per worker: how many began, and how they ended. Every exchange ends in exactly one way.
package enum ExchangeMetric: Int, CaseIterable, Sendable {
    /// Exchanges begun.
    case began
    /// The server's response was forwarded completely.
    case responded
    /// The proxy sent an error response of its own.
    case rejected
    /// The proxy ended an event stream.
    case streamsEnded
    /// The server died within an event stream, which the proxy ended with an error event.
    case streamsFailed
    /// The response ended early, after its head had been sent to the client.
    case responsesAborted
    /// The request's body failed after the response had begun.
    case requestsAborted
    /// The client disconnected.
    case clientsDisconnected
    /// The request that was kept for a retry could not be read again.
    case inconsistent
    /// Bytes of bodies received from clients, and sent to clients.
    case requestBytes, responseBytes

    static var count: Int { responseBytes.rawValue + 1 }
}
