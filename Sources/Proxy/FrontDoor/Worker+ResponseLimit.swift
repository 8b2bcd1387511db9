import HTTP
import Kernel
import Reactor

/// `response_limit` of routes. Nothing is held back for it: a response that says its length is refused before its head goes out,
/// and one that does not is broken off when it has grown too large, so that its client does not take it for the whole.
extension Worker where Outside: ~Copyable {
    /// Whether a response, whose head is parsed and at the front of `io.received`, says that it has more bytes than may be.
    mutating func isTooLarge(_ exchange: Handle, _ body: BodyReader) -> Bool {
        guard case .length(let length) = io.responseHead.framing, !body.isComplete,
            length > responseLimit(exchange)
        else { return false }
        logBadResponse(exchange, .overLimit)
        return true
    }

    /// Whether a response that is on its way has more bytes than may be. Event streams have no end, and no such bound.
    func hasGrownTooLarge(_ exchange: Handle) -> Bool {
        !exchanges[exchange].isEventStream && exchanges[exchange].responseBytes > responseLimit(exchange)
    }

    /// Bytes that the response to an exchange may have; `.max`: any number.
    func responseLimit(_ exchange: Handle) -> UInt64 { exchanges.extras[exchange.slot]?.responseLimit ?? .max }
}
