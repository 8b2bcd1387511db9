import Testing

extension Conformance {
    @Suite("Servers that are restarted, killed or stand still")
    struct DisturbedServers {
        @Test("A rolling restart with drain --wait before each restart: no error, and no session lost")
        func rollingRestart() async throws {
            try await Fleet.with(.sessions) { fleet in
                let client = try fleet.client("restarts.py", "--deadline", "200")
                _ = try await client.ask("keep 12")
                for replica in fleet.replicas {
                    let name = "mcp/\(replica.address)"
                    try await eventually("\(replica.name) has sessions", within: .seconds(60)) {
                        try await fleet.berth.status(of: replica.address).sessions > 0 ? () : nil
                    }

                    let drained = try await fleet.berth.command(
                        "drain", name, "--wait", "--timeout", "40s", within: .seconds(60))
                    #expect(drained == 0, "\(replica.name) is to be empty within 40 s")
                    try await replica.terminate()
                    try await replica.restart()
                    #expect(try await fleet.berth.command("drain", name, "--undo", within: .seconds(60)) == 0)

                    try await eventually("\(replica.name) is back", within: .seconds(60)) {
                        let status = try await fleet.berth.status(of: replica.address)
                        return status.healthy && !status.draining && status.sessions > 0 ? () : nil
                    }
                }

                let kept = try await client.ask("kept")

                #expect(kept.wrongCount == 0)
                #expect((kept.right ?? 0) > 100, "there were calls all the time")
                #expect(kept.spread?.count == 3)
            }
        }

        @Test(
            "With on_lost = \"never\", a replica's crash ends its calls and its sessions, and none hangs",
            arguments: [BerthProcess.Affinity.signed, .learned])
        func never(affinity: BerthProcess.Affinity) async throws {
            try await Fleet.with(.sessions, affinity: affinity, onLost: "never") { fleet in
                let client = try fleet.client("restarts.py", "--within", "20")
                let victim = fleet.replicas[1]
                let opened = try await client.ask("open 30")
                #expect(opened.right == 30 && opened.spread?.count == 3)
                let lost = try #require(opened.spread?[victim.name])
                let begun = try await client.ask("begin \(victim.name) 60 outside")
                #expect(begun.calls == lost)

                try await victim.crash()

                let gone = try await client.ask("gone \(victim.name)")
                #expect(gone.right == lost, "each of its sessions gets 404")
                let ended = try await client.ask("finish")
                #expect(ended.right == 0 && ended.wrongCount == lost, "calls under way fail")
                // They began a second before the crash; the simulated tests hold the two seconds that are promised.
                #expect(
                    (ended.longestMilliseconds ?? .max) < 10_000, "and none of them hangs until its timeout of 15 s")
                let others = try await client.ask("call")
                #expect(others.right == 30 - lost && others.wrongCount == 0, "the other sessions see nothing")
            }
        }

        @Test("A replica that stands still is out, loses no call that it has, and comes back slowly")
        func standstill() async throws {
            let checks = """
                type       = "mcp"
                interval   = "1s"
                timeout    = "1s"
                rise       = 1
                fall       = 3
                slow_start = "60s"
                [upstream.mcp.timeouts]
                first_byte = "3s"
                """
            try await Fleet.with(.sessions, checks: checks) { fleet in
                let client = try fleet.client("restarts.py", "--deadline", "200", "--call-timeout", "40")
                let victim = fleet.replicas[1]
                let opened = try await client.ask("open 30")
                #expect(opened.right == 30 && opened.spread?.count == 3)
                let pinned = try #require(opened.spread?[victim.name])
                let begun = try await client.ask("begin \(victim.name) 2")
                #expect(begun.calls == pinned)

                victim.stop()
                let clock = ContinuousClock()
                let stopped = clock.now
                try await eventually("\(victim.name) is out", within: .seconds(60)) {
                    try await fleet.berth.status(of: victim.address).healthy ? nil : ()
                }
                // Promised are fall × interval + timeout, which is 4 s; the simulated tests hold that.
                print("standstill: out after \(clock.now - stopped)")

                let elsewhere = try await client.ask("open 6")
                #expect(elsewhere.right == 6 && elsewhere.spread?[victim.name] == nil, "new sessions go elsewhere")
                let asked = try await client.ask("ask \(victim.name)")
                #expect(asked.statuses == ["504": pinned], "a request to it is answered after timeouts.first_byte")
                #expect((asked.longestMilliseconds ?? .max) < 10_000)

                victim.resume()

                let finished = try await client.ask("finish")
                #expect(
                    finished.right == pinned && finished.wrongCount == 0, "calls that it has are answered when it wakes"
                )
                try await eventually("\(victim.name) is back", within: .seconds(60)) {
                    try await fleet.berth.status(of: victim.address).healthy ? () : nil
                }
                let more = try await client.ask("open 30")
                #expect(more.right == 30)
                #expect((more.spread?[victim.name] ?? 0) < 6, "its share of a third begins with a tenth of that")
                try await eventually("\(victim.name) gets new sessions again", within: .seconds(60)) {
                    try await client.ask("open 10").spread?[victim.name] != nil ? () : nil
                }
                let all = try await client.ask("call")
                #expect(all.wrongCount == 0 && all.lost == [:])
            }
        }
    }
}
