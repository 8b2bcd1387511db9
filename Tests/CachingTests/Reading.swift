import Caching
import MCP

extension CacheQuestion {
    /// The question of a request, and what its answer depends on.
    static func read(_ text: String, isModern: Bool = true, rules: CacheRules) -> (
        question: CacheQuestion, key: [UInt8]
    )? {
        let body = Array(text.utf8)
        guard let summary = RequestSummary(of: body.span) else { return nil }
        var key: [UInt8] = []
        let question = CacheQuestion(summary, body.span, isModern: isModern, rules: rules, key: &key)
        return question.map { ($0, key) }
    }
}

extension CacheableResult {
    /// The result in the body of an answer.
    static func read(
        _ text: String, isEventStream: Bool = false, _ authority: CacheQuestion.Authority = .server
    ) -> CacheableResult? {
        let body = Array(text.utf8)
        return CacheableResult(body.span, isEventStream: isEventStream, authority, rules: CacheRules())
    }
}

/// Bodies of answers.
enum Answer {
    /// One that may be kept.
    static let good =
        #"{"jsonrpc":"2.0","id":1,"result":{"tools":[],"ttlMs":60000,"resultType":"complete","cacheScope":"public"}}"#
}
