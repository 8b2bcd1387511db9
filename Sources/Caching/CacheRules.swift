package import Kernel
package import MCP

/// What the operator wants kept of an upstream's answers, and for how long.
package struct CacheRules: Sendable, Equatable {
    /// An answer of a tool that the operator vouches for: the same arguments give the same answer to everybody.
    package struct Tool: Sendable, Equatable {
        /// The tool's name; a `*` in it stands for any text.
        package var pattern: [UInt8]
        /// How long its answers are good.
        package var ttl: Interval

        /// Answers of the tools whose name fits `pattern` are good for `ttl`.
        package init(pattern: [UInt8], ttl: Interval) {
            self.pattern = pattern
            self.ttl = ttl
        }
    }

    /// Methods whose results say themselves how long they are good (MCP 2026-07-28, `ttlMs` and `cacheScope`).
    package var methods: Set<MCPMethod> = CacheRules.cacheable
    /// Tools that the operator vouches for; the first that fits decides.
    package var tools: [Tool] = []
    /// How long lists of the revisions before 2026-07-28 are good, which say nothing of it; nil: they are not kept. All
    /// sessions get the same ones.
    package var sessionLists: Interval?
    /// The most that a server's word for how long its result is good counts for.
    package var maximumTTL = Interval.seconds(3_600)
    /// How long after its time an answer still serves when its server fails; zero: it does not.
    package var staleIfError = Interval.seconds(60)
    /// Bytes of all answers that are kept, what they cost beside their text included.
    package var maximumBytes = 64 << 20
    /// Whether a stream is kept open to a server of each upstream on which it says what has changed.
    package var listens = true
    /// Lower-case names of header fields on which answers depend, beside those that always count.
    package var vary: [[UInt8]] = []

    /// The rules without a tool and without lists of sessions.
    package init() {}

    /// The methods of 2026-07-28 whose results may be kept.
    package static let cacheable: Set<MCPMethod> = [
        .discover, .toolsList, .promptsList, .resourcesList, .resourceTemplatesList, .resourcesRead,
    ]

    /// Lists that the revisions before it have too.
    static let sessionMethods: Set<MCPMethod> = [.toolsList, .promptsList, .resourcesList, .resourceTemplatesList]

    /// How long the answers of a tool are good; nil: nobody vouches for them.
    func ttl(ofTool name: Span<UInt8>) -> Interval? {
        tools.first { NamePattern.fits($0.pattern.span, name) }?.ttl
    }
}

/// Names with `*` in them.
package enum NamePattern {
    /// Whether a name fits a pattern, in which each `*` stands for any text.
    package static func fits(_ pattern: Span<UInt8>, _ name: Span<UInt8>) -> Bool {
        var (at, position) = (0, 0)
        var star: (pattern: Int, name: Int)?
        while position < name.count {
            if at < pattern.count, pattern[at] == UInt8(ascii: "*") {
                star = (at, position)
                at += 1
            } else if at < pattern.count, pattern[at] == name[position] {
                at += 1
                position += 1
            } else if let last = star {
                // The star takes one more.
                star = (last.pattern, last.name + 1)
                (at, position) = (last.pattern + 1, last.name + 1)
            } else {
                return false
            }
        }
        while at < pattern.count, pattern[at] == UInt8(ascii: "*") { at += 1 }
        return at == pattern.count
    }
}
