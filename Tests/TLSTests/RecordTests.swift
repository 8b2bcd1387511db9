import COpenSSL
import Glibc
import Reactor
import TestSupport
import Testing

@testable import TLS

@Suite("Records")
struct RecordTests {
    @Test(
        "a megabyte arrives unchanged in both directions, in pieces of any size",
        arguments: [1_000, 16_384, 65_536, .max])
    func megabyte(_ size: Int) throws {
        for version in [TLSVersion.v1_2, .v1_3] {
            var random = SeededGenerator(seed: 7)
            let (up, down) = (random.bytes(1 << 20), random.bytes((1 << 20) + 1))
            let talk = try Conversation(Fixture.client(maximum: version), Fixture.server())
            talk.settle()

            let sent = (talk.client.send(up), talk.server.send(down))
            talk.settle(inPiecesOf: size)

            #expect(sent == (true, true))
            #expect(talk.server.takeReceived() == up)
            #expect(talk.client.takeReceived() == down)
        }
    }

    @Test("records are full, and the space reserved for them is enough", arguments: [TLSVersion.v1_2, .v1_3])
    func sizes(_ version: TLSVersion) throws {
        let talk = try Conversation(Fixture.client(maximum: version), Fixture.server())
        talk.settle()
        for count in [1, 500, 16_384, 16_385, 100_000] {
            talk.server.releaseOutgoing()
            #expect(talk.server.send([UInt8](repeating: 1, count: count)))
            let records = (count + 16_383) / 16_384
            #expect(talk.server.outgoingCount == count + records * (version == .v1_2 ? 29 : 22))
            // A second growth would have doubled the capacity.
            #expect(talk.server.outgoingAllocated <= max(256, count + (count / 16_384 + 1) * 32))
        }
    }

    @Test("a handshake received byte by byte succeeds", arguments: [TLSVersion.v1_2, .v1_3])
    func byteByByte(_ version: TLSVersion) throws {
        let talk = try Conversation(Fixture.client(maximum: version), Fixture.server())

        talk.settle(inPiecesOf: 1)

        #expect(talk.server.progress == .established)
        #expect(talk.client.progress == .established)
        #expect(talk.client.send([1, 2, 3]))
        talk.settle(inPiecesOf: 1)
        #expect(talk.server.takeReceived() == [1, 2, 3])
    }

    @Test("a ClientHello may be split at any byte")
    func cutHello() throws {
        let (client, server) = (try Fixture.client(), try Fixture.server())
        let length = try Conversation(client, server).client.outgoingCount
        for cut in 1..<length {
            let talk = try Conversation(client, server)
            talk.server.receive(talk.client.takeOutgoing(cut))
            #expect(talk.server.progress == .handshaking)
            #expect(talk.server.outgoingCount == 0)
            talk.settle()
            #expect(talk.server.progress == .established, "cut at \(cut)")
        }
    }

    @Test("a sequence of records may be split at any byte", arguments: [TLSVersion.v1_2, .v1_3])
    func cutRecords(_ version: TLSVersion) throws {
        let talk = try Conversation(Fixture.client(maximum: version), Fixture.server())
        talk.settle()
        let message = Array("one and two and three".utf8)
        var cut = 1
        var length = Int.max
        while cut < length {
            for byte in message.split(separator: UInt8(ascii: " ")) { #expect(talk.client.send(Array(byte))) }
            length = talk.client.outgoingCount
            talk.server.receive(talk.client.takeOutgoing(cut))
            talk.server.receive(talk.client.takeOutgoing())
            #expect(String(decoding: talk.server.takeReceived(), as: UTF8.self) == "oneandtwoandthree")
            #expect(talk.server.progress == .established)
            cut += 1
        }
        #expect(cut > 100)
    }

    @Test("all records passed to one call are delivered by it, after the data already in the buffer")
    func drained() throws {
        let talk = try Conversation(Fixture.client(), Fixture.server())
        talk.settle()
        #expect(talk.client.send(Array("before:".utf8)))
        talk.settle()
        for number in 0..<500 { #expect(talk.client.send(Array("\(number),".utf8))) }

        talk.server.receive(talk.client.takeOutgoing())

        let expected = "before:" + (0..<500).map { "\($0)," }.joined()
        #expect(String(decoding: talk.server.takeReceived(), as: UTF8.self) == expected)
    }

    @Test(
        "a session that was idle since its handshake receives the next request", arguments: [true, false],
        [TLSVersion.v1_2, .v1_3])
    func idle(_ tickets: Bool, _ version: TLSVersion) throws {
        let talk = try Conversation(Fixture.client(maximum: version), Fixture.server(tickets: tickets))
        talk.settle()
        for _ in 0..<3 {
            talk.server.receive([])
            #expect(talk.server.progress == .established)
            #expect(talk.server.outgoingCount == 0 && talk.server.receivedCount == 0)
        }

        #expect(talk.client.send([42]))
        talk.server.receive(talk.client.takeOutgoing())
        #expect(talk.server.takeReceived() == [42])
        #expect(talk.server.send([43]))
        talk.settle()
        #expect(talk.client.takeReceived() == [43])
    }

    @Test("a request that comes with the client's Finished is delivered at once", arguments: [true, false])
    func earlyRequest(_ tickets: Bool) throws {
        let talk = try Conversation(Fixture.client(), Fixture.server(tickets: tickets))
        talk.server.receive(talk.client.takeOutgoing())
        talk.client.receive(talk.server.takeOutgoing())
        #expect(talk.client.progress == .established)
        #expect(talk.client.send([1, 2, 3]))

        talk.server.receive(talk.client.takeOutgoing())

        #expect(talk.server.progress == .established)
        #expect(talk.server.takeReceived() == [1, 2, 3])
        #expect((talk.server.outgoingCount > 0) == tickets)
    }

    @Test("a key update requested by the peer is answered, and data is still exchanged")
    func keyUpdate() throws {
        let talk = try Conversation(Fixture.client(), Fixture.server())
        talk.settle()
        #expect(SSL_key_update(talk.client.session.ssl, SSL_KEY_UPDATE_REQUESTED) == 1)
        #expect(talk.client.send([1]))

        talk.server.receive(talk.client.takeOutgoing())

        #expect(talk.server.progress == .established)
        #expect(talk.server.takeReceived() == [1])
        #expect(talk.server.send([2]))
        talk.settle()
        #expect(talk.client.takeReceived() == [2])
        #expect(talk.client.send([3]))
        talk.settle()
        #expect(talk.server.takeReceived() == [3])
    }

    // The address sanitizer pads allocations and delays frees, so resident memory is meaningless with it.
    @Test(
        "idle sessions keep no record buffers, even after a record that came in two parts",
        .enabled(if: dlsym(nil, "__asan_init") == nil))
    func buffersReleased() async {
        // Resident memory is counted by process, so the measurement needs a process of its own.
        await #expect(processExitsWith: .success) {
            let (client, server) = (try Fixture.client(), try Fixture.server())
            let pairs = 300
            var talks: [Conversation] = []
            var before = 0
            for number in -20..<pairs {
                if number == 0 { before = Self.residentKiB() }
                let talk = try Conversation(client, server)
                talk.settle()
                guard talk.client.send([1, 2, 3]) else { exit(2) }
                talk.server.receive(talk.client.takeOutgoing(10))
                talk.server.receive(talk.client.takeOutgoing())
                guard talk.server.send([4]) else { exit(3) }
                talk.settle()
                guard talk.server.takeReceived() == [1, 2, 3], talk.client.takeReceived() == [4] else { exit(4) }
                talk.server.releaseOutgoing()
                talk.client.releaseOutgoing()
                talks.append(talk)
            }
            let each = (Self.residentKiB() - before) / pairs
            // A client and a server have about 35 KiB; record buffers for both would add 66 KiB.
            exit(each < 50 ? 0 : 5)
        }
    }

    private static func residentKiB() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return .max }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, 128, file) != nil else { return .max }
        let fields = String(decoding: line.map(UInt8.init(bitPattern:)), as: UTF8.self).split(separator: " ")
        return (Int(fields[1]) ?? 0) * Int(getpagesize()) / 1024
    }

    @Test("sessions of one engine do not mix, in any order of their steps")
    func interleaved() throws {
        let (clientContext, serverContext) = (try Fixture.client(), try Fixture.server())
        var random = SeededGenerator(seed: 11)
        var engine = try TLSEngine()
        var peers = (0..<16).map { Peers(message: $0) }
        for peer in peers { try peer.start(&engine, clientContext, serverContext) }

        var steps = 0
        while let index = peers.indices.randomElement(using: &random), steps < 100_000 {
            steps += 1
            let size = Int.random(in: 1...700, using: &random)
            if try peers[index].step(&engine, size) { peers.remove(at: index) }
        }

        #expect(peers.isEmpty)
    }

    /// A client and a server of one engine, in a class because arrays do not hold noncopyable values.
    final class Peers {
        private struct State: ~Copyable {
            var client: TLSSession
            var server: TLSSession
            var toServer = ByteBuffer()
            var toClient = ByteBuffer()
            var received = ByteBuffer()
            var ignored = ByteBuffer()
            var hasSent = false
        }

        private let message: UInt8
        private var state: State?

        init(message: UInt8) { self.message = message }

        func start(_ engine: inout TLSEngine, _ client: TLSClientContext, _ server: TLSContext) throws {
            state = State(
                client: try engine.connect(client, serverName: "localhost"), server: try engine.accept(server))
        }

        /// Moves up to `size` bytes each way. True once the server has received the client's message.
        func step(_ engine: inout TLSEngine, _ size: Int) throws -> Bool {
            guard var state = state.take() else { return true }
            let forServer = take(&state.toServer, size)
            let atServer = engine.receive(
                &state.server, forServer.span, plaintext: &state.received, outgoing: &state.toClient)
            let forClient = take(&state.toClient, size)
            let atClient = engine.receive(
                &state.client, forClient.span, plaintext: &state.ignored, outgoing: &state.toServer)
            #expect(atServer != .failed && atClient != .failed)
            if atClient == .established, !state.hasSent {
                state.hasSent = true
                let text = [UInt8](repeating: message, count: 3_000)
                let hasSent = engine.send(&state.client, text.span, outgoing: &state.toServer)
                #expect(hasSent)
            }
            let received = state.received.count
            let isDone = received == 3_000
            if isDone {
                let text = take(&state.received)
                #expect(text == [UInt8](repeating: message, count: 3_000))
            }
            self.state = consume state
            return isDone
        }
    }
}
