extension EffectiveText {
    /// Writes which answers are kept.
    mutating func write(_ cache: CacheConfiguration, path: String) {
        open("[\(path)]", path: path)
        value("methods", TOMLText.list(cache.methods.map(\.rawValue)))
        value("session_lists", orOff: cache.sessionLists)
        value("max_ttl", cache.maximumTTL)
        value("stale_if_error", orOff: cache.staleIfError)
        value("max_bytes", size: cache.maximumBytes)
        value("listen", cache.listens)
        value("vary", TOMLText.list(cache.vary))
        if let store = cache.store { write(store) } else { value("store", TOMLText.quoted("memory")) }
        guard !cache.tools.isEmpty else { return }
        open("[\(path).tools]", path: "\(path).tools")
        for tool in cache.tools { value(TOMLText.key(tool.pattern), tool.ttl) }
    }
}
