package import Reactor

// An owner keeps its engine and its buffers side by side in one value. Handing over the buffer rather than a view of it
// lets the compiler see that the two are apart.
extension TLSEngine {
    /// As the other `receive`, with the unconsumed bytes of a buffer.
    package mutating func receive(
        _ session: inout TLSSession, _ ciphertext: borrowing ByteBuffer, plaintext: inout ByteBuffer,
        outgoing: inout ByteBuffer
    ) -> TLSProgress {
        receive(&session, ciphertext.span, plaintext: &plaintext, outgoing: &outgoing)
    }

    /// As the other `send`, with the unconsumed bytes of a buffer.
    package mutating func send(
        _ session: inout TLSSession, _ plaintext: borrowing ByteBuffer, outgoing: inout ByteBuffer
    ) -> Bool {
        send(&session, plaintext.span, outgoing: &outgoing)
    }
}
