import Kernel
import TestSupport
import Testing

extension SocketTests {
    /// The replica records what it gets: no byte of a malformed HTTP/2 request may reach it.
    @Suite("HTTP/2: malformed requests and smuggling", .serialized)
    struct HTTP2SmugglingTests {
        private static let rig = Result { try Rig.forHTTP2() }

        @Test(
            "malformed requests reach no replica, and the connection persists",
            arguments: [MalformedRequest.fields, MalformedRequest.pseudos].flatMap { $0 })
        func fields(_ malformed: MalformedRequest) throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.http2()

            try check(malformed, client)

            #expect(
                rig.replica.requests.isEmpty, "\(rig.replica.requests.map { String(decoding: $0.head, as: UTF8.self) })"
            )
            #expect(rig.replica.leftovers.isEmpty)
            #expect(try client.response(client.get("/good")).text == "ok")
            #expect(rig.replica.requests.map(\.start) == ["GET /good"])
        }

        /// A body with a content-length is forwarded as it comes, so an error at its end comes too late to stop it.
        @Test(
            "a replica gets no more bytes of a body than its content-length", arguments: MalformedRequest.bodies)
        func bodies(_ malformed: MalformedRequest) throws {
            let rig = try Self.rig.get()
            rig.replica.reset()
            let client = try rig.http2()

            try check(malformed, client)

            #expect(try client.response(client.get("/good")).text == "ok")
            let length = malformed.fields.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
            let body = malformed.data.joined().utf8.prefix(length)
            let isWhole = body.count == length && rig.replica.requests.count == 2
            #expect(rig.replica.requests.map(\.start) == (isWhole ? ["POST /bad", "GET /good"] : ["GET /good"]))
            if isWhole { #expect(rig.replica.requests[0].body == Array(body)) }
            #expect(rig.replica.requests.allSatisfy { $0.trailers.isEmpty })
            #expect(rig.replica.leftovers.allSatisfy { find("hidden", in: $0, from: 0) == nil })
        }

        private func check(_ malformed: MalformedRequest, _ client: HTTP2Client) throws {
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
                // The response may come before the surplus bytes.
                #expect(response.reset == code || (response.hasEnded && !malformed.data.isEmpty))
            case .status(let status): #expect(response.status == status)
            case .goAway(let code): #expect(client.goAways.last?.code == code)
            case .refusal: #expect(response.reset == 1 || response.status / 100 == 4)
            }
        }

        @Test("valid fields are forwarded unchanged")
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
