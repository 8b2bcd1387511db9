import Kernel
import TestSupport
import Testing

extension SocketTests {
    /// Measured on a separate process, because the test process has the memory of other tests.
    @Suite("Memory and descriptors", .serialized)
    struct MemoryTests {
        private static let gibibyte = 1 << 30
        private static let allowance = 1 << 20

        /// Reads a stream in pieces, checks its bytes, and returns the highest memory of the proxy meanwhile.
        private func read(
            _ client: Client, of berth: BerthProcess, from start: Int, to end: Int, slowly: Bool, peak: inout Int
        ) throws {
            var position = start
            while position < end {
                let count = min(65_536, end - position)
                guard try client.skipPattern(count, at: position) else {
                    Issue.record("wrong bytes between \(position) and \(position + count)")
                    return
                }
                position += count
                if slowly { pause(milliseconds: 1) }
                if position % (slowly ? 1 << 20 : 1 << 26) < count { peak = max(peak, berth.resources.anonymousBytes) }
            }
        }

        @Test("a slow reader of a 1 GiB body uses less than 1 MiB", arguments: [false, true])
        func slowReader(_ isSecure: Bool) throws {
            let berth = try BerthProcess { request in
                guard let count = Int(request.target.dropFirst()) else { return [] }
                return [.text("HTTP/1.1 200 OK\r\ncontent-length: \(count)\r\n\r\n"), .pattern(count)]
            }
            let client = try berth.client(isSecure: isSecure)
            // First let the proxy's buffers grow to their final size.
            let warming = 8 << 20
            client.send("GET /\(warming) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.head().status == 200)
            var peak = 0
            try read(client, of: berth, from: 0, to: warming, slowly: false, peak: &peak)

            let before = berth.resources.anonymousBytes
            peak = before
            client.send("GET /\(Self.gibibyte) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.head().status == 200)
            try read(client, of: berth, from: 0, to: 64 << 20, slowly: true, peak: &peak)
            try read(client, of: berth, from: 64 << 20, to: Self.gibibyte, slowly: false, peak: &peak)

            #expect(before > 0)
            #expect(peak - before <= Self.allowance || !ProcessResources.isMeaningful)
            try berth.expectIdle()
        }

        @Test(
            "a client that stops reading stops its replica, and memory does not grow", arguments: [false, true],
            ["text/event-stream", "application/octet-stream"])
        func stoppedReader(_ isSecure: Bool, _ type: String) throws {
            let berth = try BerthProcess { request in
                [
                    .text("HTTP/1.1 200 OK\r\ncontent-type: \(type)\r\ntransfer-encoding: chunked\r\n\r\n"),
                    .chunkedPattern(request.target == "/short" ? 4 << 20 : Self.gibibyte),
                ]
            }
            let replica = berth.replica
            let first = try berth.client(isSecure: isSecure)
            first.send("GET /short HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try first.response().body.count == 4 << 20)
            first.close()
            try berth.expectIdle()
            let before = berth.resources.anonymousBytes
            let client = try berth.client(isSecure: isSecure, receiveBuffer: 4_096)
            client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.head().status == 200)
            let connection = try #require(replica.requests.last).connection

            // Until three checks in a row find that the replica has sent no more bytes.
            var (sent, still) = (-1, 0)
            try eventually("the replica stops sending") {
                let now = replica.bytesSent(connection)
                still = now == sent ? still + 1 : 0
                sent = now
                pause(milliseconds: 50)
                return still >= 3
            }
            let growth = berth.resources.anonymousBytes - before

            #expect(sent < 64 << 20)
            #expect(growth <= Self.allowance || !ProcessResources.isMeaningful)
            client.close()
            try eventually("the replica's connection ended") { replica.hasEnded(connection) }
            try berth.expectIdle()
        }

        @Test("the requests of a client that reads nothing are not read without limit", arguments: [false, true])
        func neverReads(_ isSecure: Bool) throws {
            let berth = try BerthProcess { _ in [.answer(String(repeating: "b", count: 20_000))] }
            let request = "GET /one HTTP/1.1\r\nHost: a\r\n\r\n"
            let first = try berth.client(isSecure: isSecure)
            first.send(String(repeating: request, count: 100))
            for _ in 0..<100 { #expect(try first.response().status == 200) }
            first.close()
            let before = berth.resources.anonymousBytes
            let client = try berth.client(isSecure: isSecure, receiveBuffer: 4_096)
            client.limitSending(milliseconds: 300)

            client.send(String(repeating: request, count: 500_000))

            let growth = berth.resources.anonymousBytes - before
            let answered = berth.replica.requests.count
            #expect(answered < 100_000)
            #expect(growth <= Self.allowance || !ProcessResources.isMeaningful)
            client.close()
            try berth.expectIdle()
        }

        @Test("two thousand connections with garbage leak nothing", arguments: [false, true])
        func garbage(_ isSecure: Bool) throws {
            let berth = try BerthProcess(timeouts: #"{ header = "500ms", tls = "500ms" }"#) { _ in [.answer("ok")] }
            let address = isSecure ? berth.secure : berth.plain
            var generator = SeededGenerator(seed: 4_711)
            try flood(address, connections: 200, &generator)
            try expectAlive(berth)
            let descriptors = berth.resources.descriptors
            berth.replica.reset()

            // A leak grows with every flood. What malloc keeps grows with the most connections that were open at once, which differs.
            var growth = Int.max
            for _ in 0..<4 where growth > Self.allowance {
                let before = berth.resources.anonymousBytes
                try flood(address, connections: 2_000, &generator)
                try expectAlive(berth)
                growth = berth.resources.anonymousBytes - before
            }

            // The one parked connection to the replica may be closed by now.
            try eventually("descriptors are back at \(descriptors), not \(berth.resources.descriptors)") {
                berth.resources.descriptors <= descriptors
            }
            #expect(berth.replica.requests.allSatisfy { $0.start == "GET /alive" })
            #expect(berth.replica.leftovers.isEmpty)
            #expect(growth <= Self.allowance || !ProcessResources.isMeaningful)
        }

        /// Sends random bytes and randomly damaged requests alternately; a quarter of the connections stay open.
        private func flood(_ address: SocketAddress, connections: Int, _ generator: inout SeededGenerator) throws {
            let good = Array(
                "POST /hidden HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".utf8)
            var openClients: [Client] = []
            for index in 0..<connections {
                let client = try Client(address, bufferBytes: 1_024)
                var bytes = generator.bytes(Int.random(in: 1...3_000, using: &generator))
                if index % 2 == 1 {
                    // The damage is in the head's first line or field, so that none of it is a request.
                    bytes = good
                    bytes[Int.random(in: 14..<22, using: &generator)] = UInt8.random(in: 0..<9, using: &generator)
                    bytes.removeLast(Int.random(in: 0..<20, using: &generator))
                }
                client.send(bytes)
                switch index % 4 {
                case 0: client.close(reset: true)
                case 1: client.close()
                case 2: client.finish()
                default: openClients.append(client)
                }
                if openClients.count == 64 {
                    for client in openClients { _ = try client.readUntilEnd() }
                    openClients = []
                }
            }
            for client in openClients { _ = try client.readUntilEnd() }
        }

        private func expectAlive(_ berth: BerthProcess) throws {
            let client = try berth.client(isSecure: false)
            client.send("GET /alive HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.response().text == "ok")
            client.close()
            try berth.expectIdle()
            #expect(berth.isRunning)
        }
    }
}
