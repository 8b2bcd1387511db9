/// The event stream format (HTML Living Standard, "Server-sent events"): what a proxy must know of it to add to one
/// without spoiling it.
package enum EventStream {
    /// Knows whether something may be put into a stream now: only between events, never inside one.
    ///
    /// It needs the last bytes of every read and nothing else. A blank line in any of the three conventions (LF, CRLF,
    /// CR) ends an event. A carriage return after a line feed is not taken for one, as the line feed that completes it
    /// may be on its way. The bytes must be the stream's own: without transfer coding and without compression.
    package struct BoundaryTracker: Sendable {
        /// The last three bytes, newest lowest. A stream begins as if after a blank line.
        private var tail: UInt32 = 0x0A0A

        package init() {}

        /// Takes note of bytes passed on. Costs the same for any number of them.
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
