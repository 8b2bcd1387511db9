/// What a server is asked before a run: which protocol revision it speaks, and which tools it has.
package struct Preflight: Equatable, Sendable {
    /// The protocol revision that the run will speak.
    package let revision: String
    /// Name and version of the server; empty if it gives none.
    package let server: String
    /// The names of its tools.
    package let tools: [String]
    /// There are more tools than were asked for.
    package let hasMore: Bool

    /// In a line: `demo 1.2, revision 2025-11-25, tools: add, greet`.
    package var text: String {
        let shown = tools.prefix(Preflight.shownTools).joined(separator: ", ")
        let list = tools.isEmpty ? "no tools" : "tool\(tools.count == 1 ? "" : "s"): \(shown)"
        let rest = tools.count > Preflight.shownTools || hasMore ? ", and more" : ""
        return (server.isEmpty ? "" : "\(server), ") + "revision \(revision), \(list)\(rest)"
    }

    private static var shownTools: Int { 20 }

    package init(revision: String, server: String, tools: [String], hasMore: Bool) {
        self.revision = revision
        self.server = server
        self.tools = tools
        self.hasMore = hasMore
    }
}

extension LoadPlan {
    /// Asks the server, and returns the plan as the server can take it: `calls` to a server that has sessions only are
    /// made in sessions of 2025-11-25 or earlier. The preflight is nil if no workload calls tools.
    ///
    /// Throws with the server's words if it can be reached but refuses, and if it has not the tool that is to be called.
    package func preflight() throws(LoadError) -> (plan: LoadPlan, preflight: Preflight?) {
        let callers = mix.map(\.workload).filter { $0 != .fanin && $0 != .idle }
        guard !callers.isEmpty else { return (self, nil) }
        var plan = self
        var listing: ToolListing
        if callers.contains(where: \.isStateless) {
            listing = try list(.calls)
            if listing.tools == nil {
                let refusal = listing.refusal ?? "no answer"
                listing = try list(.sessions)
                if listing.tools != nil { plan = try inSessions(refusal) }
            }
        } else {
            listing = try list(callers.contains(.sessions) ? .sessions : .legacy)
        }
        guard let tools = listing.tools else {
            throw LoadError("\(target.url) cannot be loaded: \(listing.refusal ?? "no answer")")
        }
        let preflight = Preflight(
            revision: listing.revision ?? RequestTexts.statelessVersion, server: listing.server, tools: tools,
            hasMore: listing.hasMore)
        try plan.check(preflight)
        return (plan, preflight)
    }

    /// One session that ends after `tools/list`.
    private func list(_ workload: Workload) throws(LoadError) -> ToolListing {
        var plan = self
        plan.mix = [Share(workload)]
        (plan.connections, plan.depth, plan.threads, plan.sessions, plan.rate, plan.calls) = (1, 1, 1, 1, nil, nil)
        (plan.warmUp, plan.seconds) = (0, timeout)
        let listing = ToolListing()
        _ = try LoadRun(plan, listing: listing).finish()
        return listing
    }

    /// The plan for a server that refuses requests without a session.
    private func inSessions(_ refusal: String) throws(LoadError) -> LoadPlan {
        var plan = self
        for index in mix.indices where mix[index].workload.isStateless {
            guard mix[index].workload == .calls else {
                throw LoadError(
                    "\(mix[index].workload.rawValue) needs a server that speaks \(RequestTexts.statelessVersion); "
                        + "this one refuses: \(refusal)")
            }
            plan.mix[index].workload = .sessions
        }
        if !mix.contains(where: { $0.workload == .sessions || $0.workload == .legacy }) { plan.callsPerSession = .max }
        return plan
    }

    /// Throws if the server has not a tool that the plan calls; goes without `echo` if it has none.
    private mutating func check(_ preflight: Preflight) throws(LoadError) {
        func has(_ tool: String) -> Bool { preflight.tools.contains(tool) || preflight.hasMore }
        usesEcho = has("echo")
        for share in mix {
            let needed =
                switch share.workload {
                case .sessions, .legacy, .calls, .churn: tool
                case .bodies: direction == .down ? "bytes" : "echo"
                case .fanin, .idle: ""
                }
            guard !needed.isEmpty, !has(needed) else { continue }
            throw LoadError(
                "the server has no tool \"\(needed)\" (\(preflight.text))"
                    + (share.workload == .bodies
                        ? "; bodies needs it" : "; name one with --tool, and its arguments with --arguments"))
        }
    }
}
