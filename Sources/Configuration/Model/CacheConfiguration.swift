/// `cache` of an upstream: answers that are kept.
package struct CacheConfiguration: Sendable, Equatable {
    /// The methods whose results say themselves how long they are good (MCP 2026-07-28).
    package enum Method: String, Sendable, CaseIterable {
        case discover = "server/discover"
        case toolsList = "tools/list"
        case promptsList = "prompts/list"
        case resourcesList = "resources/list"
        case resourceTemplatesList = "resources/templates/list"
        case resourcesRead = "resources/read"
    }

    /// A tool that the operator vouches for.
    package struct Tool: Sendable, Equatable {
        /// Its name; a `*` stands for any text.
        package var pattern: String
        /// How long its answers are good.
        package var ttl: Duration
    }

    /// Methods whose results are kept.
    package var methods = Method.allCases
    /// Tools whose results are kept, whoever calls them; the first that fits decides.
    package var tools: [Tool] = []
    /// How long lists of the revisions before 2026-07-28 are kept for all sessions together; nil: they are not.
    package var sessionLists: Duration?
    /// The most that a server's word counts for.
    package var maximumTTL = Duration.seconds(3_600)
    /// How long after its time an answer serves if its server fails; nil: it does not.
    package var staleIfError: Duration? = .seconds(60)
    /// Bytes of all answers.
    package var maximumBytes = 64 << 20
    /// Whether a stream is kept open on which a server says what has changed.
    package var listens = true
    /// Header fields on which answers depend, in lower case.
    package var vary: [String] = []
    /// In which several Berths share the answers; nil: each keeps its own.
    package var store: StoreConfiguration?

    package init() {}
}
