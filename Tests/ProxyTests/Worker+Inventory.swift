import Kernel
import Reactor
import Simulation
import Telemetry

@testable import Proxy

/// What is in a worker's slabs. Mutating although nothing changes: Swift 6.3 cannot read a worker through an optional.
extension Worker<SimulatedWorld> {
    mutating func bufferedBytes() -> Int {
        var sum = 0
        for slot in 0..<clients.slots {
            guard let client = clients.handle(inSlot: slot) else { continue }
            sum += clients[client].transport.input.count + clients[client].transport.output.count
        }
        for slot in 0..<upstreams.slots {
            // A health check may be under way at any time.
            guard let server = upstreams.handle(inSlot: slot), upstreams[server].phase != .healthCheck else {
                continue
            }
            sum += upstreams[server].transport.input.count + upstreams[server].transport.output.count
        }
        for slot in 0..<exchanges.slots {
            guard let exchange = exchanges.handle(inSlot: slot) else { continue }
            sum += exchanges[exchange].pending.count
        }
        return sum
    }

    /// Exchanges that count as uploads.
    var uploads: Int {
        mutating get { servers.slots.reduce(0) { $0 + servers[$1].uploads } }
    }

    /// Who is there, one line each: what to print when a test fails.
    mutating func inventory() -> [String] {
        var lines: [String] = []
        for slot in 0..<clients.slots {
            guard let c = clients.handle(inSlot: slot) else { continue }
            let buffered = clients[c].transport.input.count + clients[c].transport.output.count
            lines.append(
                "client \(clients[c].address.port) stream \(clients[c].kind.stream?.id ?? 0): \(clients[c].phase), "
                    + "\(buffered) bytes, deadline \(clients[c].deadline.nanoseconds / 1_000_000) ms")
        }
        for slot in 0..<exchanges.slots {
            guard let e = exchanges.handle(inSlot: slot) else { continue }
            lines.append(
                "exchange with \(exchanges[e].server): \(exchanges[e].state.phase), events \(exchanges[e].isEventStream), "
                    + "whole \(exchanges[e].isWhole), deadline \(exchanges[e].deadline.nanoseconds / 1_000_000) ms")
        }
        for slot in 0..<upstreams.slots {
            guard let u = upstreams.handle(inSlot: slot) else { continue }
            lines.append("connection to \(upstreams[u].server): \(upstreams[u].phase)")
        }
        let reasons = [
            ("resuming clients", !clients.resuming.isEmpty), ("resuming servers", !upstreams.resuming.isEmpty),
            ("frames", !clients.unsentHTTP2Connections.isEmpty), ("recoveries", sessions.recoveries.hasWork),
            ("internal requests", clients.internalRequests.hasEnded), ("deferred", !clients.deferred.isEmpty),
            ("freed capacity", servers.hasFreedCapacity), ("servers that go down", !servers.goingDown.isEmpty),
        ]
        lines.append("awake for: \(reasons.filter(\.1).map(\.0))")
        return lines
    }

    /// What the metrics's gauges must say.
    mutating func gauges() -> [ServerMetric: Int64] {
        var truth: [ServerMetric: Int64] = [.parked: 0, .active: 0, .streaming: 0, .waiting: 0]
        for slot in 0..<upstreams.slots {
            guard let u = upstreams.handle(inSlot: slot) else { continue }
            switch upstreams[u].phase {
            case .parked: truth[.parked, default: 0] += 1
            case .connecting, .handshaking: truth[.active, default: 0] += upstreams[u].exchange.isNone ? 0 : 1
            case .serving, .held: truth[upstreams[u].isStreaming ? .streaming : .active, default: 0] += 1
            case .healthCheck: break
            }
        }
        for slot in 0..<exchanges.slots {
            guard let e = exchanges.handle(inSlot: slot) else { continue }
            if exchanges[e].isQueued { truth[.waiting, default: 0] += 1 }
        }
        return truth
    }

    /// What recoveries have left in the worker.
    mutating func recoveryLeftovers() -> Int {
        sessions.captures.count + sessions.recoveries.active.count + clients.internalRequests.count
    }

    /// The key of a session by its client's id.
    mutating func sessionKey(_ id: String) -> SessionKey? {
        var buffer = ByteBuffer()
        buffer.append(id)
        switch sessions.affinity.owner(ofSession: buffer, 0..<buffer.count, in: 0, now: clock.now) {
        case .server(_, let key), .removed(let key): return key
        case .unknown: return nil
        }
    }
}
