package import MCP

/// One series of the metrics of calls, as it is read.
package struct CallSeries: Sendable, Equatable {
    /// What is measured.
    package enum Kind: Sendable {
        /// Calls, as their clients see them.
        case operation
        /// Calls, from when they had a connection to their server.
        case leg
        /// Sessions, from their beginning to their end.
        case session
    }

    /// The tool or the prompt of the calls.
    package enum Name: Hashable, Sendable {
        case none
        /// One that has no series of its own: nobody knows it, or there are too many.
        case other
        case tool(String)
        case prompt(String)
    }

    /// What went wrong.
    package enum Failure: Hashable, Sendable {
        case none, toolError, timeout, cancelled, aborted, other
        /// The code of a JSON-RPC error.
        case rpc(Int32)
        /// The status of a server's answer.
        case status(Int32)
        /// The number of the reason of Berth's own answer.
        case rejection(UInt8)
    }

    /// What stands in place of names and errors that have no series of their own (OpenTelemetry).
    package static var otherName: String { "_OTHER" }

    /// Tells this series from all others of this process; the same at each reading. 0: it is one of another process.
    package let number: UInt64
    /// What is measured.
    package let kind: Kind
    /// The slot of the upstream; nil if there was none.
    package let upstream: Int?
    /// The slot of the server; nil if there was none, or it is not told.
    package let server: Int?
    /// What was called.
    package let method: MCPMethod
    /// The tool or the prompt.
    package let name: Name
    /// What went wrong.
    package let failure: Failure
    /// The revision that the request named; empty: none.
    package let revision: ProtocolRevisions
    /// How long it took.
    package var histogram: CallHistogram

    /// A series of another process. Slots are those that this one has for the same upstream and server.
    package init(
        _ kind: Kind, upstream: Int?, server: Int?, method: MCPMethod, name: Name, failure: Failure,
        revision: ProtocolRevisions, _ histogram: CallHistogram
    ) {
        number = 0
        self.kind = kind
        self.upstream = upstream
        self.server = server
        self.method = method
        self.name = name
        self.failure = failure
        self.revision = revision
        self.histogram = histogram
    }
}

extension CallSeries {
    init(
        _ key: CallSeriesKey, _ histogram: CallHistogram, _ names: borrowing LabelNames, rpcCodes: BoundedCodes,
        statuses: BoundedCodes
    ) {
        number = key.bits
        switch key.kind {
        case .operation: kind = .operation
        case .leg: kind = .leg
        case .session: kind = .session
        }
        upstream = key.upstream == .max ? nil : Int(key.upstream)
        server = key.kind != .leg || key.server == .max ? nil : Int(key.server)
        method = key.method
        switch key.name {
        case .none: name = .none
        case .other: name = .other
        default:
            let text = names.text(key.name)
            name = text.map { key.method == .promptsGet ? .prompt($0) : .tool($0) } ?? .other
        }
        switch key.error {
        case .none: failure = .none
        case .toolError: failure = .toolError
        case .timeout: failure = .timeout
        case .cancelled: failure = .cancelled
        case .aborted: failure = .aborted
        default:
            switch key.error.raw {
            case 32..<64: failure = .rpc(rpcCodes[Int(key.error.raw) - 32])
            case 64..<96: failure = .status(statuses[Int(key.error.raw) - 64])
            case 128...: failure = .rejection(key.error.raw - 128)
            default: failure = .other
            }
        }
        revision = ProtocolRevisions(rawValue: key.revision)
        self.histogram = histogram
    }
}
