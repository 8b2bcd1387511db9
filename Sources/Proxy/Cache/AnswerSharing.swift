import Caching
package import Kernel
import MCP
import Redis
import Synchronization
import TLS

/// How the answers that are kept of an upstream are shared with other Berths.
///
/// For each method the store has a generation, a random text. An answer in the store is good as long as the generation is the one in
/// which its servers were asked: to outdate all answers of a method, it is enough to change that.
package final class AnswerSharing: Sendable {
    /// Where.
    package let store: SharedStore
    /// How long a request waits for the store before it asks a server.
    let wait: Interval
    /// The name of the upstream as keys have it, and the key of the digest of names.
    let scope: [UInt8]

    private let outdated = Mutex<[MCPMethod: Instant]>([:])

    /// Shares the answers of the upstream of this name.
    package init(_ store: SharedStore, wait: Interval, upstream: String) {
        self.store = store
        self.wait = wait
        let label = MessageAuthenticator(key: Array("berth: names of shared answers".utf8))
        let tag = label.tag(Array(upstream.utf8).span, [UInt8]().span)
        scope = SharedOwner.hexadecimal(tag.0) + SharedOwner.hexadecimal(tag.1)
    }

    var digestKey: [UInt8] { scope }

    /// The key of an answer.
    func key(of name: CacheKey) -> [UInt8] {
        HashTag.key("answer", of: SharedOwner.hexadecimal(name.high) + SharedOwner.hexadecimal(name.low))
    }

    /// The key of a method's generation.
    func generationKey(of method: MCPMethod) -> [UInt8] {
        HashTag.key("generation", of: scope + Array("/\(method.name ?? "")".utf8))
    }

    /// A generation that there has not been.
    static func newGeneration() -> [UInt8] {
        SharedOwner.hexadecimal(UInt64.random(in: .min ... .max))
    }

    /// Longer than any answer is good.
    static var generationTime: UInt64 { 7 * 86_400_000 }

    /// Whether the store is to be told that a method's answers are outdated. Each of many streams may bring the same news: it is told
    /// once a second, unless answers were at hand here (`hadAnswers`), which were fetched since.
    func claimOutdating(_ method: MCPMethod, hadAnswers: Bool, at now: Instant) -> Bool {
        outdated.withLock { outdated in
            if !hadAnswers, let last = outdated[method], now < last + .seconds(1) { return false }
            outdated[method] = now
            return true
        }
    }
}

/// A search for an answer in a store: the replies that have come, in the order of the commands.
struct StoredAnswerSearch {
    var fetch: CacheFetch
    let stale: CachedAnswer?
    let sharing: AnswerSharing
    /// Replies that are to come in all.
    var expected = 0
    var replies: [StoreAnswer] = []

    /// What it has found, once all replies are there: the first answer that is of the present generation.
    var found: StoredAnswer? {
        guard replies.count == expected, case .value(let generation)? = replies.first else { return nil }
        for index in stride(from: 1, to: replies.count - 1, by: 2) {
            guard case .value(let bytes) = replies[index], case .number(let left) = replies[index + 1], left > 0,
                let answer = StoredAnswer(bytes, remaining: .milliseconds(UInt64(left))),
                answer.generation == generation
            else { continue }
            return answer
        }
        return nil
    }

    /// The generation, if the store has told it.
    var generation: [UInt8] {
        if case .value(let generation)? = replies.first, generation.count <= 64 { generation } else { [] }
    }

    /// The store has none yet.
    var lacksGeneration: Bool { replies.first == .missing }
}
