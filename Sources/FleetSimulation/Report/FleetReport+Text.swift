extension FleetReport {
    /// The report as aligned tables.
    package var text: String {
        [
            heading, "Sessions of each server, as multiples of the mean", balanceTable,
            "What becomes of the sessions that were open, in percent of all", scenarioTable,
            "Sessions of the busiest server afterwards, as a multiple of the mean", peakTable,
            "One server more: the new sessions that it gets", newcomerTable,
            "Recoveries of the sessions of failed servers, on_lost = \"always\"", stormTable,
            "Memory of one balancer for finding the servers of sessions", memoryTable,
        ].joined(separator: "\n")
    }

    private var heading: String {
        """
        \(Wording.count(plan.berths)) Berths, \(Wording.count(plan.servers)) servers, \(Wording.count(plan.sessions)) sessions \
        of \(Wording.decimal(plan.sessionSeconds, 0)) s, seed \(plan.seed)

        """
    }

    private var balanceTable: String {
        var table = TextTable(["policy", "max, opened", "p99", "min", "max, a life later", "p99", "min"])
        for row in balances {
            table.add(
                [row.policy.rawValue]
                    + [row.filled, row.settled].flatMap { spread in
                        [spread.maximum, spread.p99, spread.minimum].map { Wording.decimal($0) }
                    })
        }
        return table.text
    }

    private var scenarioTable: String {
        var table = TextTable(["", "server gone", "moved", "forgotten", "lost", "lost, clean"])
        for name in scenarioNames {
            for row in scenarios where row.scenario == name {
                let clean = row.scheme == .signed ? Wording.percent(row.lostClean, of: plan.sessions) : ""
                table.add(
                    ["\(name): \(row.scheme.rawValue)"]
                        + [row.orphaned, row.moved, row.forgotten, row.lost].map {
                            Wording.percent($0, of: plan.sessions)
                        } + [clean])
            }
        }
        return table.text
    }

    private var peakTable: String {
        var table = TextTable([""] + Scheme.allCases.map(\.rawValue))
        for name in scenarioNames {
            table.add(
                [name]
                    + Scheme.allCases.map { scheme in
                        scenarios.first { $0.scenario == name && $0.scheme == scheme }
                            .map { Wording.decimal($0.spread.maximum) } ?? ""
                    })
        }
        return table.text
    }

    private var scenarioNames: [String] { Scenario.all(plan).map(\.name) }

    private var newcomerTable: String {
        var table = TextTable(["policy", "slow start, s", "mean a second", "most in one", "first 10 s", "first minute"])
        for row in newcomers {
            table.add([
                row.policy.rawValue, Wording.decimal(row.slowStartSeconds, 0), Wording.decimal(row.meanPerSecond),
                Wording.count(row.mostInOneSecond), "x " + Wording.decimal(row.firstTen),
                "x " + Wording.decimal(row.minute),
            ])
        }
        return table.text
    }

    private var stormTable: String {
        var table = TextTable([
            "failed, streams, time to open", "sessions", "recovered", "peak a second", "of a Berth", "of a server",
            "connections",
            "99 % after, s", "longest, s", "timed out", "refused",
        ])
        for row in storms {
            table.add([
                "\(row.scenario), \(Wording.decimal(row.streamShare * 100, 0)) %, "
                    + "\(Wording.decimal(row.openSeconds * 1_000, 0)) ms",
                Wording.count(row.sessions),
                Wording.count(row.recovered), Wording.count(row.peakPerSecond), Wording.decimal(row.peakPerBerth, 0),
                Wording.count(row.peakPerServer), Wording.count(row.mostConnections),
                Wording.decimal(row.secondsTo99, 1), Wording.decimal(row.longestSeconds, 1),
                Wording.count(row.timedOut), Wording.count(row.refused),
            ])
        }
        return table.text
    }

    private var memoryTable: String {
        var table = TextTable(["", "for servers", "for its sessions", "for all sessions"])
        for row in memory {
            table.add([
                row.scheme.rawValue, Wording.bytes(row.serverBytes), Wording.bytes(row.sessionBytes),
                Wording.bytes(row.sharedBytes),
            ])
        }
        return table.text
    }
}
