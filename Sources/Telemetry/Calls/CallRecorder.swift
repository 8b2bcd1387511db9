import MCP
import Synchronization

/// A worker's access to the metrics of calls: one word by value, without reference counting. Valid until the process ends.
/// Only one thread may use it.
package struct CallRecorder: @unchecked Sendable {
    /// What a worker's calls are counted with.
    struct State: ~Copyable {
        let table: CallSeriesTable
        let phases: CallPhases
        let names: UnsafeMutablePointer<LabelNames>
        let rpcCodes: BoundedCodes
        let statuses: BoundedCodes
        let calls: LatencyBuckets
        let sessions: LatencyBuckets
        /// By server, the bytes of its last `tools/list` response.
        let toolLists: Counters
        let servers: Int
    }

    private let state: UnsafeMutablePointer<State>

    init(_ state: UnsafeMutablePointer<State>) { self.state = state }

    /// Counts a finished call: as its client saw it, as its server took it, and its phases. A stream that a client listens on
    /// is no call. It takes no lock and allocates nothing, unless the call is the first of its kind.
    package func record(_ event: borrowing CallEvent) {
        guard !event.flags.contains(.listening) else { return }
        let key = CallSeriesKey(
            operation: event.method, name: name(event), revision: event.revision, error: error(event),
            upstream: event.upstream)
        let buckets = state.pointee.calls
        state.pointee.table.add(key, event.duration, bucket: buckets.index(of: event.duration))
        if event.server >= 0, event.offsets.connected != CallEvent.Offsets.never {
            let before = UInt64(event.offsets.connected) &* 1_000
            let duration = event.duration > before ? event.duration &- before : 0
            state.pointee.table.add(key.leg(to: event.server), duration, bucket: buckets.index(of: duration))
        }
        state.pointee.phases.add(event, buckets)
        if case .toolsList = event.method { recordToolList(event) }
    }

    /// Makes the name of a tool a label, because a server of the upstream, by its slot, has listed it. May take a lock.
    package func allow(tool name: borrowing CallName, upstream: Int) {
        guard let upstream = UInt16(exactly: upstream), state.pointee.names.pointee.hasSpace(.tool, upstream: upstream)
        else { return }
        _ = state.pointee.names.pointee.admit(name, .tool, upstream: upstream)
    }

    /// Counts a session that is over, by its duration in nanoseconds. `revision` is the raw value of the `ProtocolRevisions`
    /// with the one that it spoke, 0: not known. `isLost`: its end was no one's wish.
    package func recordSession(nanoseconds: UInt64, upstream: UInt16, revision: UInt16, isLost: Bool = false) {
        let key = CallSeriesKey(session: revision, error: isLost ? .aborted : .none, upstream: upstream)
        state.pointee.table.add(key, nanoseconds, bucket: state.pointee.sessions.index(of: nanoseconds))
    }

    @inline(never)
    private func recordToolList(_ event: borrowing CallEvent) {
        guard event.outcome == .success, (0..<state.pointee.servers).contains(Int(event.server)) else { return }
        let bytes = Int64(truncatingIfNeeded: event.responseBytes)
        state.pointee.toolLists[Int(event.server)].pointee.store(bytes, ordering: .relaxed)
    }

    @inline(__always)
    private func name(_ event: borrowing CallEvent) -> CallNameID {
        let kind: LabelNames.Kind
        switch event.method {
        case .toolsCall: kind = .tool
        case .promptsGet: kind = .prompt
        default: return .none
        }
        guard event.name.count > 0 else { return .none }
        if let known = state.pointee.names.pointee.find(event.name, kind, upstream: event.upstream) { return known }
        return newName(event, kind)
    }

    /// A name that is no label becomes one if its server knows it: it has answered a call of it with status 200 and a result
    /// that is no error.
    @inline(never)
    private func newName(_ event: borrowing CallEvent, _ kind: LabelNames.Kind) -> CallNameID {
        guard event.outcome == .success, event.status == 200, event.flags.contains(.request),
            state.pointee.names.pointee.hasSpace(kind, upstream: event.upstream)
        else { return .other }
        return state.pointee.names.pointee.admit(event.name, kind, upstream: event.upstream) ?? .other
    }

    @inline(__always)
    private func error(_ event: borrowing CallEvent) -> CallErrorID {
        switch event.outcome {
        case .success: .none
        case .toolError: .toolError
        case .timeout: .timeout
        case .cancelled: .cancelled
        case .aborted: .aborted
        case .rpcError: state.pointee.rpcCodes.index(of: event.errorCode).map(CallErrorID.rpc) ?? .other
        case .httpError: state.pointee.statuses.index(of: Int32(event.status)).map(CallErrorID.status) ?? .other
        case .rejected: event.reason == .max ? .other : .rejection(event.reason)
        }
    }
}
