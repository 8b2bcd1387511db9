package import Reactor

// An owner stores its engine and its buffers in one value. Passing the buffer rather than a span of it lets the
// compiler see that the two do not overlap.
extension TLSEngine {
    /// Like `receive` with a span, for the unconsumed bytes of a buffer. Does not consume them.
    package mutating func receive(
        _ session: inout TLSSession, _ ciphertext: borrowing ByteBuffer, plaintext: inout ByteBuffer,
        outgoing: inout ByteBuffer
    ) -> TLSProgress {
        receive(&session, ciphertext.span, plaintext: &plaintext, outgoing: &outgoing)
    }

    /// Like `send` with a span, for the unconsumed bytes of a buffer. Does not consume them.
    package mutating func send(
        _ session: inout TLSSession, _ plaintext: borrowing ByteBuffer, outgoing: inout ByteBuffer
    ) -> Bool {
        send(&session, plaintext.span, outgoing: &outgoing)
    }
}
