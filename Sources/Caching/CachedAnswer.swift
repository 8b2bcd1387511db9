package import Kernel
package import MCP

/// An answer that is kept. Immutable: threads share it.
package final class CachedAnswer: Sendable {
    /// The method that it answers.
    package let method: MCPMethod
    /// The tool, or the URI of the resource, in the one spelling of its JSON string; empty for lists.
    package let subject: [UInt8]
    /// The result, cut where its time stands.
    package let result: CacheableResult
    /// Whole field lines that go with it.
    package let fields: [UInt8]
    /// When the server's answer came.
    package let receivedAt: Instant

    /// An answer that came just now.
    package init(_ question: CacheQuestion, _ result: CacheableResult, fields: [UInt8], at now: Instant) {
        method = question.method
        subject = question.subject
        self.result = result
        self.fields = fields
        receivedAt = now
    }

    /// How long it is still good; nil: its time is over.
    package func remaining(at now: Instant) -> Interval? {
        let end = receivedAt + result.ttl
        return end > now ? end - now : nil
    }

    /// What it costs to keep, in bytes.
    var bytes: Int {
        Self.overhead + subject.count + result.beforeTTL.count + (result.afterTTL?.count ?? 0) + fields.count
    }

    /// An object, four arrays and two places in tables.
    private static var overhead: Int { 512 }

    /// The bytes of the message without its id.
    private static var frame: Int { #"{"jsonrpc":"2.0","id":,"result":}"#.utf8.count }

    /// The JSON-RPC message that answers the request with an id of `count` bytes, in bytes.
    package func messageBytes(idBytes count: Int, at now: Instant) -> Int {
        var bytes = Self.frame + count + result.beforeTTL.count
        if let rest = result.afterTTL { bytes += milliseconds(at: now).utf8.count + rest.count }
        return bytes
    }

    /// Hands over the pieces of that message, in order; the id is as it was written. `ttlMs` is what is left of its time: the
    /// client's clock begins when it gets the message (MCP 2026-07-28).
    package func writeMessage(id: Span<UInt8>, at now: Instant, _ write: (Span<UInt8>) -> Void) {
        write(Self.begin.span)
        write(id)
        write(Self.middle.span)
        let start = result.beforeTTL
        write(start.span)
        if let rest = result.afterTTL {
            let digits = Array(milliseconds(at: now).utf8)
            write(digits.span)
            write(rest.span)
        }
        write(Self.end.span)
    }

    private func milliseconds(at now: Instant) -> String { String((remaining(at: now)?.nanoseconds ?? 0) / 1_000_000) }

    private static let begin = Array(#"{"jsonrpc":"2.0","id":"#.utf8)
    private static let middle = Array(#","result":"#.utf8)
    private static let end = Array("}".utf8)
}
