/// The event stream format (HTML Living Standard, "Server-sent events"), as far as a proxy needs it to insert comments.
package enum EventStream {
    /// Tracks whether a stream is between two events, where bytes may be inserted.
    ///
    /// It needs only the last bytes of every read. A blank line with any of the three line ends (LF, CRLF, CR) ends an
    /// event. A carriage return after a line feed does not count as a blank line, because its line feed may come next.
    /// The bytes must have no transfer coding and no compression.
    package struct BoundaryTracker: Sendable {
        /// The last three bytes, the newest in the lowest byte. A new stream counts as after a blank line. The highest byte
        /// belongs to the watch, which costs no memory this way.
        private var tail: UInt32 = 0x0A0A | UInt32(AnswerWatch().bits) << 24

        /// A tracker at the start of a stream.
        package init() {}

        /// Records forwarded bytes. The cost does not depend on their number.
        package mutating func note(_ bytes: Span<UInt8>) {
            var last = tail & 0xFF_FFFF
            for index in max(0, bytes.count - 3)..<bytes.count {
                last = (last << 8 | UInt32(bytes[index])) & 0xFF_FFFF
            }
            tail = tail & 0xFF00_0000 | last
        }

        /// Looks at forwarded bytes for what says that the stream needs no error at its end.
        package mutating func watch(_ bytes: Span<UInt8>) {
            var watch = AnswerWatch(bits: UInt8(truncatingIfNeeded: tail >> 24))
            watch.note(bytes)
            tail = tail & 0xFF_FFFF | UInt32(watch.bits) << 24
        }

        /// Whether an error may be put at the stream's end, as far as it was watched: it is between two events, none had an
        /// id, with which its client could resume it, and none had an answer.
        package var takesError: Bool {
            isAtBoundary && !AnswerWatch(bits: UInt8(truncatingIfNeeded: tail >> 24)).hasSeen
        }

        /// Whether the stream so far is empty or ends with a blank line.
        package var isAtBoundary: Bool {
            switch tail & 0xFFFF {
            case 0x0A0A, 0x0D0D: true
            case 0x0D0A: tail & 0xFF_FFFF == 0x0A0D0A || tail & 0xFF_FFFF == 0x0D0D0A
            default: false
            }
        }
    }
}
