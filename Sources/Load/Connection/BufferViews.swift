import Reactor
import TLS

// The engine keeps its buffers side by side with its TLS machinery in one value. Handing over the buffer rather than a
// view of it lets the compiler see that they are apart.
extension TLSEngine {
    mutating func receive(
        _ session: inout TLSSession, _ ciphertext: borrowing ByteBuffer, plaintext: inout ByteBuffer,
        wire: inout ByteBuffer
    ) -> TLSProgress {
        receive(&session, ciphertext.span, plaintext: &plaintext, wire: &wire)
    }

    mutating func send(
        _ session: inout TLSSession, _ plaintext: borrowing ByteBuffer, wire: inout ByteBuffer
    ) -> Bool {
        send(&session, plaintext.span, wire: &wire)
    }
}
