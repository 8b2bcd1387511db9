import Kernel
import SampleServer
import Testing

@Suite("Periodic events")
struct EventRateTests {
    private struct Event {
        var sequence: UInt64
        var at: UInt64
    }

    /// The numbers of a stream's next event.
    private func event(_ client: RawClient) throws -> Event {
        let text = try #require(try client.event())
        let parts = text.split { !$0.isNumber }.compactMap { UInt64($0) }
        // The first number is that of JSON-RPC 2.0.
        let values = Array(parts.dropFirst(2))
        #expect(
            text == """
                {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info",\
                "data":{"sequence":\(values[0]),"monotonicNanoseconds":\(values[1])}}}
                """)
        return Event(sequence: values[0], at: values[1])
    }

    @Test("every stream counts from 1 without a gap and never early, independent of others")
    func countsWithoutGap() throws {
        try withServer("alpha", .init(eventsPerSecond: 200)) { server in
            let caller = try RawClient(server.address)
            var streams: [(client: RawClient, opened: Instant)] = []
            for index in 0..<12 {
                let client = try RawClient(server.address)
                let opened = Instant.now()
                if index % 3 == 2 {
                    client.send(bare("GET", "/sse"))
                    _ = try client.head()
                    _ = try client.chunk()
                } else {
                    client.send(bare("GET", session: try openSession(caller)))
                    _ = try client.head()
                }
                streams.append((client, opened))
            }
            streams.remove(at: 4).client.close()
            for (client, opened) in streams {
                var last: UInt64 = 0
                for sequence in 1...40 as ClosedRange<UInt64> {
                    let event = try event(client)
                    #expect(event.sequence == sequence)
                    #expect(event.at >= opened.nanoseconds + sequence * 5_000_000)
                    #expect(event.at >= last)
                    last = event.at
                }
            }
        }
    }

    @Test("a new session on a used connection gets only its own events")
    func oneBeatAStream() throws {
        try withServer("alpha", .init(eventsPerSecond: 50)) { server in
            let (caller, listener) = (try RawClient(server.address), try RawClient(server.address))
            for _ in 0..<3 {
                let session = try openSession(caller)
                listener.send(bare("GET", session: session))
                _ = try listener.head()
                for sequence in 1...3 as ClosedRange<UInt64> { #expect(try event(listener).sequence == sequence) }
                caller.send(bare("DELETE", session: session))
                _ = try caller.response()
                while try listener.event() != nil {}
            }
        }
    }

    @Test("the logging capability is declared only with periodic events", arguments: [0.0, 10.0])
    func capability(rate: Double) throws {
        try withServer("alpha", .init(eventsPerSecond: rate)) { server in
            let client = try RawClient(server.address)
            client.send(post(initialize()))
            #expect(try client.response().body.contains("\"logging\":{}") == (rate > 0))
        }
    }
}
