import HTTP
import Kernel
import Reactor
import TLS

/// What a worker reads and writes with: the kernel, the TLS engine, the scratch buffers and the spare memory.
///
/// The scratch buffers are shared by all connections of a worker. A call chain borrows them and leaves them empty:
/// `expectEmptyScratch` holds it to that in debug builds. Ranges and heads refer to the scratch and are never kept.
struct ConnectionIO<Outside: World & ~Copyable>: ~Copyable {
    var world: Outside
    var engine: TLSEngine
    /// Decrypted bytes of the connection that is being read.
    var received = ByteBuffer(capacity: Scratch.bytes)
    /// Bytes for a peer, not yet encrypted.
    var composed = ByteBuffer(capacity: Scratch.bytes)
    /// TLS records as they came from the socket.
    var ciphertext = ByteBuffer(capacity: Scratch.readBytes)
    /// Bytes for a socket, encrypted where the connection is.
    var outgoing = ByteBuffer(capacity: Scratch.bytes)
    /// Bytes at the front of `received` that earlier reads had brought.
    var savedCount = 0
    /// The request head that was parsed last, as ranges of `received`.
    var requestHead = RequestHead()
    /// The response head that was parsed last, as ranges of `received`.
    var responseHead = ResponseHead()
    /// What the HTTP/2 session that was read last has reported.
    var events = HTTP2Events()
    /// Memory for connections that have to keep bytes.
    var bufferPool = BufferPool(limit: 128)
    /// The Date of responses.
    var dateField = DateField()
    let responseParser = ResponseParser(limits: HeadLimits())

    init(_ world: consuming Outside) throws(TLSError) {
        engine = try TLSEngine()
        self.world = world
    }

    /// Checks in debug builds that the event that was just served has left no bytes behind.
    func expectEmptyScratch() {
        assert(received.isEmpty, "bytes were left in `received`")
        assert(composed.isEmpty, "bytes were left in `composed`")
        assert(outgoing.isEmpty, "bytes were left in `outgoing`")
    }
}

/// Sizes of a worker's scratch buffers, in bytes.
enum Scratch {
    /// The most that one read asks the kernel for.
    static var readBytes: Int { 65_536 }
    /// A client's partial head is put in front of what is read, so a buffer holds more than one read.
    static var bytes: Int { 4 * 65_536 }
    /// Reads or writes of one connection before others get their turn.
    static var transfersPerTurn: Int { 8 }
}
