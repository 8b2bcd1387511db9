/// The event stream format (HTML Living Standard, "Server-sent events"), as far as a proxy needs it to insert comments.
package enum EventStream {
    /// Tracks whether a stream is between two events, where bytes may be inserted.
    ///
    /// It needs only the last bytes of every read. A blank line with any of the three line ends (LF, CRLF, CR) ends an
    /// event. A carriage return after a line feed does not count as a blank line, because its line feed may come next.
    /// The bytes must have no transfer coding and no compression.
    package struct BoundaryTracker: Sendable {
        /// The last three bytes, the newest in the lowest byte. A new stream counts as after a blank line.
        private var tail: UInt32 = 0x0A0A

        /// A tracker at the start of a stream.
        package init() {}

        /// Records forwarded bytes. The cost does not depend on their number.
        package mutating func note(_ bytes: Span<UInt8>) {
            for index in max(0, bytes.count - 3)..<bytes.count {
                tail = (tail << 8 | UInt32(bytes[index])) & 0xFF_FFFF
            }
        }

        /// Whether the stream so far is empty or ends with a blank line.
        package var isAtBoundary: Bool {
            switch tail & 0xFFFF {
            case 0x0A0A, 0x0D0D: true
            case 0x0D0A: tail == 0x0A0D0A || tail == 0x0D0D0A
            default: false
            }
        }
    }
}
