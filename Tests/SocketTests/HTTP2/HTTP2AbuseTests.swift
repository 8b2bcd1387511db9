import Foundation
import HTTP
import Kernel
import Proxy
import Telemetry
import TestSupport
import Testing

/// An attack that makes an HTTP/2 server do expensive work.
enum Abuse: String, CaseIterable, Sendable {
    case rapidReset, settings, pings, emptyData, priorities, windowUpdates, continuations, openContinuation
    case headerBomb, headerList, inducedResets, refusedStreams, unknownFrames, staleFrames, longField

    /// The metric that counts it.
    var counter: AbuseCounter {
        switch self {
        case .rapidReset, .inducedResets: .resets
        case .settings: .settings
        case .pings: .pings
        case .emptyData: .emptyData
        case .priorities: .priorities
        case .windowUpdates: .windowUpdates
        case .continuations, .openContinuation: .continuations
        case .headerBomb, .headerList: .headerLists
        case .refusedStreams: .refusals
        case .unknownFrames, .staleFrames: .ignoredFrames
        case .longField: .brokenConnections
        }
    }

    /// Sends one round of the attack; called repeatedly until the connection is closed.
    func serve(_ client: HTTP2Client) {
        client.client.send(frames(client) ?? requests(client))
    }

    /// Of frames that are cheap to send; nil for what is made of requests.
    private func frames(_ client: HTTP2Client) -> [UInt8]? {
        var bytes: [UInt8] = []
        switch self {
        case .settings:
            for _ in 0..<100 {
                bytes += HTTP2Client.frame(HTTP2Client.Frame.settings, stream: 0, [0, 4, 0, 0, 255, 255])
            }
        case .pings:
            for _ in 0..<100 {
                bytes += HTTP2Client.frame(HTTP2Client.Frame.ping, stream: 0, [UInt8](repeating: 1, count: 8))
            }
        case .priorities:
            for index in 0..<500 {
                bytes += HTTP2Client.frame(
                    HTTP2Client.Frame.priority, stream: UInt32(index * 2 + 1), [0, 0, 0, UInt8(index & 7), 255])
            }
        case .windowUpdates:
            for _ in 0..<500 {
                bytes += HTTP2Client.frame(HTTP2Client.Frame.windowUpdate, stream: 0, HTTP2Client.bytes(1))
            }
        case .unknownFrames:
            for index in 0..<500 { bytes += HTTP2Client.frame(UInt8(10 + index % 246), stream: 0, [1, 2, 3]) }
        case .emptyData:
            let stream = client.take()
            bytes += HTTP2Client.blockFrames(
                HeaderBlock.encode(HTTP2Client.head("POST", "/attack")), stream: stream, ends: false)
            for _ in 0..<1_000 { bytes += HTTP2Client.frame(HTTP2Client.Frame.data, stream: stream) }
        case .staleFrames:
            let stream = client.take()
            bytes += HTTP2Client.blockFrames(Self.attack, stream: stream, ends: false)
            bytes += HTTP2Client.frame(HTTP2Client.Frame.reset, stream: stream, HTTP2Client.bytes(8))
            for _ in 0..<500 { bytes += HTTP2Client.frame(HTTP2Client.Frame.data, stream: stream, [1]) }
        case .rapidReset, .inducedResets, .continuations, .openContinuation, .headerBomb, .headerList, .refusedStreams,
            .longField:
            return nil
        }
        return bytes
    }

    private static let attack = HeaderBlock.encode(HTTP2Client.head("GET", "/attack"))

    private func requests(_ client: HTTP2Client) -> [UInt8] {
        var bytes: [UInt8] = []
        let head = Self.attack
        switch self {
        case .rapidReset:
            for _ in 0..<100 {
                let stream = client.take()
                bytes += HTTP2Client.blockFrames(head, stream: stream, ends: true)
                bytes += HTTP2Client.frame(HTTP2Client.Frame.reset, stream: stream, HTTP2Client.bytes(8))
            }
        case .inducedResets:
            // Requests that Berth must reset, as many at a time as may be open.
            let bad = HeaderBlock.encode(HTTP2Client.head("GET", "/attack", [HeaderField("X-Upper", "a")]))
            for _ in 0..<50 { bytes += HTTP2Client.blockFrames(bad, stream: client.take(), ends: true) }
            pause(milliseconds: 2)
        case .continuations:
            // Each block is within all limits and is split into many frames.
            for _ in 0..<50 {
                bytes += HTTP2Client.blockFrames(head, stream: client.take(), ends: true, piece: head.count / 7 + 1)
            }
        case .openContinuation:
            // A block without an end (CVE-2024-27316).
            let stream = client.take()
            bytes += HTTP2Client.frame(HTTP2Client.Frame.headers, flags: 1, stream: stream, head)
            let piece = HeaderBlock.literal(Array("x-a".utf8), [UInt8](repeating: 0x61, count: 16_000))
            for _ in 0..<1_000 { bytes += HTTP2Client.frame(HTTP2Client.Frame.continuation, stream: stream, piece) }
        case .headerBomb:
            // One long field in the dynamic table, then references to it of one byte each (RFC 7541 section 6.1).
            let block =
                head + HeaderBlock.literal(Array("x-a".utf8), [UInt8](repeating: 0x61, count: 4_000), indexed: true)
                + [UInt8](repeating: 0xbe, count: 12_000)
            bytes += HTTP2Client.blockFrames(block, stream: client.take(), ends: true)
        case .headerList:
            // More fields than are answered with 431.
            let field = HeaderBlock.literal(Array("x-a".utf8), [0x61])
            let block = head + (0..<600).flatMap { _ in field }
            bytes += HTTP2Client.blockFrames(block, stream: client.take(), ends: true)
        case .refusedStreams:
            // Requests without an end occupy as many streams as may be open.
            let post = HeaderBlock.encode(HTTP2Client.head("POST", "/attack"))
            for _ in 0..<200 { bytes += HTTP2Client.blockFrames(post, stream: client.take(), ends: false) }
        case .longField:
            // Longer than nghttp2 decodes. A smaller one is answered with 431.
            let field = HeaderBlock.literal(Array("x-a".utf8), [UInt8](repeating: 0x61, count: 66_000))
            bytes += HTTP2Client.blockFrames(head + field, stream: client.take(), ends: true)
        case .settings, .pings, .priorities, .windowUpdates, .unknownFrames, .emptyData, .staleFrames:
            break
        }
        return bytes
    }
}

extension SocketTests {
    @Suite("HTTP/2: abuse", .serialized)
    struct HTTP2AbuseTests {
        /// Attacks until Berth ends the connection. True if it did.
        private static func attack(_ abuse: Abuse, _ client: HTTP2Client) throws -> Bool {
            client.client.limitSending(milliseconds: 2_000)
            for _ in 0..<2_000 where !client.isOver {
                abuse.serve(client)
                try client.readAvailable()
            }
            return client.isOver
        }

        @Test("an attack ends its connection and is counted", arguments: Abuse.allCases)
        func ends(_ abuse: Abuse) throws {
            let rig = try Rig.forHTTP2()
            let other = try rig.http2()
            #expect(try other.response(other.get("/one")).text == "ok")
            let client = try rig.http2(isSecure: false)

            #expect(try Self.attack(abuse, client))

            try eventually("it is counted") { rig.proxy.metrics.view.load(abuse.counter) == 1 }
            // GOAWAY may be lost, because closing with unread bytes sends RST.
            #expect(client.goAways.allSatisfy { $0.code == (abuse == .longField ? 9 : 11) })
            #expect(try other.response(other.get("/one")).text == "ok")
            #expect(Status.http2Abuse(try Status.text(from: rig.admin), abuse.counter) == 1)
            other.client.close()
            try rig.expectIdle()
            try eventually("no clients") { rig.proxy.metrics.view.clientCount == 0 }
        }

        @Test("requests that are cancelled at once reach no replica")
        func cancelledAtOnce() throws {
            let rig = try Rig.forHTTP2()
            let client = try rig.http2(isSecure: false)
            Abuse.rapidReset.serve(client)
            #expect(try client.response(client.get("/one")).text == "ok")
            let reached = rig.replica.requests.count { $0.target == "/attack" }
            #expect(reached <= 10)
            try rig.expectIdle()
        }

        @Test("a head beyond the limits is answered with 431, and the connection persists")
        func largeHead() throws {
            let rig = try Rig.forHTTP2()
            let client = try rig.http2()
            let large = client.get(
                "/large", (0..<5).map { HeaderField("x-\($0)", String(repeating: "a", count: 15_000)) })
            #expect(try client.response(large).status == 431)
            let many = client.get("/many", (0..<150).map { HeaderField("x-\($0)", "a") })
            #expect(try client.response(many).status == 431)
            #expect(try client.response(client.get("/one")).text == "ok")
            #expect(rig.replica.requests.map(\.target) == ["/one"])
            client.client.close()
            try eventually("counted") { rig.proxy.metrics.view.load(AbuseCounter.largeHeads) == 2 }
        }

        @Test("under attack memory is bounded and other clients are served")
        func otherClientsAreServed() throws {
            let berth = try BerthProcess { _ in [.answer("ok")] }
            let victim = HTTP2Client(try Client(berth.secure, tls: Certificates.unverified(["h2"])))
            try Self.makeCalls(victim, 400)
            let before = berth.resources.anonymousBytes

            for abuse in Abuse.allCases {
                let isOver = Flag()
                let address = berth.plain
                let attacker = try Kernel.Thread(named: "attacker") {
                    while !isOver.isRaised {
                        guard let client = try? Client(address) else { continue }
                        _ = try? Self.attack(abuse, HTTP2Client(client))
                    }
                }
                var peak = 0
                for _ in 0..<10 {
                    try Self.makeCalls(victim, 20)
                    peak = max(peak, berth.resources.anonymousBytes)
                }
                isOver.raise(true)
                attacker.join()
                #expect(peak - before < 64 << 20 || !ProcessResources.isMeaningful)
                #expect(berth.isRunning)
            }
            victim.client.close()
            try berth.expectIdle()
        }

        private static func makeCalls(_ client: HTTP2Client, _ count: Int) throws {
            for _ in 0..<count { #expect(try client.response(client.get("/one")).text == "ok") }
        }

        @Test("clients that read nothing use bounded memory and are disconnected", arguments: [false, true])
        func stalledConnections(_ opensWindow: Bool) throws {
            let berth = try BerthProcess(timeouts: "{ idle = \"5s\" }") { request in
                if request.target == "/small" {
                    return [.text("HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n"), .pattern(200_000)]
                }
                return [.text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"), .chunkedPattern(1 << 30)]
            }
            let before = berth.resources.anonymousBytes
            // With an open window the socket stalls; otherwise the streams do.
            let settings: [(UInt16, UInt32)] = opensWindow ? [(4, 0x7fff_ffff)] : [(4, 0)]
            let client = HTTP2Client(try Client(berth.plain, receiveBuffer: 4_096), settings: settings)
            client.comparesBodies = true
            let streams = 250
            for _ in 0..<streams { client.get("/endless") }
            try eventually("all requests have arrived") { berth.replica.requests.count == streams }
            var (sent, still) = (-1, 0)
            try eventually("the replica stops sending") {
                let now = (0..<berth.replica.accepted).reduce(0) { $0 + berth.replica.bytesSent($1) }
                still = now == sent ? still + 1 : 0
                sent = now
                pause(milliseconds: 50)
                return still >= 3
            }
            let growth = berth.resources.anonymousBytes - before
            // The credit of 1 MiB, 4 KiB for each stream beyond it, unused capacity of buffers, and connections.
            #expect(growth < 6 << 20 || !ProcessResources.isMeaningful)

            // Small responses are still delivered on these connections.
            if !opensWindow {
                let late = client.get("/small")
                try client.wait("its head") { $0.streams[late]?.hasHead ?? false }
                client.openWindow(late, by: 1_000_000)
                try client.wait("all of it") { $0.streams[late]?.hasEnded ?? false }
                #expect(client.streams[late]?.received == 200_000)
            }

            // The small response's upstream connection is parked.
            try eventually("all are disconnected") { berth.replica.open <= (opensWindow ? 0 : 1) }
            try berth.expectIdle()
            client.client.close()
        }
    }
}

extension Status {
    static func text(from address: SocketAddress) throws -> String {
        let client = try Client(address)
        client.send("GET /stats HTTP/1.1\r\nHost: a\r\n\r\n")
        return try client.response().text
    }

    /// The value of `counter` in the page's text.
    static func http2Abuse(_ text: String, _ counter: AbuseCounter) -> Int {
        let name = "\(counter)".reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : "\($1)" }
        guard let section = text.range(of: "\"http2_abuse\"").map({ text[$0.upperBound...] }),
            let key = section.range(of: "\"\(name)\" : ")
        else { return -1 }
        return Int(section[key.upperBound...].prefix { $0.isNumber }) ?? -1
    }
}
