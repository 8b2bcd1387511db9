import Testing

extension Conformance {
    @Suite("Sessions during restarts")
    struct Continuity {
        @Test("A restart of Berth with 30 open sessions loses none of them", arguments: [true, false])
        func restart(politely: Bool) async throws {
            try await Fleet.with(.sessions) { fleet in
                let client = try fleet.client("restarts.py")
                let opened = try await client.ask("open 30")
                #expect(opened.right == 30 && opened.spread?.count == 3)

                if politely {
                    let status = try await fleet.berth.end()
                    #expect(status == 0, "SIGTERM is to end berth with status 0")
                } else {
                    fleet.berth.kill()
                }
                try await eventually("berth ends", within: .seconds(60)) { fleet.berth.isRunning ? nil : () }
                try await fleet.berth.restart()

                let after = try await client.ask("call")
                #expect(after.right == 30)
                #expect(after.lost == [:])
                let more = try await client.ask("open 6")
                #expect(more.right == 6)
            }
        }

        @Test(
            "A replica's crash ends only its own sessions, and it gets new ones after its restart",
            arguments: [BerthProcess.Affinity.signed, .learned])
        func crash(affinity: BerthProcess.Affinity) async throws {
            try await Fleet.with(.sessions, affinity: affinity) { fleet in
                let client = try fleet.client("restarts.py", "--within", "20")
                let victim = fleet.replicas[1]
                let opened = try await client.ask("open 30")
                #expect(opened.right == 30 && opened.spread?.count == 3)
                let lost = try #require(opened.spread?[victim.name])

                try await victim.crash()

                let gone = try await client.ask("gone \(victim.name)")
                #expect(gone.right == lost, "each of its sessions gets 404")
                let others = try await client.ask("call")
                #expect(others.right == 30 - lost && others.wrongCount == 0, "the other sessions see nothing")
                let elsewhere = try await client.ask("open 6")
                #expect(elsewhere.right == 6 && elsewhere.spread?[victim.name] == nil, "new sessions go elsewhere")

                try await victim.restart()

                var found = false
                try await eventually("\(victim.name) gets a new session", within: .seconds(60)) {
                    let more = try await client.ask("open 3")
                    #expect(more.right == 3)
                    found = found || more.spread?[victim.name] != nil
                    return found ? () : nil
                }
                let all = try await client.ask("call")
                #expect(all.wrongCount == 0)
            }
        }

        @Test(
            "With on_lost = \"always\", a replica's crash ends no session: each goes on with another under its own id",
            arguments: [BerthProcess.Affinity.signed, .learned])
        func recovery(affinity: BerthProcess.Affinity) async throws {
            try await Fleet.with(.sessions, affinity: affinity, onLost: "always") { fleet in
                let client = try fleet.client("restarts.py")
                let victim = fleet.replicas[1]
                var lost = 0
                for _ in 0..<3 {
                    let opened = try await client.ask("open 20")
                    #expect(opened.right == 20 && opened.spread?.count == 3)
                    lost += opened.spread?[victim.name] ?? 0
                }

                try await victim.crash()

                let moved = try await client.ask("moved \(victim.name)")
                #expect(moved.right == lost && moved.wrongCount == 0)
                #expect(moved.spread?.count == 2, "they are spread over the others")
                let all = try await client.ask("call")
                #expect(all.right == 60 && all.wrongCount == 0)
                let more = try await client.ask("open 3")
                #expect(more.right == 3 && more.spread?[victim.name] == nil)
            }
        }
    }
}
