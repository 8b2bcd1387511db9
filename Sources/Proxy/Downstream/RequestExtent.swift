import HTTP
import Reactor

/// How much of a request has arrived, by its framing (RFC 9112 section 6.3).
enum RequestExtent {
    /// All of it: so many bytes.
    case whole(Int)
    /// The body is small and not complete: it is gathered, and looked at again when so many bytes are there.
    case gathering(needed: Int)
    /// The same for a chunked body: it is looked at again when bytes are there that may end it.
    case gatheringChunks
    /// The body is sent on as it comes.
    case streaming
    case tooLarge
    case invalid

    /// Requests up to this size, body included, are gathered before a server is selected: no server is kept waiting by a
    /// slow client, the request can be sent again, and its JSON-RPC id can be echoed. Larger ones stream.
    static var gatheredBytes: Int { 65_536 }

    /// Measures the request whose head is parsed and at the front of `buffer`. `limit` is the most that its body may have;
    /// `endIsAnnounced` says that the end of a body of unknown length is told apart (by an HTTP/2 stream).
    init(
        of head: borrowing RequestHead, in buffer: borrowing ByteBuffer, limit: UInt64, endIsAnnounced: Bool
    ) {
        let length = head.length
        switch head.framing {
        case .none, .untilClose:
            self = .whole(length)
        case .length(let count):
            let (total, overflow) = UInt64(length).addingReportingOverflow(count)
            if count > limit || overflow {
                self = .tooLarge
            } else if total <= UInt64(buffer.count) {
                self = .whole(Int(total))
            } else if head.expectsContinue || total > UInt64(Self.gatheredBytes) {
                // A client that waits for "100 Continue" sends nothing before the server has seen the head.
                self = .streaming
            } else {
                self = .gathering(needed: Int(total))
            }
        case .chunked:
            self = Self.chunks(in: buffer, from: length, limit: limit)
            // Until it is complete, or large, no server is kept waiting for it: else a few clients that send a byte now and
            // then could hold all of a server's connections.
            guard case .streaming = self, !head.expectsContinue, buffer.count < length + Self.gatheredBytes else {
                return
            }
            guard endIsAnnounced else {
                self = .gatheringChunks
                return
            }
            // An HTTP/2 stream says by itself when its body is complete. Before, it is looked at when it may be too large,
            // and then not for every byte.
            let most = Int(min(limit, UInt64(Self.gatheredBytes)))
            self = .gathering(needed: max(length + most, buffer.count + 1_024))
        }
    }

    private static func chunks(in buffer: borrowing ByteBuffer, from start: Int, limit: UInt64) -> RequestExtent {
        var reader = BodyReader(.chunked)
        var offset = start
        var total: UInt64 = 0
        while true {
            switch reader.next(buffer, from: offset) {
            case .data(let range):
                total += UInt64(range.count)
                if total > limit { return .tooLarge }
                offset = range.upperBound
            case .trailer(let range): offset = range.upperBound
            case .needsMore: return .streaming
            case .end(let end): return .whole(end)
            case .invalid: return .invalid
            }
        }
    }
}
