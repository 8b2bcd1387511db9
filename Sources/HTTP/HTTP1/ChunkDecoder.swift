package import Reactor

/// Takes the chunked coding (RFC 9112 §7.1) off a body, piece by piece. Holds no bytes: what it has not consumed
/// stays with the caller, which comes back with that and more.
package struct ChunkDecoder: Sendable {
    package enum Step: Equatable, Sendable {
        /// Body bytes, as a range of the input; continue at its upper bound.
        case data(ByteRange)
        /// One trailer line with its CRLF, checked like a header line; continue at its upper bound.
        case trailer(ByteRange)
        /// Nothing more can be said: everything before `consumed` is done with, the rest must be shown again together
        /// with what follows. At most 8 KiB are ever left over.
        case needsMore(consumed: Int)
        /// The body is complete and ends at this offset.
        case end(Int)
        case invalid
    }

    package init() {}

    /// The next piece of `input` from `offset` on.
    package mutating func next(_ input: Span<UInt8>, from offset: Int) -> Step {
        .needsMore(consumed: offset)
    }
}
