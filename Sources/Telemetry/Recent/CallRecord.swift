package import MCP

/// What is kept of a call that is over, for people who look at single ones.
package struct CallRecord: BitwiseCopyable, Sendable {
    /// Counts all calls; names one in what is shown.
    package var number: UInt64 = 0
    /// When it began, in nanoseconds since 1970, and how long it took.
    package var startedAt: UInt64 = 0
    /// In nanoseconds.
    package var duration: UInt64 = 0
    /// Its session; 0: none.
    package var session: UInt64 = 0
    /// When it reached its phases.
    package var offsets = CallEvent.Offsets()
    /// The code of its JSON-RPC error; 0: none.
    package var errorCode: Int32 = 0
    /// The slot of its server; -1: none.
    package var server: Int32 = -1
    /// The status that the client got.
    package var status: UInt16 = 0
    /// The slot of its upstream.
    package var upstream = UInt16.max
    /// What was asked for.
    package var method = MCPMethod.other
    /// What came of it.
    package var outcome = CallEvent.Outcome.success
    /// Why Berth answered itself; `UInt8.max`: it did not.
    package var reason = UInt8.max
    /// Attempts that failed before.
    package var retries: UInt8 = 0
    /// Its session was opened anew for it.
    package var isRecovered = false
    /// The tool, the prompt or the resource.
    package var name = CallName()

    /// No call.
    init() {}

    init(_ event: borrowing CallEvent, number: UInt64) {
        self.number = number
        startedAt = event.startedAt
        duration = event.duration
        session = event.session
        offsets = event.offsets
        errorCode = event.errorCode
        server = event.server
        status = event.status
        upstream = event.upstream
        method = event.method
        outcome = event.outcome
        reason = event.reason
        retries = event.retries
        isRecovered = event.flags.contains(.recovered)
        name = event.name
    }
}

/// The last calls of some kind: a new one takes the place of the oldest.
struct CallHistory: Sendable {
    private var records: [CallRecord] = []
    private var next = 0
    private let limit: Int

    init(limit: Int) { self.limit = max(1, limit) }

    mutating func add(_ record: CallRecord) {
        if records.count < limit { records.append(record) } else { records[next] = record }
        next = (next + 1) % limit
    }

    mutating func removeAll() {
        records.removeAll(keepingCapacity: true)
        next = 0
    }

    var newest: CallRecord? {
        records.isEmpty ? nil : records[(next + limit - 1) % limit]
    }

    /// Newest first.
    var newestFirst: [CallRecord] {
        let start = records.count < limit ? 0 : next
        return (0..<records.count).reversed().map { records[(start + $0) % records.count] }
    }
}
