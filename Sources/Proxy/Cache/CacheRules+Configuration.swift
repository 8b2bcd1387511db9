import Caching
import Configuration
import Kernel
import MCP

extension CacheRules {
    init(_ configuration: CacheConfiguration) {
        self.init()
        methods = Set(configuration.methods.map { MCPMethod(Array($0.rawValue.utf8).span) })
        tools = configuration.tools.map { Tool(pattern: Array($0.pattern.utf8), ttl: Interval($0.ttl)) }
        sessionLists = configuration.sessionLists.map { Interval($0) }
        maximumTTL = Interval(configuration.maximumTTL)
        staleIfError = configuration.staleIfError.map { Interval($0) } ?? Interval(nanoseconds: 0)
        maximumBytes = configuration.maximumBytes
        listens = configuration.listens
        vary = configuration.vary.map { Array($0.utf8) }
    }
}
