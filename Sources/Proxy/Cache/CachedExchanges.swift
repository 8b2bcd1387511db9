import Caching
import Reactor

/// The exchanges of a worker that have to do with a cache, by their slots; and the streams whose servers may say in them what has
/// changed.
struct CachedExchanges {
    /// What an exchange has to do with a cache.
    enum Role {
        /// Another one fetches the answer it waits for.
        case waiting
        /// That has ended, and it looks again.
        case woken
        /// It looks for the answer in the store that several Berths share.
        case searching(StoredAnswerSearch)
        /// It fetches an answer; `stale` is for the case that its server fails.
        case fetching(CacheFetch, stale: CachedAnswer?)
        /// It asks a server, and its answer is not kept.
        case passing(stale: CachedAnswer?)
    }

    /// The body of an answer that is being fetched.
    struct Answer {
        let fetch: CacheFetch
        let isEventStream: Bool
        let fields: [UInt8]
        /// Its server says that it depends on who asks.
        let variesByCaller: Bool
        var body: [UInt8] = []
    }

    private var roles: [UInt32: Role] = [:]
    private var answers: [UInt32: Answer] = [:]
    /// Of their bodies.
    private var answerBytes = 0
    private var scanners: [UInt32: ChangeScanner] = [:]
    /// Streams that are to be opened on which servers say what has changed.
    var listenStarts: [ListenStart] = []
    /// Waiting exchanges of this worker that are to look again.
    var waking: [Handle] = []

    /// Of the requests that were looked for last.
    var known = KnownRequests()

    /// No exchange has to do with a cache.
    var isEmpty: Bool { roles.isEmpty && answers.isEmpty && scanners.isEmpty }
    /// No answer is being read.
    var readsNothing: Bool { answers.isEmpty }

    subscript(exchange: Handle) -> Role? {
        get { roles.isEmpty ? nil : roles[exchange.slot] }
        set { if newValue != nil || !roles.isEmpty { roles[exchange.slot] = newValue } }
    }

    // MARK: - Answers

    mutating func begin(_ answer: Answer, _ exchange: Handle) { answers[exchange.slot] = answer }

    /// Takes a piece of a body, if that is one that is read. Longer ones than are kept are given up: that fetch, if it was one.
    mutating func append(_ exchange: Handle, _ buffer: borrowing ByteBuffer, _ range: ByteRange) -> CacheFetch? {
        guard let count = answers[exchange.slot]?.body.count else { return nil }
        guard count + Int(range.count) <= Self.maximumBody, answerBytes + Int(range.count) <= Self.maximumBodies else {
            return takeAnswer(exchange)?.fetch
        }
        answers[exchange.slot]?.body.append(contentsOf: buffer.bytes(range.range))
        answerBytes += Int(range.count)
        return nil
    }

    /// What a result may have, and as much again for events around it.
    private static var maximumBody: Int { 2 * CacheableResult.maximumBytes }

    /// Of all bodies that a worker reads at a time.
    private static var maximumBodies: Int { 64 << 20 }

    mutating func takeAnswer(_ exchange: Handle) -> Answer? {
        let answer = answers.removeValue(forKey: exchange.slot)
        answerBytes -= answer?.body.count ?? 0
        return answer
    }

    // MARK: - Changes

    /// What a piece of an event stream says has changed.
    mutating func scan(_ exchange: Handle, _ buffer: borrowing ByteBuffer, _ range: ByteRange) -> [ServerChange] {
        var scanner = scanners.removeValue(forKey: exchange.slot) ?? ChangeScanner()
        let changes = scanner.scan(buffer.span.extracting(range.range))
        if !scanner.isIdle { scanners[exchange.slot] = scanner }
        return changes
    }

    /// The exchange is over: the fetch that nobody will end any more, if there is one.
    mutating func discard(_ exchange: Handle) -> CacheFetch? {
        scanners[exchange.slot] = nil
        let role = roles.removeValue(forKey: exchange.slot)
        if let answer = takeAnswer(exchange) { return answer.fetch }
        switch role {
        case .fetching(let fetch, _): return fetch
        case .searching(let search): return search.fetch
        case .waiting, .woken, .passing, nil: return nil
        }
    }
}
