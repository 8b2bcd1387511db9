package import Caching
import MCP
import Reactor

extension ProxyServer {
    /// Takes answers out at an operator's wish, here and in the store that several Berths share: there, all of the same methods. How
    /// many went here. Other Berths keep what is in their memory.
    package func purge(_ cache: UpstreamCache, _ selection: CachePurge) -> Int {
        let methods = selection.method.map { [$0] } ?? Array(CacheRules.cacheable) + [.toolsCall]
        if cache.sharing != nil { mailboxes.first?.postAlways(.answersPurged(cache, methods)) }
        return cache.answers.purge(selection)
    }
}
