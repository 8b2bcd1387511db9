/// How the recoveries of all sessions of failed servers went, with `on_lost = "always"`.
package struct StormResult: Equatable, Sendable, Codable {
    /// What failed.
    package var scenario = ""
    /// Share of the sessions with an open event stream.
    package var streamShare = 0.0
    /// What a server needs to open a session.
    package var openSeconds = 0.0
    /// Sessions whose server is gone, and which could be recovered.
    package var sessions = 0
    /// Of these, the ones that were.
    package var recovered = 0
    /// Requests to open a session that reached the rest in the busiest second.
    package var peakPerSecond = 0
    /// The same of one Berth in the mean.
    package var peakPerBerth = 0.0
    /// The same of the server that got most, in its busiest second.
    package var peakPerServer = 0
    /// Most connections from one Berth to one server at a time; `pool.max` bounds them.
    package var mostConnections = 0
    /// Seconds from the failure until 99 of 100 sessions were recovered; 0: that was never so.
    package var secondsTo99 = 0.0
    /// The longest that a recovery took.
    package var longestSeconds = 0.0
    /// Recoveries that took too long: 503, and the client comes again.
    package var timedOut = 0
    /// Requests for which all servers had as many connections as they may: 503 as well.
    package var refused = 0
}
