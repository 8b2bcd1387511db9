import Kernel
import TestSupport
import Testing

extension SocketTests {
    /// Judged by the replica: what is malformed in HTTP/2 must be nothing at all in HTTP/1.1.
    @Suite("HTTP/2: malformed requests and smuggling", .serialized)
    struct HTTP2SmugglingTests {
        private static let rig = Result { try Rig.forHTTP2() }

        @Test(
            "what HTTP/2 forbids reaches no replica, and the connection goes on",
            arguments: [Malformed.fields, Malformed.pseudos].flatMap { $0 })
        func fields(_ malformed: Malformed) throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.http2()

            try judge(malformed, client)

            #expect(
                rig.replica.requests.isEmpty, "\(rig.replica.requests.map { String(decoding: $0.head, as: UTF8.self) })"
            )
            #expect(rig.replica.leftovers.isEmpty)
            #expect(try client.response(client.get("/good")).text == "ok")
            #expect(rig.replica.requests.map(\.start) == ["GET /good"])
        }

        /// A counted body goes on as soon as it is there: what comes after it can no longer be taken back, nor added.
        @Test(
            "of a body that is not what was announced, the replica sees no byte too many", arguments: Malformed.bodies)
        func bodies(_ malformed: Malformed) throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.http2()

            try judge(malformed, client)

            #expect(try client.response(client.get("/good")).text == "ok")
            let length = malformed.fields.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
            let body = malformed.data.joined().utf8.prefix(length)
            let isWhole = body.count == length && rig.replica.requests.count == 2
            #expect(rig.replica.requests.map(\.start) == (isWhole ? ["POST /bad", "GET /good"] : ["GET /good"]))
            if isWhole { #expect(rig.replica.requests[0].body == Array(body)) }
            #expect(rig.replica.requests.allSatisfy { $0.trailers.isEmpty })
            #expect(rig.replica.leftovers.allSatisfy { find("hidden", in: $0, from: 0) == nil })
        }

        private func judge(_ malformed: Malformed, _ client: HTTP2Client) throws {
            let stream = client.open(malformed.fields, ends: malformed.data.isEmpty)
            for (index, data) in malformed.data.enumerated() {
                let isLast = index == malformed.data.count - 1 && malformed.trailers.isEmpty
                client.send(
                    HTTP2Client.Frame.data, flags: isLast ? HTTP2Client.endStream : 0, stream: stream, Array(data.utf8))
            }
            if !malformed.trailers.isEmpty {
                client.sendBlock(HeaderBlock.encode(malformed.trailers), stream: stream, ends: true)
            }
            let response = try client.response(stream)
            switch malformed.outcome {
            case .reset(let code):
                // The answer to what was announced may be faster than what comes behind it.
                #expect(response.reset == code || (response.hasEnded && !malformed.data.isEmpty))
            case .status(let status): #expect(response.status == status)
            case .goAway(let code): #expect(client.goAways.last?.code == code)
            case .refusal: #expect(response.reset == 1 || response.status / 100 == 4 || response.status == 501)
            }
        }

        @Test("good fields cross as they are")
        func good() throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.http2()
            let fields = [
                HeaderField("x-empty", ""), HeaderField("x-odd", "\u{e9}\t;,\"'"), HeaderField("host", "A"),
                HeaderField("x-under_score", "1"), HeaderField("content-length", "0"),
            ]
            #expect(try client.response(client.open(HTTP2Client.head("POST", "/fine?a=%0d%0a", fields))).status == 200)
            let request = try #require(rig.replica.requests.last)
            #expect(request.start == "POST /fine?a=%0d%0a")
            #expect(request.values("x-odd") == ["\u{e9}\t;,\"'"])
            #expect(request.values("host") == ["a"])
            #expect(request.values("content-length") == ["0"])
        }
    }
}
