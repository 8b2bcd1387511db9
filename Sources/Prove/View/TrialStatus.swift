package import Load

/// A trial while it goes on, as the live view shows it.
package struct TrialStatus: Sendable {
    /// A server and what it is doing.
    package struct Server: Equatable, Sendable {
        /// As events name it.
        package var name: String
        /// "running", "killed", "stands still", "draining" or "starting".
        package var state: String
        /// Calls answered by it, on each balancer.
        package var calls: [UInt64]

        package init(name: String, state: String, calls: [UInt64]) {
            self.name = name
            self.state = state
            self.calls = calls
        }
    }

    /// A balancer and the load on it.
    package struct Front: Sendable {
        /// As tables name it.
        package var name: String
        /// The number of its main process.
        package var pid: Int32
        /// The figures so far.
        package var figures: RunFigures

        package init(name: String, pid: Int32, figures: RunFigures) {
            self.name = name
            self.pid = pid
            self.figures = figures
        }
    }

    /// Seconds since the load began.
    package var elapsed: Double
    /// The part of the trial that has passed, 0 to 1.
    package var progress: Double
    /// The servers, in order.
    package var servers: [Server]
    /// The balancers, at least one.
    package var fronts: [Front]

    package init(elapsed: Double, progress: Double, servers: [Server], fronts: [Front]) {
        self.elapsed = elapsed
        self.progress = progress
        self.servers = servers
        self.fronts = fronts
    }
}

extension Trial {
    /// The present state.
    var status: TrialStatus {
        let figures = subjects.map(\.run.counts)
        let servers = fleet.servers.indices.map { index in
            let name = fleet.name(index)
            // A server that was started again counts under another name each time: "mcp-1.2".
            let calls = figures.map { figures in
                figures.replicas.reduce(UInt64(0)) { $0 + ($1.key.hasPrefix(name + ".") ? $1.value : 0) }
            }
            return TrialStatus.Server(name: name, state: fleet.servers[index].word, calls: calls)
        }
        let fronts = zip(subjects, figures).map { subject, figures in
            TrialStatus.Front(name: subject.front.name, pid: subject.front.pid, figures: figures)
        }
        return TrialStatus(
            elapsed: elapsed, progress: subjects.first?.progress ?? 0, servers: servers, fronts: fronts)
    }
}

extension Trial.Subject {
    /// The part of the load that has been made: by its calls or by its time, whichever is further.
    fileprivate var progress: Double {
        guard let limit = run.plan.calls, limit > 0 else { return run.progress }
        return max(run.progress, min(1, Double(run.counts.trial?.calls ?? 0) / Double(limit)))
    }
}

extension ServerFleet.Server {
    /// What it is doing, in a word or two.
    fileprivate var word: String {
        switch state {
        case .starting: "starting"
        case .gone: "killed"
        case .stopped: "stands still"
        case .running: isDraining ? "draining" : "running"
        }
    }
}
