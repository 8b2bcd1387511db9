import Kernel
import Reactor
import TLS

/// One socket with its TLS session, the bytes that wait on either side of it, and what is known of its readiness.
///
/// Clients and connections to servers have one each. It owns heap bytes only while something is partial, kept for
/// another attempt, or unsent. An HTTP/2 stream has one without a socket: what its client sends and is sent passes
/// through the connection's.
struct Transport: ~Copyable {
    // In this order the parts pack without holes: every idle stream pays for each of these bytes.

    /// Bytes that were read and not used yet, oldest first.
    var input = ByteBuffer()
    let descriptor: Descriptor
    /// Bytes for the socket, encrypted where the connection is.
    var output = ByteBuffer()
    /// The last event said that there may be bytes; a short read clears it (edge-triggered).
    var mayRead = false
    var mayWrite: Bool
    /// FIN or worse was seen.
    var hasEnded = false
    var tls: TLSSession?

    /// A socket that connects is not writable before it is connected.
    init(_ descriptor: Descriptor, mayWrite: Bool) {
        self.descriptor = descriptor
        self.mayWrite = mayWrite
    }

    /// Remembers what an event has said: it is said once.
    mutating func note(_ readiness: Readiness) {
        if readiness.isReadable || readiness.hasEnded || readiness.hasFailed { mayRead = true }
        if readiness.isWritable { mayWrite = true }
        if readiness.hasEnded || readiness.hasFailed { hasEnded = true }
    }

    /// A read came back. A short one has drained the socket, unless the peer's FIN waits behind the bytes.
    mutating func noteRead(isShort: Bool) {
        if isShort, !hasEnded { mayRead = false }
    }

    /// The socket takes no more. Reading decides what that means: the peer may have answered before it closed.
    mutating func markBroken() {
        output.clear()
        hasEnded = true
        mayRead = true
    }
}
