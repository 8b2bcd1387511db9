import Caching
import MCP
import Proxy

/// Which answers an operator wants to be gone from the caches.
struct PurgeOrder: Sendable {
    /// The upstream; nil: of all.
    let upstream: String?
    let selection: CachePurge
    /// The order in words, for the audit log; empty: everything.
    let text: String

    /// Of the parameters `upstream`, `method` and `name`, each of which may be missing.
    init(_ parameter: (String) -> String?) throws(RequestedChange.Fault) {
        var selection = CachePurge()
        let given = ["upstream", "method", "name"].map { name in parameter(name).flatMap { $0.isEmpty ? nil : $0 } }
        upstream = given[0]
        if let name = given[1] {
            let method = MCPMethod(Array(name.utf8).span)
            guard CacheRules.cacheable.contains(method) || method == .toolsCall else {
                throw RequestedChange.Fault(
                    text: "answers to \(name) are never kept; tools/list and tools/call are such methods")
            }
            selection.method = method
        }
        selection.subject = given[2].map { Array($0.utf8) }
        self.selection = selection
        text = given.compactMap { $0 }.joined(separator: " ")
    }

    /// Takes the answers out. The error says why that is not possible.
    func perform(_ proxy: ProxyServer) throws(RequestedChange.Fault) -> Int {
        let upstreams = proxy.snapshot.upstreams.filter { upstream == nil || $0.name == upstream }
        if let upstream, upstreams.isEmpty { throw RequestedChange.Fault(text: "there is no upstream \(upstream)") }
        let caches = upstreams.compactMap(\.cache)
        guard !caches.isEmpty else {
            throw RequestedChange.Fault(
                text: "\(upstream.map { "upstream \($0) keeps" } ?? "no upstream keeps") no answers")
        }
        return caches.reduce(0) { $0 + proxy.purge($1, selection) }
    }
}
