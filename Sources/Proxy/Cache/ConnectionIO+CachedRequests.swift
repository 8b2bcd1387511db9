import Caching
import HTTP
import Kernel
import MCP
import Reactor

/// Reads requests whose answers may be kept. The head is parsed, and stands at the front of `received`.
extension ConnectionIO where Outside: ~Copyable {
    /// The request of an exchange whose whole body stands in one piece at `place` of `received`, and its raw id. Its caller shows
    /// who it is by header fields only.
    func cachedRequest(
        _ exchange: Handle, in place: Range<Int>, _ summary: RequestSummary?, isModern: Bool, _ cache: UpstreamCache,
        _ known: inout KnownRequests
    ) -> (request: CachedRequest, id: [UInt8])? {
        let body = received.span.extracting(place)
        if let found = known.findAgain(exchange, received, head: requestHead.length, body: place), found.cache === cache
        {
            return (found.request, known.copied(body.extracting(found.id)))
        }
        guard let summary = summary ?? RequestSummary(of: body), let id = summary.id(in: body),
            let request = cachedRequest(summary, id, body, isModern: isModern, hasOtherIdentity: false, cache)
        else { return nil }
        let head = received.span.extracting(0..<requestHead.length)
        known.remember(KnownRequest(request, cache, summary, id: id, head: head, body: body), head, body)
        return (request, known.copied(body.extracting(id)))
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
        return CachedRequest(question: question, keys: keys)
    }
}
