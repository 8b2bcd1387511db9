import Caching
import HTTP
import Kernel
import MCP
import Reactor
import TLS

/// Reads requests whose answers may be kept. The head is parsed, and stands at the front of `received`.
extension ConnectionIO where Outside: ~Copyable {
    /// The request whose whole body stands in one piece at `place` of `received`; its caller shows who it is by header fields only.
    func cachedRequest(
        in place: Range<Int>, isModern: Bool, _ cache: UpstreamCache, _ memo: inout CachedRequestMemo
    ) -> CachedRequest? {
        let body = received.span.extracting(place)
        guard let summary = RequestSummary(of: body), let id = summary.id(in: body) else { return nil }
        let tag = cache.digest.tag(
            received.span.extracting(0..<requestHead.length), body.extracting(0..<id.lowerBound),
            body.extracting(id.upperBound..<body.count))
        let digest = CacheKey(tag.0, tag.1)
        if let known = memo.find(digest) {
            return CachedRequest(question: known.question, keys: known.keys, id: Self.copy(body, id))
        }
        guard
            let request = cachedRequest(summary, id, body, isModern: isModern, hasOtherIdentity: false, cache)
        else { return nil }
        memo.remember(digest, request)
        return request
    }

    /// The request of this body; nil if its answer is not to be kept. `hasOtherIdentity`: its caller may have shown who it is by
    /// something else than header fields.
    func cachedRequest(
        _ summary: RequestSummary, _ id: Range<Int>, _ body: Span<UInt8>, isModern: Bool, hasOtherIdentity: Bool,
        _ cache: UpstreamCache
    ) -> CachedRequest? {
        var text: [UInt8] = []
        // What a server may read in another way must not be kept for those who ask for what was read here.
        guard case .message = StrictReading(body),
            !isModern || !HeaderCheck.disagrees(requestHead, in: received, summary, body),
            let question = CacheQuestion(summary, body, isModern: isModern, rules: cache.answers.rules, key: &text)
        else { return nil }
        let keys = CacheNames.keys(
            of: requestHead, in: received, question: text, hasOtherIdentity: hasOtherIdentity, cache)
        return CachedRequest(question: question, keys: keys, id: Self.copy(body, id))
    }

    private static func copy(_ text: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        range.map { text[$0] }
    }
}
