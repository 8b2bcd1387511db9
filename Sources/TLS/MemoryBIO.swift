import COpenSSL
import Reactor

/// The transport that OpenSSL reads from and writes to: the received bytes of the current call, and the buffer for the
/// bytes to send.
///
/// All sessions of an engine share one of these, through one BIO, so that a session needs no memory for a transport of
/// its own. It is empty between calls.
struct MemoryBIO {
    /// The next received byte; nil between calls.
    var input: UnsafeRawPointer?
    /// The number of received bytes that OpenSSL has not read yet.
    var remaining = 0
    /// The caller's buffer for bytes to send; nil between calls.
    var outgoing: UnsafeMutablePointer<ByteBuffer>?

    /// One for the process, because OpenSSL has fewer than 128 BIO types. Nil if memory ran out.
    nonisolated(unsafe) static let method: OpaquePointer? = makeMethod()

    private static func makeMethod() -> OpaquePointer? {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "berth memory") else { return nil }
        BIO_meth_set_read_ex(method) { bio, target, count, moved in MemoryBIO.read(bio, target, count, moved) }
        BIO_meth_set_write_ex(method) { bio, source, count, moved in MemoryBIO.write(bio, source, count, moved) }
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        BIO_meth_set_destroy(method) { bio in
            BIO_get_data(bio)?.assumingMemoryBound(to: MemoryBIO.self).deallocate()
            BIO_set_data(bio, nil)
            return 1
        }
        return method
    }

    private static func read(
        _ bio: OpaquePointer?, _ target: UnsafeMutablePointer<CChar>?, _ count: Int, _ moved: UnsafeMutablePointer<Int>?
    ) -> CInt {
        let retry = BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY
        guard let target, let memoryBIO = BIO_get_data(bio)?.assumingMemoryBound(to: MemoryBIO.self),
            let input = memoryBIO.pointee.input, memoryBIO.pointee.remaining > 0
        else {
            BIO_set_flags(bio, retry)
            return 0
        }
        let taken = min(count, memoryBIO.pointee.remaining)
        UnsafeMutableRawPointer(target).copyMemory(from: input, byteCount: taken)
        memoryBIO.pointee.input = input + taken
        memoryBIO.pointee.remaining -= taken
        moved?.pointee = taken
        BIO_clear_flags(bio, retry)
        return 1
    }

    private static func write(
        _ bio: OpaquePointer?, _ source: UnsafePointer<CChar>?, _ count: Int, _ moved: UnsafeMutablePointer<Int>?
    ) -> CInt {
        guard let source, let outgoing = BIO_get_data(bio)?.assumingMemoryBound(to: MemoryBIO.self).pointee.outgoing
        else {
            return 0
        }
        let bytes = UnsafeRawBufferPointer(start: source, count: count).bindMemory(to: UInt8.self)
        outgoing.pointee.append(bytes.span)
        moved?.pointee = count
        return 1
    }
}
