import Kernel
import Proxy
import Telemetry
import Testing

extension SocketTests {
    @Suite("Memory and descriptors", .serialized)
    struct MemoryTests {
        private static let gibibyte = 1 << 30
        private static let allowance = 1 << 20

        /// Reads what is left of a stream in pieces, checking it, and notes how much memory the process has at its most.
        private func read(
            _ client: Client, from start: Int, to end: Int, inPiecesOf piece: Int, slowly: Bool, peak: inout Int
        ) throws {
            var position = start
            while position < end {
                let count = min(piece, end - position)
                guard try client.skipPattern(count, at: position) else {
                    Issue.record("wrong bytes between \(position) and \(position + count)")
                    return
                }
                position += count
                guard slowly else { continue }
                pause(milliseconds: 1)
                if position % (1 << 20) < count { peak = max(peak, ProcessFigures.anonymousBytes) }
            }
        }

        @Test("a slow reader of a 1 GiB body costs less than 1 MiB", arguments: [false, true])
        func slowReader(_ isSecure: Bool) throws {
            let rig = try Rig(answering: { request in
                guard let count = Int(request.target.dropFirst()) else { return [] }
                return [.text("HTTP/1.1 200 OK\r\ncontent-length: \(count)\r\n\r\n"), .pattern(count)]
            })
            let client = try isSecure ? rig.secureClient() : rig.client()
            // Everybody's buffers, ours included, grow to their size first.
            client.send("GET /\(32 << 20) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.head().status == 200)
            var peak = 0
            try read(client, from: 0, to: 32 << 20, inPiecesOf: 65_536, slowly: false, peak: &peak)

            let before = ProcessFigures.anonymousBytes
            peak = before
            let started = Instant.now()
            client.send("GET /\(Self.gibibyte) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.head().status == 200)
            try read(client, from: 0, to: 64 << 20, inPiecesOf: 65_536, slowly: true, peak: &peak)
            let slow = Instant.now()
            try read(client, from: 64 << 20, to: Self.gibibyte, inPiecesOf: 1 << 20, slowly: false, peak: &peak)
            let after = ProcessFigures.anonymousBytes
            print(
                "1 GiB, TLS \(isSecure): memory +\((peak - before) / 1_024) KiB at its most while read slowly,",
                "+\((after - before) / 1_024) KiB after; 64 MiB in \((slow - started).milliseconds.rounded()) ms,",
                "the rest in \((Instant.now() - slow).milliseconds.rounded()) ms")

            #expect(peak - before <= Self.allowance)
            #expect(after - before <= Self.allowance)
            try rig.expectQuiet()
        }

        @Test("a reader that stops stops the replica, and memory with it")
        func stoppedReader() throws {
            let rig = try Rig(answering: { _ in
                [.text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), .chunkedPattern(1 << 30)]
            })
            let replica = rig.replica
            let before = ProcessFigures.anonymousBytes
            let client = try rig.client(receiveBuffer: 4_096)
            client.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.head().status == 200)
            let connection = try #require(replica.requests.first).connection

            // Until three looks in a row find that nothing more went out.
            var (sent, still) = (-1, 0)
            try eventually("the replica is held back") {
                let now = replica.bytesSent(connection)
                still = now == sent ? still + 1 : 0
                sent = now
                pause(milliseconds: 50)
                return still >= 3
            }
            let growth = ProcessFigures.anonymousBytes - before
            print("a reader that stopped: \(sent / 1_024) KiB sent, memory +\(growth / 1_024) KiB")

            #expect(sent < 64 << 20)
            #expect(growth <= Self.allowance)
            client.close()
            try eventually("the replica's connection ended") { replica.hasEnded(connection) }
            try rig.expectQuiet()
        }

        @Test("two thousand connections full of garbage leave nothing behind", arguments: [false, true])
        func garbage(_ isSecure: Bool) throws {
            let rig = try Rig(adjusting: { listener, _ in
                listener.headTimeout = .milliseconds(500)
                listener.handshakeTimeout = .milliseconds(500)
            })
            let address = isSecure ? rig.secure : rig.plain
            var generator = SeededGenerator(seed: 4_711)
            try flood(address, connections: 100, &generator)
            try expectAlive(rig)
            let descriptors = ProcessFigures.descriptors
            let before = ProcessFigures.anonymousBytes
            rig.replica.reset()

            let started = Instant.now()
            try flood(address, connections: 2_000, &generator)
            print(
                "2,000 connections of garbage, TLS \(isSecure): \((Instant.now() - started).milliseconds.rounded()) ms")

            try expectAlive(rig)
            try eventually("descriptors are back at \(descriptors), not \(ProcessFigures.descriptors)") {
                ProcessFigures.descriptors <= descriptors
            }
            #expect(rig.replica.requests.allSatisfy { $0.start == "GET /alive" })
            #expect(rig.replica.leftovers.isEmpty)
            print("memory +\((ProcessFigures.anonymousBytes - before) / 1_024) KiB")
            #expect(ProcessFigures.anonymousBytes - before <= 4 * Self.allowance)
        }

        /// Random bytes, and random damage to a good request, by turns; a quarter of the connections are left open.
        private func flood(_ address: SocketAddress, connections: Int, _ generator: inout SeededGenerator) throws {
            let good = Array(
                "POST /hidden HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".utf8)
            var held: [Client] = []
            for index in 0..<connections {
                let client = try Client(address, room: 1_024)
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
                default: held.append(client)
                }
                if held.count == 64 {
                    for client in held { _ = try client.takeWhatComes() }
                    held = []
                }
            }
            for client in held { _ = try client.takeWhatComes() }
        }

        private func expectAlive(_ rig: Rig) throws {
            let client = try rig.client()
            client.send("GET /alive HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.response().text == "ok")
            client.close()
            try rig.expectQuiet()
        }
    }
}
