import Kernel
import Reactor
import Telemetry

/// What one worker has of sessions: whose they are, what it knows of them beside that, and the recoveries it has begun.
struct Sessions {
    var affinity: SessionAffinity
    /// What all workers know of sessions; nil: nothing is recorded, and nothing recovered.
    private(set) var table: SessionTable?
    /// `table` is there. Asked for every request, without a reference count.
    private(set) var isRecording: Bool
    var known = KnownSessions()
    /// The session whose request was resolved last.
    var latest: (exchange: Handle, key: SessionKey) = (.none, .none)
    var recoveries = Recoveries()
    /// Responses that are read for what they say of a session, by the exchange's slot.
    var captures: [UInt32: ResponseCapture] = [:]
    /// Exchanges that have to do with a store in which sessions are shared.
    var shared = SharedSessions()
    /// When idle sessions are looked for next.
    var nextSweep = Instant(nanoseconds: 0)

    init(_ snapshot: Snapshot, _ metrics: MetricsWriter) {
        affinity = SessionAffinity(snapshot, metrics)
        table = snapshot.sessionTable
        isRecording = table != nil
        shared.isUsed = snapshot.sharesSessions
    }

    /// Takes the keys and the rules of a snapshot over.
    mutating func adopt(_ snapshot: Snapshot, _ metrics: MetricsWriter) {
        affinity = SessionAffinity(snapshot, metrics)
        table = snapshot.sessionTable
        isRecording = table != nil
        shared.isUsed = snapshot.sharesSessions
        known = KnownSessions()
    }
}

/// A response on its way to a client, as far as it says something about a session.
struct ResponseCapture {
    /// What is looked for.
    enum Purpose { case initializeResult, serverRequests }

    let key: SessionKey
    let purpose: Purpose
    let isEventStream: Bool
    var bytes: [UInt8] = []
    /// Times that it was looked at: a server that sends byte by byte is not followed for ever.
    var looks = 0
    /// What all Berths have for the session; `none` if its record is not shared.
    var common = SessionKey.none

    /// Longer ones are not read to their end.
    static var maximumBytes: Int { 32_768 }
    static var maximumLooks: Int { 64 }
}
