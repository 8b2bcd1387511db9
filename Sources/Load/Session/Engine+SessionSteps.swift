import Kernel
import Reactor

// The steps of a session.
extension Engine {
    /// One call in this many is an `echo`, whose text proves which call the result belongs to.
    private static let echoEvery = 8
    /// A session counts as lost after this many 400 or 404 responses in a row.
    static let notFoundLimit = 6

    /// The request of the session's current step; nil if it has none.
    func nextKind(_ s: Handle) -> RequestKind? {
        switch sessions[s].step {
        case .initialize: return .initialize
        case .initialized: return .initialized
        case .list: return .list
        case .delete: return .delete
        case .stream: return .stream
        case .listening, .done: return nil
        case .call:
            let plan = assignment.plan
            let workload = groups[sessions[s].group].workload
            guard workload == .sessions || workload == .legacy, plan.namesReplica, plan.usesEcho else {
                return .call
            }
            return sessions[s].calls % Engine.echoEvery == Engine.echoEvery - 1 ? .echo : .call
        }
    }

    /// Moves the session to its next step after a call has ended. `succeeded`: the call passed all checks.
    mutating func advance(_ s: Handle, after kind: RequestKind, succeeded: Bool) {
        sessions[s].call = .none
        if let listing = assignment.listing, listing.isRefused {
            sessions[s].isAbandoned = true
            finishSession(s)
            return statistics.stop()
        }
        let workload = groups[sessions[s].group].workload
        switch kind {
        case .initialize:
            guard succeeded else { break }
            sessions[s].step = .initialized
        case .initialized:
            sessions[s].step = workload == .fanin || workload == .idle ? .stream : .list
        case .list where assignment.listing != nil:
            sessions[s].isAbandoned = true
            finishSession(s)
            return statistics.stop()
        case .list: sessions[s].step = .call
        case .call, .echo:
            guard !workload.isStateless else { break }
            sessions[s].calls += 1
            if sessions[s].calls >= assignment.plan.callsPerSession { terminateSession(s, workload) }
        case .delete where sessions[s].isAbandoned:
            sessions[s].step = .done
            return
        case .delete:
            sessions[s].reset(to: groups[sessions[s].group].firstStep)
        case .stream:
            restartSession(s)
            return
        }
        makeReady(s)
    }

    /// Ends a session that has made all its calls: by DELETE, or by closing its stream (2024-11-05).
    private mutating func terminateSession(_ s: Handle, _ workload: Workload) {
        if workload == .legacy {
            closeStream(sessions[s].stream)
            sessions[s].reset(to: .stream)
        } else {
            sessions[s].step = sessions[s].identifier.isEmpty ? .initialize : .delete
            if sessions[s].step == .initialize { sessions[s].reset(to: .initialize) }
        }
    }

    /// The server has lost the session: begins a new one.
    mutating func restartSession(_ s: Handle) {
        if calls.contains(sessions[s].stream) { closeStream(sessions[s].stream) }
        sessions[s].stream = .none
        sessions[s].reset(to: groups[sessions[s].group].firstStep)
        if sessions[s].call.isNone { makeReady(s) }
    }

    /// Ends the session at the run's end: closes its stream, and sends DELETE if the server knows it.
    mutating func finishSession(_ s: Handle) {
        if calls.contains(sessions[s].stream) { closeStream(sessions[s].stream) }
        let workload = groups[sessions[s].group].workload
        let mayDelete =
            !workload.isStateless && workload != .legacy && !sessions[s].identifier.isEmpty
            && sessions[s].step != .delete
        guard mayDelete, sessions[s].call.isNone else {
            if sessions[s].call.isNone { sessions[s].step = .done }
            return
        }
        sessions[s].step = .delete
        // Responses of 404 before this one are not followed up.
        sessions[s].notFoundInARow = 0
        makeReady(s)
    }

    /// Closes an event stream: resets its HTTP/2 stream, or closes its connection.
    mutating func closeStream(_ call: Handle) {
        guard calls.contains(call) else { return }
        let c = calls[call].connection
        let s = calls[call].session
        if sessions[s].stream == call { sessions[s].stream = .none }
        cancelStream(call)
        _ = calls.remove(call)
        guard connections.contains(c), connections[c].call == call else { return }
        closeSocket(c)
        reconnect(c, immediately: true)
    }
}
