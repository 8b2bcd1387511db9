import Kernel
import Reactor

// What sessions do, one thing after another.
extension Engine {
    /// Every so many calls one is an `echo`, whose text tells whose it is.
    private static let echoEvery = 8
    /// So often is a session asked for again before its loss is believed.
    static let mostDenials = 6

    /// The request that the session's step calls for; nil if there is none.
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
            guard workload == .sessions || workload == .legacy, plan.tool == "whoami" else { return .call }
            return sessions[s].calls % Engine.echoEvery == Engine.echoEvery - 1 ? .echo : .call
        }
    }

    /// The session's call is over, well or not: on to the next step.
    mutating func advance(_ s: Handle, after kind: RequestKind, isGood: Bool) {
        sessions[s].call = .none
        let workload = groups[sessions[s].group].workload
        switch kind {
        case .initialize:
            guard isGood else { break }
            sessions[s].step = .initialized
        case .initialized:
            sessions[s].step = workload == .fanin || workload == .idle ? .stream : .list
        case .list: sessions[s].step = .call
        case .call, .echo:
            guard !workload.isStateless else { break }
            sessions[s].calls += 1
            if sessions[s].calls >= assignment.plan.callsPerSession { sendClose(s, workload) }
        case .delete where sessions[s].isGivenUp:
            sessions[s].step = .done
            return
        case .delete:
            sessions[s].forget(beginningWith: groups[sessions[s].group].firstStep)
        case .stream:
            restart(s)
            return
        }
        makeReady(s)
    }

    private mutating func sendClose(_ s: Handle, _ workload: Workload) {
        if workload == .legacy {
            endStream(sessions[s].stream)
            sessions[s].forget(beginningWith: .stream)
        } else {
            sessions[s].step = sessions[s].identifier.isEmpty ? .initialize : .delete
            if sessions[s].step == .initialize { sessions[s].forget(beginningWith: .initialize) }
        }
    }

    /// The session is gone; its client begins anew.
    mutating func restart(_ s: Handle) {
        if calls.contains(sessions[s].stream) { endStream(sessions[s].stream) }
        sessions[s].stream = .none
        sessions[s].forget(beginningWith: groups[sessions[s].group].firstStep)
        if sessions[s].call.isNone { makeReady(s) }
    }

    /// The run is over for the session: it says goodbye if that is still to be done.
    mutating func finish(_ s: Handle) {
        if calls.contains(sessions[s].stream) { endStream(sessions[s].stream) }
        let workload = groups[sessions[s].group].workload
        let mayDelete =
            !workload.isStateless && workload != .legacy && !sessions[s].identifier.isEmpty
            && sessions[s].step != .delete
        guard mayDelete, sessions[s].call.isNone else {
            if sessions[s].call.isNone { sessions[s].step = .done }
            return
        }
        sessions[s].step = .delete
        // Whether it was alive to what was asked before is not found out any more.
        sessions[s].denials = 0
        makeReady(s)
    }

    /// Closes a stream, by closing what carries it.
    mutating func endStream(_ call: Handle) {
        guard calls.contains(call) else { return }
        let c = calls[call].connection
        let s = calls[call].session
        if sessions[s].stream == call { sessions[s].stream = .none }
        cancelStream(call)
        _ = calls.remove(call)
        guard connections.contains(c), connections[c].call == call else { return }
        drop(c)
        renew(c, atOnce: true)
    }
}
