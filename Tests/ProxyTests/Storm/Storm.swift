import Balancing
import Kernel
import Simulation
import TLS
import TestSupport

@testable import Proxy

/// Minutes of traffic from one seed: clients of every manner come, ask and go, servers answer in every way, die, vanish
/// and come back. Each request carries a tag; whatever answers it repeats the tag, and a body that follows from the tag.
///
/// There are two listeners, in clear and with TLS, each with HTTP/1.1 and HTTP/2; and two upstreams, "mcp" in clear and
/// "other" over TLS.
final class Storm {
    let stage: ProxyStage
    var generator: SeededGenerator
    /// Of its own, so that a seed gives the same traffic with reloads and without.
    var reloads: SeededGenerator
    private let hasReloads: Bool
    var guests: [StormGuest] = []
    private(set) var wrongs: [String] = []
    var answers: [Int: Int] = [:]
    /// Requests so far: the last tag.
    var tags = 0
    /// Session ids that clients know, with the upstream that each is good for.
    var sessions: [(id: String, upstream: Int)] = []
    var executions: [String: Int] = [:]
    /// What resumes TLS with the proxy.
    var tickets: [TLSTicket] = []
    static let servers = 5
    static let secureServers = 3..<5

    /// With `hasReloads` the worker is given another snapshot every few seconds.
    init(seed: UInt64, hasReloads: Bool = false) {
        generator = SeededGenerator(seed: seed ^ 0x5707)
        reloads = SeededGenerator(seed: seed ^ 0x4e10ad)
        self.hasReloads = hasReloads
        let conditions: [Conditions] = [.varied, .calm, .cramped]
        stage = ProxyStage(seed: seed, servers: Storm.secureServers.lowerBound, conditions[Int(seed % 3)])
        stage.addSecureListener()
        stage.addUpstream(servers: Storm.secureServers.count, isSecure: true)
        stage.snapshot.learned = LearnedSessions(limit: 10_000)
        let policies: [Policy] = [.roundRobin, .leastRequests, .powerOfTwo, .ipHash]
        for index in stage.snapshot.upstreams.indices {
            stage.snapshot.upstreams[index].affinity = (Int(seed) + index).isMultiple(of: 2) ? .signed : .learned
            stage.snapshot.upstreams[index].policy = policies[(Int(seed / 2) + index) % 4]
            stage.snapshot.upstreams[index].pool.maximum = Int64(1 + seed % 5)
            stage.snapshot.upstreams[index].pool.maximumStreams = 8
            // In every other storm servers are guarded, and pools large enough for shares to matter.
            if seed.isMultiple(of: 2) {
                stage.snapshot.upstreams[index].pool.maximum += 3
                stage.snapshot.upstreams[index].maximumCalls = Int64(2 + seed % 3)
                stage.snapshot.upstreams[index].maximumPending = 6
                stage.snapshot.upstreams[index].maximumSessions = 12
            }
            stage.snapshot.upstreams[index].queueLimit = 20
            stage.snapshot.upstreams[index].firstByteTimeout = .seconds(20)
            stage.snapshot.upstreams[index].streamIdleTimeout = .seconds(45)
            stage.snapshot.upstreams[index].pool.connectTimeout = .seconds(2)
            Storm.configureHealth(&stage.snapshot.upstreams[index], seed: seed, index: index)
        }
        for index in 0..<Storm.servers { open(index) }
        stage.start(healthChecks: true)
    }

    func chance(_ count: UInt64) -> Bool { generator.oneIn(count) }
    func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }
    func milliseconds(below count: Int) -> Interval { .milliseconds(UInt64(below(count))) }

    func note(_ what: String, _ guest: StormGuest? = nil) {
        guard wrongs.count < 20 else { return }
        let client = guest.map { ", client \($0.peer.address.port)" } ?? ""
        wrongs.append("\(what)\(client), seed \(stage.network.seed)")
    }

    // MARK: Traffic

    func runTraffic(for interval: Interval) {
        let end = stage.network.now + interval
        while stage.network.now < end, wrongs.isEmpty {
            happening()
            if hasReloads, reloads.oneIn(8) { reload() }
            stage.run(for: .milliseconds(UInt64(1 + below(400))))
            for guest in guests { judge(guest) }
            guests.removeAll { $0.isOver && $0.peer.isDone }
        }
    }

    private func happening() {
        let live = guests.filter { !$0.isOver }
        switch below(44) {
        case 0...13: if live.count < 40 { arrive() }
        case 14...29: if !live.isEmpty { continueTraffic(live[below(live.count)]) }
        case 30, 31: leave(live, .close)
        case 32: leave(live, .reset)
        case 33: leave(live, .vanish)
        case 34: if chance(3) { failServer(below(Storm.servers)) }
        case 35, 36: breakHandshake()
        default: break
        }
    }

    private func leave(_ live: [StormGuest], _ manner: SimulatedPeer.Action) {
        if !live.isEmpty { live[below(live.count)].peer.perform(manner) }
    }

    /// Everybody who still waits gets an answer, in time.
    func drain() {
        for index in 0..<Storm.servers { open(index) }
        // Half of those who kept their windows shut open them; the others are given up.
        for guest in guests {
            if case .http2(let client) = guest.voice, client.holdsWindows || !client.stalled.isEmpty, chance(2) {
                client.releaseWindows()
            }
        }
        // A client may take its time, and each of its requests that wait in line may meet a server that has vanished.
        for _ in 0..<20 {
            stage.run(for: .seconds(60))
            for guest in guests { judge(guest) }
            if guests.allSatisfy({ $0.isOver || $0.waitsFor == nil }) { break }
        }
        for guest in guests {
            // Who reads in smallReads may still be at it.
            let isSlowReader = guest.peer.lastRead.map { stage.network.now - $0 < .seconds(20) } ?? false
            if let tag = guest.waitsFor, !guest.isOver, !isSlowReader {
                note("\(tag) waits for ever: \(stage.inventory)", guest)
            }
            guest.peer.perform(.close)
        }
    }

    /// Waits until everything is over. A client that has closed behind its request is still forwarded to the end: with
    /// buffers of a byte or two, each byte of a body may be a chunk in a TLS record of its own, and 90,000 of them take
    /// many minutes. Only an upload that goes on gets more time.
    func settle() {
        stage.run(for: .seconds(200))
        guard uploads > 0 else { return }
        for _ in 0..<40 where uploads > 0 {
            let taken = longestRequestBytes
            stage.run(for: .seconds(60))
            if longestRequestBytes == taken { break }
        }
        stage.run(for: .seconds(200))
    }

    private var uploads: Int { stage.worker?.uploads ?? 0 }

    /// The most bytes that a server has read on one connection that is open.
    private var longestRequestBytes: Int {
        (0..<Storm.servers).flatMap { stage.network.served(at: ProxyStage.server($0)) }
            .map(\.received.count).max() ?? 0
    }
}
