import Balancing
import HTTP
import Kernel
import MCP
import Reactor

/// Servers for requests that belong together without a session, by `affinity_key`.
extension Worker where Outside: ~Copyable {
    /// The key of a request, which is parsed and at the front of `io.received`; nil if it has none, or its upstream asks for
    /// none.
    @inline(__always)
    func affinityKey(_ exchange: Handle) -> UInt64? {
        if servers.upstreams[Int(exchanges[exchange].upstream)].plan.affinityKey == nil { return nil }
        return readAffinityKey(exchange)
    }

    @inline(never)
    private func readAffinityKey(_ exchange: Handle) -> UInt64? {
        guard !exchanges[exchange].isPinned, !clients.isInternal(exchanges[exchange].client) else { return nil }
        return servers.upstreams[Int(exchanges[exchange].upstream)].plan.affinityKey?.value(
            of: io.requestHead, in: io.received)
    }

    /// The server of a key among those that may get the request: the same one wherever it is asked, as long as that may. It
    /// is waited for if it is busy: another one would not know of the steps before.
    mutating func chooseServer(_ exchange: Handle, key: UInt64) -> Int? {
        let upstream = Int(exchanges[exchange].upstream)
        for isBackup in [false, true] {
            var best: (server: Int, score: Double)?
            for server in servers.upstreams[upstream].members {
                let plan = servers[server].plan
                guard plan.isBackup == isBackup, mayHave(exchange, server, upstream) else { continue }
                let score = Rendezvous.score(key: key, tag: plan.tag, weight: plan.weight)
                if score > best?.score ?? 0 { best = (server, score) }
            }
            if let best { return best.server }
        }
        return nil
    }

    private func mayHave(_ exchange: Handle, _ server: Int, _ upstream: Int) -> Bool {
        let position = servers[server].position
        guard !exchanges.wasTried(exchange, position), servers.upstreams[upstream].selection.isEligible(position) else {
            return false
        }
        if needsModernServer(exchange), !metrics.revisions(server: server).mayBeModern { return false }
        return !hasNoPlace(for: exchange, at: server, upstream)
    }
}
